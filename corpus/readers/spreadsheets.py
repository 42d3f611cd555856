"""Training records in Excel workbooks, every sheet of them."""

import warnings
import zlib
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from coach.domain.errors import InputError
from corpus.cleaning import normalised
from corpus.records import Cell, missing_header, read_table
from corpus.source import Block, Parsed, Problem

_MAX_UNPACKED = 300 * 1024**2  # bytes
_MAX_RATIO = 200  # unpacked over packed; sheets of one repeated row reach about 100
_SMALL = 10 * 1024**2  # bytes unpacked that are harmless at any ratio
_MAX_ENTRIES = 5000
_MAX_COLUMNS = 64
_MAX_ROWS = 200_000


def create() -> "SpreadsheetReader":
    """Return the reader of workbooks."""
    return SpreadsheetReader()


class SpreadsheetReader:
    """One training record a row; a sheet without a header row is reported and left out."""

    label = "Excel (.xlsx)"
    suffixes = (".xlsx", ".xlsm")
    magic = b"PK\x03\x04"

    def read(self, path: Path, salt: bytes) -> Parsed:
        """Return the records of all sheets."""
        _refuse_bombs(path)
        blocks: list[Block] = []
        problems: list[Problem] = []
        names: set[str] = set()
        n_tables = 0
        try:
            tables = [(title, read_table(rows, f"sheet {title}, row ", salt)) for title, rows in _sheets(path)]
        except (SyntaxError, BadZipFile, EOFError, zlib.error) as problem:  # a SyntaxError of the XML
            raise _damaged(problem) from problem
        for title, table in tables:
            if table.columns is None:
                if table.heads:
                    problems.append(Problem(place=f"sheet {title}", message=missing_header(table)))
                continue
            n_tables += 1
            blocks += table.blocks
            problems += table.problems
            names |= table.names
        if not n_tables:
            raise InputError(problems[0].message if problems else "holds only empty sheets")
        return Parsed(blocks=tuple(blocks), problems=tuple(problems), names=tuple(sorted(names)))


def _damaged(problem: Exception) -> InputError:
    return InputError(f"is a damaged workbook ({problem}): open it and save it again as .xlsx")


def _refuse_bombs(path: Path) -> None:
    """Raise for an archive that is no workbook, or that would unpack to far more than it weighs."""
    try:
        with ZipFile(path) as archive:
            entries = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        raise _damaged(problem) from problem
    if "xl/workbook.xml" not in {entry.filename for entry in entries}:
        raise InputError("is a ZIP archive but not an Excel workbook: save the table as .xlsx or .csv, a text as PDF")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    is_bomb = unpacked > _MAX_UNPACKED or (unpacked > _SMALL and unpacked > _MAX_RATIO * max(1, packed))
    if is_bomb or len(entries) > _MAX_ENTRIES:
        raise InputError(
            f"would unpack from {packed / 1024**2:.1f} MB to {unpacked / 1024**2:.0f} MB in {len(entries)} parts, "
            "which no training log does: copy the table into a new workbook, or save it as .csv"
        )


def _sheets(path: Path) -> Iterator[tuple[str, Iterator[Sequence[Cell]]]]:
    """Yield the name and the rows of each sheet; a formula stands as the number it gave, or as its text."""
    formulas = _open(path, data_only=False)
    values = _open(path, data_only=True)
    for sheet in formulas.worksheets:
        sheet.reset_dimensions()
        values[sheet.title].reset_dimensions()
        yield " ".join(normalised(sheet.title).split()), _rows(sheet, values[sheet.title])


def _open(path: Path, data_only: bool) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings(action="ignore"):  # about styles and extensions, which no record needs
            return load_workbook(path, read_only=True, data_only=data_only, keep_links=False)
    except (InvalidFileException, BadZipFile, KeyError, ValueError, SyntaxError) as problem:
        raise _damaged(problem) from problem


def _rows(sheet: Any, values: Any) -> Iterator[Sequence[Cell]]:
    """Yield rows; the second pass over the values is made only from the first formula on."""
    computed: Iterator[Sequence[Cell]] | None = None
    for number, row in enumerate(sheet.iter_rows(max_row=_MAX_ROWS, values_only=True), 1):
        cells = row[:_MAX_COLUMNS]
        if not any(map(_is_formula, cells)):
            if computed is not None:
                next(computed, None)
            yield cells
            continue
        if computed is None:
            computed = values.iter_rows(min_row=number, max_row=_MAX_ROWS, values_only=True)
        shown = next(computed, cells)
        yield [
            value if _is_formula(cell) and isinstance(value, int | float | date) else cell
            for cell, value in zip(cells, shown, strict=False)
        ]


def _is_formula(cell: object) -> bool:
    return isinstance(cell, str) and cell.startswith("=")
