"""Text made even: width and look-alikes of characters, unseen characters, broken lines, running headers of pages."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from corpus.source import Problem

# Only these ranges are folded: NFKC on everything would turn m/s² into m/s2, ½ into 1/2 and ，。 into ,.
_FOLD = re.compile(
    "["
    "\uff04-\uff06\uff0b\uff0d\uff0f-\uff19\uff1c-\uff1e\uff20-\uff3a\uff3c\uff3e-\uff5a"  # full-width letters, digits
    "\uff61-\uff9f"  # half-width kana
    "\ufb00-\ufb06"  # ligatures
    "\u2e80-\u2fdf\uf900-\ufaff"  # radicals and compatibility ideographs, which some PDFs hold instead of characters
    "\u3380-\u33df"  # squared units such as ㎏
    "]"
)
_SPACES = re.compile(r"[\t\u00a0\u1680\u2000-\u200a\u202f\u205f]")
_BREAKS = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")
_BROKEN_WORD = re.compile(  # PDFium writes U+FFFE for a hyphen at the end of a line, and leaves out the line end
    r"(?<=[^\W\d_])(?:(?:-|\u2010|\u00ad) *\n *|[\x02\ufffe]\s*)(?=[^\W\d_])"
)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufe00-\ufe0f\ufeff\ufff0-\uffff\U000e0000-\U000e01ef\ud800-\udfff]"
)
_LIST_MARK = re.compile(r"\s*(?:[-*+•·‧●○■□▪◦–]\s|\(?(?:\d{1,3}|[a-zA-Z])[.)、]\s|\|)")
_ENDS = re.compile(r"[.!?:;。！？：；…]['\"”’」』）)\]]*\s*$")
_ASIAN = r"\u3000-\u303f\u3400-\u9fff\uff00-\uffef"
_BETWEEN_ASIAN = re.compile(rf"(?<=[{_ASIAN}])\n(?=[{_ASIAN}])")
_MIN_PAGES = 3  # pages before a line can be called repeated
_EDGE_LINES = 2  # lines at the top and at the bottom of a page that may be running ones


def normalised(text: str) -> str:
    """Return a text with even characters: one width, plain spaces and line ends, nothing unseen.

    Chinese punctuation, superscripts, fractions and signs stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _BREAKS.sub("\n", _BROKEN_WORD.sub("-\n", text))
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", _SPACES.sub(" ", text)))
    return _FOLD.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)


def hidden_text(text: str) -> tuple[Problem, ...]:
    """Return a warning when a text holds characters that can hide a sentence from a person but not from a model.

    Those are the tag characters, which spell ASCII unseen, and the ones that turn the direction of writing over.
    `normalised` takes them out.
    """
    n = len(re.findall(r"[\u202d\u202e\u2066-\u2069\U000e0000-\U000e007f]", text))
    said = f"{n} unseen characters that can hide or turn text were taken out"
    return (Problem(place="whole file", message=said),) if n else ()


def without_running_lines(pages: Sequence[str]) -> list[str]:
    """Return pages without the headers, footers and page numbers that repeat from page to page.

    A line counts as running when it stands at the edge of most pages, digits aside; three pages are needed to tell.
    """
    lines = [[line for line in page.split("\n") if line.strip()] for page in pages]
    if len(pages) < _MIN_PAGES:
        return ["\n".join(page) for page in lines]
    seen = Counter(key for page in lines for key in {_without_digits(line) for line in _edges(page)})
    running = {key for key, n in seen.items() if n >= max(_MIN_PAGES, 0.6 * len(pages))}
    return ["\n".join(_without_edges(page, running)) for page in lines]


def _edges(page: list[str]) -> list[str]:
    return page[:_EDGE_LINES] + page[-_EDGE_LINES:]


def _without_digits(line: str) -> str:
    return re.sub(r"[\d一二三四五六七八九十百]+", "#", " ".join(line.split()))


def _without_edges(page: list[str], running: set[str]) -> list[str]:
    last = len(page) - _EDGE_LINES
    return [
        line for i, line in enumerate(page) if not ((i < _EDGE_LINES or i >= last) and _without_digits(line) in running)
    ]


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text whose lines were broken to fit a page.

    An empty line or a list mark begins a new one; so does a line after one that ends a sentence well before the
    margin. Words that a hyphen broke are whole again, unless the text also writes them with a hyphen.
    """
    text = _mended(text)
    whole: list[str] = []
    margin = _margin(text)
    is_open = False
    for line in text.split("\n"):
        bare = line.strip()
        if not bare:
            is_open = False
            continue
        if is_open and not is_list_item(line):
            whole[-1] += "\n" + bare
        else:
            whole.append(bare)
        is_open = not (_ENDS.search(bare) and len(bare) < 0.8 * margin)
    return [_joined(paragraph) for paragraph in whole]


def _margin(text: str) -> int:
    """Return the length of the longer lines of a text, in characters."""
    lengths = sorted(len(line.strip()) for line in text.split("\n") if line.strip())
    return lengths[int(0.8 * (len(lengths) - 1))] if lengths else 0


def _mended(text: str) -> str:
    hyphened = {word.casefold() for word in re.findall(r"\b[^\W\d_]+-[^\W\d_]+\b", text)}

    def mend(found: re.Match[str]) -> str:
        before, after = found.groups()
        return f"{before}-{after}" if f"{before}-{after}".casefold() in hyphened else before + after

    return re.sub(r"\b([^\W\d_]+)-\n\s*([a-zà-ÿ]+)", mend, text)


def _joined(paragraph: str) -> str:
    paragraph = re.sub(r"(?<=\w)-\n(?=\w)", "-", paragraph)
    return re.sub(r"\s+", " ", _BETWEEN_ASIAN.sub("", paragraph)).strip()


def is_list_item(text: str) -> bool:
    """Return whether a line begins with a mark or a number of a list, or is a row of a table."""
    return _LIST_MARK.match(text) is not None


def ends_sentence(text: str) -> bool:
    """Return whether a text ends where a sentence does."""
    return _ENDS.search(text) is not None
