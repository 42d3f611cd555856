"""Small files made on the fly: PDFs by hand, workbooks, and archives that are no good."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook


def write_pdf(path: Path, pages: Sequence[Sequence[str]], encrypted: bool = False) -> Path:
    """Write a PDF with these lines on its pages; an empty page shows a grey box, as a scan would a picture.

    Chinese lines use a font that PDF readers bring along. An encrypted file asks for a password nobody has.
    """
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % (6 + 2 * i) for i in range(len(pages)))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Font /Subtype /Type0 /BaseFont /MSung-Light /Encoding /UniCNS-UCS2-H /DescendantFonts [5 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /MSung-Light /DW 1000"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (CNS1) /Supplement 0 >>"
        b" /FontDescriptor << /Type /FontDescriptor /FontName /MSung-Light /Flags 4 /FontBBox [0 -200 1000 900]"
        b" /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >> >>",
    ]
    for lines in pages:
        drawn = b"\n".join(_line(line, 780 - 16 * i) for i, line in enumerate(lines)) or b"0.5 g 50 50 500 700 re f"
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 842] /Contents %d 0 R"
            b" /Resources << /Font << /L 3 0 R /C 4 0 R >> >> >>" % (len(objects) + 2)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
    trailer = b"/Root 1 0 R"
    if encrypted:
        objects.append(
            b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"5a" * 32, b"a5" * 32),
        )
        trailer += b" /Encrypt %d 0 R /ID [<00> <00>]" % len(objects)
    path.write_bytes(_assembled(objects, trailer))
    return path


def _line(text: str, y: int) -> bytes:
    if text.isascii():
        shown = b"/L 10 Tf (" + text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode() + b") Tj"
    else:
        shown = b"/C 10 Tf <" + text.encode("utf-16-be").hex().encode() + b"> Tj"
    return b"BT 60 %d Td %s ET" % (y, shown)


def _assembled(objects: Sequence[bytes], trailer: bytes) -> bytes:
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, trailer, len(data))
    )


def write_workbook(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """Write a workbook with these rows in its sheets."""
    workbook = Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def write_zip_bomb(path: Path, unpacked_mb: int = 12) -> Path:
    """Write a workbook of a few kilobytes whose sheet unpacks to many megabytes."""
    write_workbook(path, {"log": [["date", "exercise", "load"]]})
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/big.xml", "w") as part,
    ):
        for _ in range(unpacked_mb):
            part.write(bytes(1024**2))
    return path
