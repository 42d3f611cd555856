"""What the coach knows: faults, measure words, phrases, reference values, glossary and body segments, validated once."""

import csv
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from coach.domain.base import Record
from coach.domain.errors import DataError
from coach.domain.guidance import Language
from coach.domain.lift import InstantName, LiftName, Outcome, View
from coach.domain.measures import MEASURES

FOLDER = Path(__file__).parent
LANGUAGES: tuple[Language, ...] = ("en", "zh-Hant", "zh-Hans")
MAX_CUE_WORDS = 8  # words, working memory under a bar; biomechanics of feedback, coach consensus
MAX_CUE_CHARACTERS = 16  # Chinese characters, about eight words

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one reads ten times faster

Confidence = Literal["low", "medium", "high"]
R = TypeVar("R", bound=Record)


class Drill(Record):
    """One exercise: what, sets x reps, and with which load; `lifts` that it suits, all when empty."""

    name: str = Field(min_length=1)
    dose: str = Field(pattern=r"^(\d+|every rep) × \d")
    load: str = Field(min_length=1)
    lifts: tuple[str, ...] = ()

    def line(self, language: Language) -> str:
        """Return the drill as one line, such as `Snatch balance: 4 × 3, empty bar`."""
        colon, comma = (": ", ", ") if language == "en" else ("：", "，")
        return f"{self.name}{colon}{self.dose}{comma}{self.load}"


class FaultText(Record):
    """What the coach says about one fault in one language; `{number}` stands for the measure.

    `aliases` claim the fault, so a text that holds one is refused unless the fault was found; `asked` are wider words
    that only help to understand a question.
    """

    name: str
    aliases: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    strength: str = ""
    absence: str = ""
    observation: str = ""
    consequence: str = ""
    causes: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    drills: tuple[Drill, ...] = ()
    safety: str = ""

    def drill_for(self, lift: LiftName) -> Drill:
        """Return the first drill that suits a lift."""
        return next((drill for drill in self.drills if not drill.lifts or lift in drill.lifts), self.drills[0])

    @property
    def is_complete(self) -> bool:
        """Return whether a whole message can be written from this text."""
        spoken = (self.aliases, self.strength, self.absence, self.consequence, self.causes, self.cues, self.drills)
        return all(spoken) and "{number}" in self.observation


class Threshold(Record):
    """Where a fault begins, in the unit of its record."""

    watch: float
    fault: float


class Fault(Record):
    """One technique fault: how it is judged and what is said about it."""

    id: str
    lifts: tuple[str, ...]
    phase: str
    needs_view: tuple[View, ...]
    needs_catch: bool
    measures: tuple[str, ...]
    variable: str
    rule: str
    threshold: Threshold
    unit: str
    direction: Literal["above", "below", "outside_abs", "equal"]
    reference: Literal["absolute", "own"]
    max_measurement_sd: float | None
    severity: Literal["info", "low", "moderate", "high"]
    evidence: Literal["literature", "literature_direction", "mixed", "rule_book", "coaching_heuristic"]
    confidence: Confidence
    leads_to: tuple[str, ...] = ()
    sources: tuple[str, ...]
    texts: dict[Language, FaultText]

    @property
    def is_measurable(self) -> bool:
        """Return whether this version delivers a measure of this fault."""
        return bool(self.measures)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for measure in self.measures:
            if measure not in MEASURES:
                raise ValueError(f"`measures` names '{measure}', which is no measure")
        if self.measures and self.unit != MEASURES[self.measures[0]].unit:
            raise ValueError(f"`unit` is {self.unit}, but {self.measures[0]} has {MEASURES[self.measures[0]].unit}")
        if self.measures and self.direction == "equal":
            raise ValueError("`direction` equal cannot be judged from a measure")
        rises = self.threshold.fault >= self.threshold.watch
        if (self.direction in ("above", "outside_abs") and not rises) or (self.direction == "below" and rises):
            raise ValueError("`threshold.fault` must lie beyond `threshold.watch`")
        self._check_texts()
        return self

    def _check_texts(self) -> None:
        for language in LANGUAGES:
            text = self.texts.get(language)
            if text is None:
                raise ValueError(f"`texts` lacks {language}")
            if self.measures and not text.is_complete:
                raise ValueError(f"`texts.{language}` lacks a part, and the fault is measurable")
            for cue in text.cues:
                if not is_short(cue, language):
                    raise ValueError(f"`texts.{language}.cues` has one that is too long: {cue}")


class MeasureText(Record):
    """What a measure is called in one language; `words` tie a number in a text to it."""

    name: str
    meaning: str
    words: tuple[str, ...] = Field(min_length=1)


class MeasureWords(Record):
    """The names of one measure; `axis` says which words carry its sign."""

    axis: Literal["fore_aft", "height"] | None = None
    texts: dict[Language, MeasureText]


class InstantText(Record):
    """What an instant is called in one language."""

    name: str
    words: tuple[str, ...] = Field(min_length=1)


class Phrases(Record):
    """Sentences that belong to no single fault, in one language."""

    phrases: dict[str, str]
    instants: dict[InstantName, InstantText]
    outcomes: dict[Outcome, str]
    lifts: dict[LiftName, str]
    views: dict[View, str]

    def say(self, key: str, **values: object) -> str:
        """Return the phrase `key` with its braces filled in."""
        return self.phrases[key].format(**values)


class SourceRecord(Record):
    """Where a fact comes from."""

    citation: str
    address: str
    access: str


class ReferenceValue(Record):
    """A published band or mean; rows of low confidence are never used to judge."""

    variable: str
    measure: str | None
    lift: str
    sex: str
    level: str
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    unit: str
    n: int | None
    source: str
    seen: Literal["page", "memory", "derived"]
    confidence: Confidence
    kind: Literal["range", "mean_only", "mean_sd"]
    note: str | None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.measure is not None and self.measure not in MEASURES:
            raise ValueError(f"`measure` names '{self.measure}', which is no measure")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"`low` {self.low} lies above `high` {self.high}")
        return self


class Term(Record):
    """One row of the glossary; variants are separated by `; `."""

    kind: Literal["term", "unit"]
    en: str
    zh_hant: str
    zh_hant_variants: str | None
    zh_hans: str
    zh_hans_variants: str | None
    needs_native_check: bool


class BodySegment(Record):
    """One row of de Leva's segment table; fractions of body mass and of segment length."""

    segment: str
    sex: Literal["female", "male"]
    proximal_or_cranial_end: str
    distal_or_caudal_end: str
    ref_length_m: float = Field(gt=0)
    mass_fraction: float = Field(gt=0, lt=1)
    com_fraction_from_proximal: float = Field(gt=0, lt=1)
    rg_frac_anteroposterior_axis: float = Field(gt=0, lt=1)
    rg_frac_mediolateral_axis: float = Field(gt=0, lt=1)
    rg_frac_longitudinal_axis: float = Field(gt=0, lt=1)
    count_in_body: int
    definition: str
    confidence: Confidence
    source: str


class Library(Record):
    """Everything the coach knows."""

    faults: dict[str, Fault]
    measures: dict[str, MeasureWords]
    texts: dict[Language, Phrases]
    sources: dict[str, SourceRecord]
    references: tuple[ReferenceValue, ...]
    glossary: tuple[Term, ...]
    segments: tuple[BodySegment, ...]

    def judging_references(self, measure: str, lift: LiftName) -> tuple[ReferenceValue, ...]:
        """Return the bands of one measure good enough to judge with: never a row of low confidence."""
        return tuple(
            row
            for row in self.references
            if row.measure == measure and lift in row.lift.split() and row.confidence != "low"
        )

    def measurable_faults(self) -> tuple[Fault, ...]:
        """Return the faults that this version can measure."""
        return tuple(fault for fault in self.faults.values() if fault.is_measurable)

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        for fault in self.faults.values():
            for name in fault.leads_to:
                if name not in self.faults:
                    raise ValueError(f"faults.yaml: {fault.id}: `leads_to` names '{name}', which is no fault")
            for name in fault.sources:
                if name not in self.sources:
                    raise ValueError(f"faults.yaml: {fault.id}: `sources` names '{name}', which is not in sources.yaml")
        for row in self.references:
            if row.source not in self.sources:
                raise ValueError(f"reference_values.csv: {row.variable}: no source '{row.source}' in sources.yaml")
        missing = sorted(set(MEASURES) - set(self.measures))
        if missing:
            raise ValueError(f"measures.yaml: no words for {', '.join(missing)}")
        return self


def is_short(cue: str, language: Language) -> bool:
    """Return whether a cue can be kept in mind under a bar: eight words, or as many characters in Chinese."""
    if language == "en":
        return len(cue.split()) <= MAX_CUE_WORDS
    return len(cue) <= MAX_CUE_CHARACTERS


@cache
def load_library() -> Library:
    """Return the library that ships with the package, read and validated once.

    Raises:
        DataError: A record is wrong; the message names file and place.
    """
    return read_library(FOLDER)


def read_library(folder: Path) -> Library:
    """Return the library in `folder`.

    Raises:
        DataError: A file is missing or a record is wrong; the message names file and place.
    """
    raw_faults = _read_yaml(folder / "faults.yaml")
    records = raw_faults.get("faults") or []
    faults = [_record(Fault, raw, "faults.yaml", _place(raw, i)) for i, raw in enumerate(records)]
    by_id = {fault.id: fault for fault in faults}
    if len(faults) != len(by_id):
        raise DataError("faults.yaml: an `id` occurs twice; give every fault its own")
    parts = {
        "faults": by_id,
        "measures": _named(MeasureWords, folder / "measures.yaml"),
        "texts": _named(Phrases, folder / "phrases.yaml"),
        "sources": _named(SourceRecord, folder / "sources.yaml"),
        "references": _rows(ReferenceValue, folder / "reference_values.csv"),
        "glossary": _rows(Term, folder / "glossary.csv"),
        "segments": _rows(BodySegment, folder / "de_leva.csv"),
    }
    try:
        return Library.model_validate(parts)
    except ValidationError as problem:
        raise DataError(_first(problem)) from problem


def _place(raw: object, i: int) -> str:
    name = raw.get("id") if isinstance(raw, dict) else None
    return f"fault {i + 1} ({name})"


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(_read_text(path), Loader=_LOADER)
    except yaml.YAMLError as problem:
        raise DataError(f"{path.name}: not valid YAML: {problem}") from problem
    if not isinstance(data, dict):
        raise DataError(f"{path.name}: expected names at the top level, got {type(data).__name__}")
    return data


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as problem:
        raise DataError(f"{path.name} is missing from the knowledge folder: reinstall the package") from problem


def _named(record: type[R], path: Path) -> dict[str, R]:
    return {name: _record(record, raw, path.name, name) for name, raw in _read_yaml(path).items()}


def _rows(record: type[R], path: Path) -> tuple[R, ...]:
    rows = csv.DictReader(_read_text(path).splitlines())
    return tuple(
        _record(record, {k: v or None for k, v in row.items()}, path.name, f"line {line}")
        for line, row in enumerate(rows, start=2)
    )


def _record(record: type[R], raw: object, file_name: str, place: str) -> R:
    try:
        return record.model_validate(raw)
    except ValidationError as problem:
        raise DataError(f"{file_name}: {place}: {_first(problem)}") from problem


def _first(problem: ValidationError) -> str:
    error = problem.errors()[0]
    where = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    return f"`{where}`: {message}, got {error['input']!r}" if where else message
