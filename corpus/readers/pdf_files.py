"""PDF: the text of each page, without what repeats on all of them."""

from pathlib import Path

from coach.domain.errors import InputError
from corpus.cleaning import ends_sentence, hidden_text, is_list_item, normalised, paragraphs, without_running_lines
from corpus.source import Block, Parsed, Problem

_MIN_CHARACTERS = 20  # per page; with less on average a PDF is a scan
_MAX_PAGES = 1000
_PASSWORD, _SECURITY = 4, 5  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY


def create() -> "PdfReader":
    """Return the reader of PDF."""
    return PdfReader()


class PdfReader:
    """One block a paragraph; its place is the page it begins on."""

    label = "PDF (.pdf)"
    suffixes = (".pdf",)
    magic = b"%PDF-"

    def read(self, path: Path, salt: bytes) -> Parsed:  # noqa: ARG002
        """Return the paragraphs of a document; one that runs over a page break is whole."""
        title, raw = _pages(path)
        pages = [normalised(page) for page in raw]
        shown = [sum(not c.isspace() for c in page) for page in pages]
        if sum(shown) < _MIN_CHARACTERS * len(pages):
            raise InputError(
                f"is a scan: its {len(pages)} page(s) are pictures with {sum(shown)} characters of text; "
                "run text recognition (OCR) on it first, or type the passages you need"
            )
        problems = [
            Problem(place=f"page {i}", message="holds no text: it may be a picture or a scan")
            for i, n in enumerate(shown, 1)
            if n == 0
        ]
        blocks: list[Block] = []
        for i, page in enumerate(without_running_lines(pages), 1):
            for text in paragraphs(page):
                blocks.append(Block(place=f"page {i}", text=text, joins=True))
        return Parsed(
            title=title,
            blocks=tuple(_over_page_breaks(blocks)),
            problems=tuple(problems),
            warnings=hidden_text("".join(raw)),
        )


def _pages(path: Path) -> tuple[str | None, list[str]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as problem:
        raise _refusal(problem) from problem
    with document:
        if len(document) > _MAX_PAGES:
            raise InputError(f"has {len(document)} pages, more than {_MAX_PAGES}: split it")
        title = normalised(str(document.get_metadata_value("Title"))).strip() or None
        try:
            pages = [page.get_textpage().get_text_range() for page in document]
        except pypdfium2.PdfiumError as problem:
            raise _refusal(problem) from problem
    if not pages:
        raise InputError("has no pages")
    return title, pages


def _refusal(problem: Exception) -> InputError:
    code = getattr(problem, "err_code", None)
    if code in (_PASSWORD, _SECURITY):
        return InputError("is encrypted: open it with its password, print it to a new PDF and add that one")
    return InputError(f"is damaged or no PDF ({problem}): open it and save it again")


def _over_page_breaks(blocks: list[Block]) -> list[Block]:
    whole: list[Block] = []
    for block in blocks:
        if whole and whole[-1].place != block.place and _goes_on(whole[-1].text, block.text):
            before = whole[-1].text
            text = before + ("" if before[-1] > "\u2fff" else " ") + block.text
            whole[-1] = whole[-1].model_copy(update={"text": text})
        else:
            whole.append(block)
    return whole


def _goes_on(before: str, after: str) -> bool:
    """Return whether a sentence of one page goes on at the top of the next, as far as its marks and letters tell."""
    is_middle = after[0].islower() or after[0] > "\u2fff"
    return is_middle and not ends_sentence(before) and not is_list_item(before)
