"""Training records in tables: columns found by name in English and Chinese, rows checked, each good one a sentence."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from coach.domain.base import Record
from coach.domain.lift import LiftName
from coach.domain.passage import Tags, TextLanguage
from corpus.cleaning import normalised
from corpus.languages import chinese_script, has_chinese, to_simplified
from corpus.masking import pseudonym
from corpus.source import Block, Problem

Cell = str | int | float | bool | date | datetime | None
Field = Literal[
    "date", "athlete", "exercise", "load_kg", "load_lb", "sets", "reps", "scheme", "result", "missed", "remark"
]

MAX_LOAD_KG = 500.0
MAX_COUNT = 100  # sets, and repetitions of a set
_LB_KG = 0.45359237  # kg, the international pound
_HEADER_WITHIN = 40  # rows of a sheet that may stand above its header
_NEEDED: tuple[Field, ...] = ("date", "exercise")
_EXCEL_DAY_0 = date(1899, 12, 30)
_EXCEL_DAYS = (18264, 73050)  # 1950 to 2099
_YEARS = (1950, 2099)

_MAX_REMARK = 2000  # characters; cells hold up to 32,767
_YEAR_FIRST = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})日?(?:[T ]\d{1,2}:\d{2}(?::\d{2})?.*)?")
_REPUBLIC = re.compile(r"(?:民國|民国)\s?(\d{2,3})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})日?")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_LOAD = re.compile(r"(-?\d{1,9}(?:[.,]\d{1,3})?)\s*(kg|kgs|公斤|千克|lbs?|磅)?")
_SCHEME = re.compile(
    r"(-?\d{1,9})\s*(?:sets?|组|組)?\s*(?:of|[x×*✕]|(?<=[组組s])|(?<=sets))\s*(-?\d{1,9})\s*(?:reps?|次|个|個)?",
    re.IGNORECASE,
)

_NAMES: dict[Field, str] = {  # in Simplified, lower case, without spaces; Traditional is folded before it is looked up
    "date": "date day trainingdate sessiondate 日期 训练日期 训练日",
    "athlete": "athlete athletename name fullname lifter 运动员 运动员姓名 姓名 名字 选手 队员 学员",
    "exercise": "exercise lift movement exercisename 项目 动作 训练项目 训练动作 练习 动作名称",
    "load_kg": "load weight loadkg weightkg kg barload 重量 负荷 负重 公斤 杠铃重量 重量kg 重量公斤 负荷kg",
    "load_lb": "loadlb loadlbs weightlb weightlbs lb lbs 磅 重量磅",
    "sets": "sets set nsets numberofsets 组数 组",
    "reps": "reps rep repetitions nreps repsperset 次数 次 每组次数",
    "scheme": "sets×reps setsreps scheme setsandreps 组数×次数 组×次 组次 组数次数 组次数",
    "result": "result made made/missed madeormissed outcome success successful 结果 成功 成功/失败 成败 成功失败 成功次数",
    "missed": "missed misses nmissed failed fails failures 失败 失败次数 失败数",
    "remark": "remark remarks note notes comment comments coachnotes 备注 说明 评语 教练备注 教练评语",
}
_FIELDS: dict[str, Field] = {name: key for key, names in _NAMES.items() for name in names.split()}
_MADE = frozenset("made make yes y true good success successful ok 成功 成 是 ✓ ✔ √ o ○ 〇".split())
_MISSED = frozenset("missed miss no n false fail failed nolift 失败 失敗 败 敗 否 不成功 ✗ ✘ × x".split())
_LIFTS: tuple[tuple[str, tuple[LiftName, ...]], ...] = (  # the first that is found decides
    (r"deadlift|硬拉|硬举", ("deadlift",)),
    (r"squat|蹲(?!挺|抓|翻)", ("squat",)),
    (r"pull|high pull|高拉|宽拉|窄拉|提拉", ("pull",)),
    (r"clean\s*(?:&|and|\+|/)\s*jerk|c\s*&\s*j|^挺举", ("clean", "jerk")),
    (r"snatch|抓举|高抓|直腿抓|架上抓|悬垂抓|^抓", ("snatch",)),
    (r"clean|翻|下蹲翻|高翻", ("clean",)),
    (r"jerk|挺|箭步", ("jerk",)),
)
_WORDS: dict[str, tuple[str, str, str, str]] = {  # sets × reps, made, missed, remark
    "en": ("{} × {} reps", "made", "missed", "Remark: "),
    "zh-Hant": ("{} 組 × {} 次", "成功", "失敗", "備註："),
    "zh-Hans": ("{} 组 × {} 次", "成功", "失败", "备注："),
}


class TrainingRecord(Record):
    """One row of a training log; `athlete` is a pseudonym. Counts of attempts stand where the log gives them."""

    day: date
    athlete: str | None
    exercise: str
    load_kg: float
    sets: int | None = None
    reps: int | None = None
    result: Literal["made", "missed"] | None = None
    n_made: int | None = None
    n_missed: int | None = None
    remark: str = ""

    def sentence(self, language: TextLanguage) -> str:
        """Return the record as a person would say it."""
        is_english = not language.startswith("zh")
        scheme, made, missed, remark = _WORDS["en" if is_english else language]
        unit = "kg" if is_english else "公斤"
        said = [self.exercise, f"{self.load_kg:g} {unit}"]
        if self.reps is not None:
            said.append(scheme.format(self.sets or 1, self.reps))
        elif self.sets is not None:
            said.append(scheme.split("×")[0].format(self.sets).strip() + (" sets" if is_english else ""))
        counts = [f"{n} {word}" for n, word in ((self.n_made, made), (self.n_missed, missed)) if n is not None]
        if counts:
            said += counts
        elif self.result:
            said.append(made if self.result == "made" else missed)
        comma, colon, stop = (", ", ": ", ".") if is_english else ("，", "：", "。")
        head = f"{self.day.isoformat()}{comma}{self.athlete}" if self.athlete else self.day.isoformat()
        tail = f"{' ' if is_english else ''}{remark}{self.remark}" if self.remark else ""
        return f"{head}{colon}{comma.join(said)}{stop}{tail}"

    def lifts(self) -> tuple[LiftName, ...]:
        """Return the lifts that the exercise belongs to, none for an exercise nobody knows."""
        return _lifts(self.exercise)


@lru_cache(maxsize=1024)
def _lifts(exercise: str) -> tuple[LiftName, ...]:
    name = to_simplified(exercise).casefold()
    return next((lifts for pattern, lifts in _LIFTS if re.search(pattern, name)), ())


@dataclass(slots=True)
class Table:
    """What the rows of one sheet gave; filled while they are read.

    Attributes:
        columns: Which field stands in which column, None while no header row has been seen.
        language: What the sentences are written in: the language of the header.
        names: Athletes as they are written, to be masked.
        heads: The rows up to the header, as they are written.
    """

    blocks: list[Block] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    language: TextLanguage = "en"
    names: set[str] = field(default_factory=set)
    columns: dict[Field, int] | None = None
    heads: list[str] = field(default_factory=list)


class _BadCellError(Exception):
    """A cell that cannot be used; the message says which value and what is wanted."""


def read_table(rows: Iterable[Sequence[Cell]], place: str, salt: bytes) -> Table:
    """Return the records of a table, and what is wrong with each row that gives none.

    The first row that names a date, an exercise and a load is the header, wherever it stands; columns come in any
    order, those that are not known are left alone, and empty rows are skipped.

    Args:
        rows: The cells of each row, the first row being number 1.
        place: What comes before the number of a row: `sheet 2025, row ` or `row `.
        salt: Secret that pseudonyms are made with.
    """
    table = Table()
    seen: dict[str, int] = {}
    for number, cells in enumerate(rows, 1):
        if all(cell is None or cell == "" for cell in cells):
            continue
        if table.columns is None:
            if number > _HEADER_WITHIN:
                break
            _read_header(table, [_text(cell) for cell in cells], f"{place}{number}")
        elif not _is_header_again(cells, table.columns):
            _read_row(table, cells, table.columns, place, number, salt, seen)
    return table


def missing_header(table: Table) -> str:
    """Return what to say of a sheet without a header row."""
    return (
        "no row names the columns of training records: needed are a date, an exercise and a load "
        f"(日期、項目、重量); found “{table.heads[0] if table.heads else 'nothing'}”"
    )


def _read_header(table: Table, texts: Sequence[str], place: str) -> None:
    """Take a row for the header when it is one, and remember it as a row above the header when it is not."""
    table.heads.append(" | ".join(text for text in texts if text)[:200])
    table.columns = _columns(texts)
    if table.columns is None:
        return
    said = "".join(table.heads)
    if has_chinese(said):
        table.language = chinese_script(said) or "zh-Hant"
    names = [_field(text) for text in texts]
    table.problems += [
        Problem(place=place, message=f"a second column for {name.split('_')[0]}, “{text}”, is left alone")
        for i, (name, text) in enumerate(zip(names, texts, strict=True))
        if name and name in names[:i]
    ]


def _read_row(
    table: Table,
    cells: Sequence[Cell],
    columns: Mapping[Field, int],
    place: str,
    number: int,
    salt: bytes,
    seen: dict[str, int],
) -> None:
    try:
        record, name = _record(cells, columns, salt)
    except _BadCellError as problem:
        table.problems.append(Problem(place=f"{place}{number}", message=str(problem)))
        return
    if name:
        table.names.add(name)
    text = record.sentence(table.language)
    if text in seen:
        said = f"says the same as row {seen[text]}: kept once"
        table.problems.append(Problem(place=f"{place}{number}", message=said))
        return
    seen[text] = number
    tags = Tags(lifts=record.lifts(), kind="record")
    table.blocks.append(
        Block(
            place=f"{place}{number}",
            text=text,
            tags=tags,
            is_whole=True,
            language=table.language,
            athlete=record.athlete,
        )
    )


def _columns(texts: Sequence[str]) -> dict[Field, int] | None:
    """Return which field stands in which column, or None when this row is no header."""
    found: dict[Field, int] = {}
    for i, text in enumerate(texts):
        name = _field(text)
        if name and name not in found:
            found[name] = i
    has_load = "load_kg" in found or "load_lb" in found
    if "load_kg" in found:
        found.pop("load_lb", None)
    return found if has_load and all(name in found for name in _NEEDED) else None


def _field(text: str) -> Field | None:
    """Return the field a header names: `Load (kg)`, `日期 Date`, `Sets x Reps`, `組數×次數`."""
    whole = to_simplified(unicodedata.normalize("NFKC", text)).casefold()
    whole = re.sub(r"(sets?|组数?)\s*[x*✕]\s*(reps?|次)", r"\1×\2", re.sub(r"[_\s.:#]+", " ", whole).strip())
    bare = re.sub(r"[()\[\]]|\s", "", whole)
    without_unit = re.sub(r"\s|\([^)]*\)|\[[^\]]*\]", "", whole)
    parts = re.split(r"[\s/|()\n]+|(?<=[a-z])(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff])(?=[a-z])", whole)
    for name in (bare, without_unit, *parts):
        if name in _FIELDS:
            is_pounds = _FIELDS[name] == "load_kg" and re.search(r"\blbs?\b|磅", whole)
            return "load_lb" if is_pounds else _FIELDS[name]
    return None


def _is_header_again(cells: Sequence[Cell], columns: Mapping[Field, int]) -> bool:
    """Return whether a row repeats the header, as sheets made of printed pages do."""
    i = columns["date"]
    cell = cells[i] if i < len(cells) else None
    return isinstance(cell, str) and not re.search(r"\d", cell) and _columns([_text(c) for c in cells]) == columns


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int | float):
        return f"{cell:.10g}" if abs(cell) < 1e9 else str(cell)
    return " ".join(normalised(str(cell)).split())


def _record(cells: Sequence[Cell], columns: Mapping[Field, int], salt: bytes) -> tuple[TrainingRecord, str]:
    """Return a row as a record, and the athlete's name as it is written.

    Raises:
        _BadCellError: A cell cannot be used; the message names all of them.
    """
    wrong: list[str] = []
    got: dict[str, Any] = {}
    for name, column in columns.items():
        try:
            got |= _READ[name](cells[column] if column < len(cells) else None)
        except _BadCellError as problem:
            wrong.append(str(problem))
    if wrong:
        raise _BadCellError("; ".join(wrong))
    athlete = got.pop("name", "")
    record = TrainingRecord(**got, athlete=pseudonym(athlete, salt) if athlete else None)
    if (record.n_made or 0) + (record.n_missed or 0) > MAX_COUNT**2:
        raise _BadCellError("more attempts than a session can hold")
    return record, athlete


def _day(cell: Cell) -> dict[str, Any]:
    if isinstance(cell, datetime):
        return {"day": _in_years(cell.date())}
    if isinstance(cell, date):
        return {"day": _in_years(cell)}
    text = _text(cell)
    if not text:
        raise _BadCellError("no date")
    if re.fullmatch(r"\d{5}", text) and _EXCEL_DAYS[0] <= int(text) <= _EXCEL_DAYS[1]:
        return {"day": _EXCEL_DAY_0 + timedelta(days=int(text))}
    if found := _YEAR_FIRST.fullmatch(text):
        return {"day": _date(text, int(found[1]), int(found[2]), int(found[3]))}
    if found := _REPUBLIC.fullmatch(text):
        return {"day": _date(text, 1911 + int(found[1]), int(found[2]), int(found[3]))}
    if found := _YEAR_LAST.fullmatch(text):
        first, second, year = (int(group) for group in found.groups())
        if first <= 12 and second <= 12 and first != second:
            ways = f"{year}-{first:02d}-{second:02d} or {year}-{second:02d}-{first:02d}"
            raise _BadCellError(f"date “{text}” can be read in two ways: write {ways}")
        return {"day": _date(text, year, *((second, first) if first > 12 else (first, second)))}
    raise _BadCellError(f"date “{text[:40]}” is not understood: write it as 2025-03-01")


def _date(text: str, year: int, month: int, day: int) -> date:
    try:
        return _in_years(date(year, month, day))
    except ValueError as problem:
        raise _BadCellError(f"date “{text}” does not exist: write it as 2025-03-01") from problem


def _in_years(day: date) -> date:
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise _BadCellError(f"date {day.isoformat()} lies outside {_YEARS[0]}–{_YEARS[1]}: correct the year")
    return day


def _name(cell: Cell) -> dict[str, Any]:
    text = _text(cell)
    if not text:
        raise _BadCellError("no athlete: write a name or a number, it is replaced by a pseudonym")
    return {"name": text[:100]}


def _exercise(cell: Cell) -> dict[str, Any]:
    text = _text(cell)
    if not text:
        raise _BadCellError("no exercise")
    return {"exercise": text[:100]}


def _load(cell: Cell, kg_per_unit: float = 1.0) -> dict[str, Any]:
    text = _text(cell).casefold()
    if not text:
        raise _BadCellError("no load")
    found = _LOAD.fullmatch(text)
    if found is None or isinstance(cell, bool | date):
        raise _BadCellError(f"load “{text[:40]}” is not one number in kg")
    kg = float(found[1].replace(",", ".")) * (_LB_KG if found[2] and found[2][0] in "l磅" else kg_per_unit)
    if not 0 < kg <= MAX_LOAD_KG:
        raise _BadCellError(f"load must be more than 0 and at most {MAX_LOAD_KG:g} kg, got {found[1]}")
    return {"load_kg": round(kg, 2)}


def _count(what: str, text: str, low: int = 1) -> int:
    """Return a whole number from `low` to 100."""
    if not re.fullmatch(r"-?\d{1,9}(?:\.0+)?", text):
        raise _BadCellError(f"{what} “{text[:40]}” is not a whole number")
    n = int(float(text))
    if not low <= n <= MAX_COUNT:
        raise _BadCellError(f"{what} must be {low} to {MAX_COUNT}, got {n}")
    return n


def _sets(cell: Cell) -> dict[str, Any]:
    text = re.sub(r"\s*(?:[组組]|sets?)$", "", _text(cell), flags=re.IGNORECASE)
    if _SCHEME.fullmatch(text):
        return _scheme(cell)
    return {"sets": _count("sets", text)} if text else {}


def _reps(cell: Cell) -> dict[str, Any]:
    text = re.sub(r"\s*(?:次|reps?)$", "", _text(cell), flags=re.IGNORECASE)
    if _SCHEME.fullmatch(text):
        return _scheme(cell)
    return {"reps": _count("reps", text)} if text else {}


def _scheme(cell: Cell) -> dict[str, Any]:
    """Return sets and repetitions from `3x2`, `3 × 2`, `5组2次`, `5組×2次`, or repetitions alone from `2`."""
    text = _text(cell)
    if isinstance(cell, date):
        raise _BadCellError(f"sets × reps became the date {text[:10]} in the sheet: format the column as text")
    if not text:
        return {}
    found = _SCHEME.fullmatch(text)
    if found is None:
        raise _BadCellError(f"sets × reps “{text[:40]}” is not understood: write it as 3x2")
    return {"sets": _count("sets", found[1]), "reps": _count("reps", found[2])}


def _result(cell: Cell) -> dict[str, Any]:
    if isinstance(cell, bool):
        return {"result": "made" if cell else "missed"}
    text = _text(cell)
    if not text:
        return {}
    word = re.sub(r"[\s.!！。]+", "", text.casefold())
    if word in _MADE or word in _MISSED:
        return {"result": "made" if word in _MADE else "missed"}
    if found := re.fullmatch(r"(\d{1,3})\s*/\s*(\d{1,3})", text):
        n_made, n = (_count("made", group, 0) for group in found.groups())
        if n_made > n:
            raise _BadCellError(f"result “{text}” has more made than tried")
        return {"n_made": n_made, "n_missed": n - n_made}
    if re.fullmatch(r"-?\d+(?:\.0+)?", text):
        return {"n_made": _count("made", text, 0)}
    raise _BadCellError(f"result “{text[:40]}” is not understood: write made or missed")


def _missed(cell: Cell) -> dict[str, Any]:
    if isinstance(cell, bool):
        return {"result": "missed" if cell else "made"}
    text = _text(cell)
    return {"n_missed": _count("missed", text, 0)} if text else {}


def _remark(cell: Cell) -> dict[str, Any]:
    return {"remark": _text(cell)[:_MAX_REMARK]}


_READ: dict[Field, Callable[[Cell], dict[str, Any]]] = {
    "date": _day,
    "athlete": _name,
    "exercise": _exercise,
    "load_kg": _load,
    "load_lb": lambda cell: _load(cell, _LB_KG),
    "sets": _sets,
    "reps": _reps,
    "scheme": _scheme,
    "result": _result,
    "missed": _missed,
    "remark": _remark,
}
