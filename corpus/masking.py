"""Names, contacts and identity numbers taken out of texts; pseudonyms for athletes."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from corpus.languages import has_chinese, to_simplified

_START, _STOP = r"(?<![0-9A-Za-z.])", r"(?![0-9A-Za-z])"  # not \b: a Chinese character before a number is a letter too
_NO_UNIT = r"(?!\s*(?:[-–~]\s*\d|kg|lbs?\b|m\b|cm|mm|km|J\b|N\b|W\b|%|公斤|公尺|公里|米|磅|千克))"
_SITES = (
    "instagram|facebook|fb|twitter|x|threads|tiktok|douyin|weibo|xiaohongshu|bilibili|linkedin|youtube|t|wa|line|"
    "telegram|snapchat|strava|weixin|qq|github"
)
_PATTERNS = {
    "email": r"(?<![A-Za-z0-9_.+-])[A-Za-z0-9_][A-Za-z0-9_.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "link": rf"(?:https?://)?(?<![\w@.-])(?:[\w-]+\.)*(?:{_SITES})\.(?:com|me|tv|net|org|cn|hk|tw|ee)/[^\s，。；、）)」』\"'<>]+"
    r"|https?://[^\s，。；、）)」』\"'<>]*(?:/@|/~|/u/|/user/|/users/|/in/|/profile/)[^\s，。；、）)」』\"'<>]+",
    "handle": r"(?i:(?<![A-Za-z])(?:we\s?chat|微信|vx|line\s?id|line|whats\s?app|telegram|instagram|ig|qq)\s*(?:id|号|號|帳號|账号)?"
    r"\s*[:：@]\s*@?[\w.-]{3,})|(?<![\w@./])@[A-Za-z]\w[\w.]{1,28}(?![\w(|!])",
    "id": rf"{_START}[1-9]\d{{5}}(?:18|19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}[\dXx]{_STOP}"
    rf"|{_START}[A-Z][12489A-D]\d{{8}}{_STOP}|{_START}[A-Z]{{1,2}}\d{{6}}\s?\([0-9A]\)",
    "phone": rf"(?<![\w+])\+(?=(?:[\s()-]*\d){{9}})(?:1[\s-]?\(?[2-9]\d\d\)?|[2-9]\d{{0,2}}[\s-]?(?:\(\d{{1,4}}\)[\s-]?)?\d{{1,4}})"
    rf"(?:[\s-]?\d{{2,4}}){{2,4}}{_STOP}{_NO_UNIT}"
    rf"|{_START}(?:0086[\s-]?)?1[3-9]\d[\s-]?\d{{4}}[\s-]?\d{{4}}{_STOP}{_NO_UNIT}"
    rf"|{_START}09\d{{2}}[\s-]?\d{{3}}[\s-]?\d{{3}}{_STOP}"
    rf"|(?<![0-9A-Za-z.(])\(?0[2-8]\d?\)?[\s-]\d{{3,4}}[\s-]?\d{{4}}{_STOP}"
    rf"|(?<![0-9A-Za-z.(])(?:\(\d{{3}}\)\s?|\d{{3}}-)\d{{3}}-\d{{4}}{_STOP}"
    rf"|{_START}(?!(?:19|20)\d\d[\s-]?(?:19|20)\d\d)(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
    rf"(?<!\d[-–~ ])[235-9]\d{{3}}[\s-]?\d{{4}}{_STOP}{_NO_UNIT}",
}
_BEGINS = {"id": "(?=[0-9A-Z])", "phone": "(?=[+(0-9])"}  # tried before anything else, for speed
_COMPILED = {kind: re.compile(f"{_BEGINS.get(kind, '')}(?:{pattern})") for kind, pattern in _PATTERNS.items()}


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what tells who it is about, and how often each kind was taken out."""

    text: str
    counts: Mapping[str, int]


def mask(text: str, names: Iterable[str] = ()) -> Masked:
    """Return a text with contacts, identity numbers and names replaced by `[email]`, `[phone]` and so on.

    Knows e-mail addresses, telephone numbers of China, Taiwan and Hong Kong and international ones, identity numbers
    of the three, links and handles of personal pages, and the names it is given. Dates, loads, percentages and
    schemes of repetitions stay. A name nobody gave stays too: this is no recogniser of names.

    Args:
        text: A text with even characters (see `corpus.cleaning`).
        names: People to be masked, as they are written in a file.
    """
    counts: Counter[str] = Counter()
    for kind, pattern in _COMPILED.items():
        text, n = pattern.subn(f"[{kind}]", text)
        counts[kind] += n
    for pattern in _name_patterns(tuple(names)):
        text, n = pattern.subn("[name]", text)
        counts["name"] += n
    return Masked(text, {kind: n for kind, n in counts.items() if n})


@lru_cache(maxsize=8)
def _name_patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Return what to look for: whole names in any case, then parts of names as names are written."""
    whole, parts = set[str](), set[str]()
    for name in (" ".join(name.split()) for name in names):
        if len(name) < 2 or not re.search(r"[^\W\d_]{2}", name):
            continue  # a number or one letter names nobody outside its column
        whole.add(name)
        if not has_chinese(name):
            parts |= {part for part in re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", name) if len(part) >= 3}
        elif len(name) == 3:
            parts.add(name[1:])  # what team-mates call each other
    found = []
    if whole:
        found.append(re.compile(_any_of(whole), re.IGNORECASE))
    if parts - whole:
        found.append(
            re.compile(_any_of({written for part in parts for written in (part, part.capitalize(), part.upper())}))
        )
    return tuple(found)


def _any_of(names: set[str]) -> str:
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return "|".join(
        re.escape(name) if has_chinese(name) else rf"(?<![^\W_\u3400-\u9fff]){re.escape(name)}(?![^\W_\u3400-\u9fff])"
        for name in ordered
    )


@lru_cache(maxsize=1024)
def pseudonym(name: str, salt: bytes) -> str:
    """Return the name an athlete has in the corpus, such as `athlete-3f2a9c`.

    A keyed hash: the same person gets the same one in every file of an installation, however the name is spaced and in
    either Chinese script, and nobody finds the name without the salt.
    """
    same = to_simplified(unicodedata.normalize("NFKC", name).casefold())
    digest = hmac.new(salt, "".join(same.split()).encode("utf-8", "replace"), hashlib.sha256)
    return f"athlete-{digest.hexdigest()[:6]}"


def installation_salt(folder: Path) -> bytes:
    """Return the secret of this installation, made on first use and readable by its owner only.

    Raises:
        OSError: The folder cannot be written.
    """
    path = folder / "pseudonyms.key"
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_bytes(secrets.token_bytes(32))
        try:
            path.hardlink_to(fresh)  # fails when another process was first: its secret is ours too
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
