"""Blind pairs of guidance: made from stored lifts by two writers, or read from a file; and the votes as files."""

import csv
import hashlib
import io
import shutil
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from coach import session
from coach.app.state import App
from coach.domain.base import Record
from coach.domain.errors import DataError, InputError
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift, Report
from coach.domain.words import printable
from coach.store import EVERYBODY, Pair, Vote


class PairLine(Record):
    """One line of a file of pairs: two guidances about lift `number` of the analysis in `folder`."""

    id: str
    folder: Path
    number: int = 1
    first: Guidance
    second: Guidance
    first_name: str
    second_name: str


def read_pairs(app: App, path: Path) -> int:
    """Take the pairs of a file for everybody to rate, each analysis once, and return how many were new.

    Raises:
        InputError: The file or an analysis it names is not there.
        DataError: A line is no pair.
    """
    if not path.is_file():
        raise InputError(f"{printable(path)}: no such file of pairs")
    n_new = 0
    for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = PairLine.model_validate_json(text)
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{printable(path)}:{n}: {place}: {first['msg']}") from problem
        folder = line.folder if line.folder.is_absolute() else path.parent / line.folder
        lift_id = _shared_lift(app, folder)
        n_new += app.store.add_pair(
            line.id,
            EVERYBODY,
            lift_id,
            (line.first_name, _said(line.first, line.number)),
            (line.second_name, _said(line.second, line.number)),
        )
    return n_new


def _shared_lift(app: App, folder: Path) -> str:
    """Return the id under which everybody sees an analysis, after copying it if it is new."""
    report = session.read_report(folder)
    title = f"To rate: {report.clip.file_name} {report.clip.sha256[:12]}"
    known = next((lift.id for lift in app.store.lifts(EVERYBODY) if lift.title == title), None)
    if known is not None:
        return known
    stored = app.store.add_lift(EVERYBODY, title, {"only_to_rate": True}, is_shared=True)
    shutil.copytree(folder, app.folders(stored.id).analysis)
    app.store.set_status(stored.id, "done")
    return stored.id


def make_pairs(app: App, owner: str, first: str, second: str) -> int:
    """Have two writers write about every lift of a person, and return how many pairs are new.

    Raises:
        SetupError: There is no such writer.
    """
    from coach.writer import WRITERS

    writers = [WRITERS.load(name) for name in (first, second)]
    n_new = 0
    for stored in app.store.lifts(owner):
        if stored.status != "done":
            continue
        analysed = app.analysed(stored.id, owner)
        language: Language = next((g.language for g in analysed.guidances.values()), "en")
        said = [session.guide(analysed.report, app.library, writer, language, analysed.folder)[0] for writer in writers]
        for number in analysed.guidances:
            a, b = (guidances[number] for guidances in said)
            if _name_of(a) != _name_of(b):  # where the rules had to step in, there is nothing to compare
                key = hashlib.sha256(f"{owner}\n{stored.id}\n{a}\n{b}".encode()).hexdigest()[:32]
                pair = [(_name_of(one), _said(one, number)) for one in (a, b)]
                n_new += app.store.add_pair(key, owner, stored.id, pair[0], pair[1])
    return n_new


def _name_of(guidance: Guidance) -> str:
    return " ".join(part for part in (guidance.writer, guidance.model, guidance.adapter) if part)


def _said(guidance: Guidance, number: int) -> dict[str, Any]:
    return {"number": number, "guidance": guidance.model_dump(mode="json")}


def shown_pair(app: App, pair: Pair) -> tuple[Report, Lift, tuple[Guidance, Guidance]]:
    """Return the report, the lift and the two guidances of a pair in the order in which they are shown.

    Raises:
        InputError: The analysis is not there any more.
    """
    if pair.lift_id is None:
        raise InputError("the lift of this pair is not there any more")
    report = session.read_report(app.folders(pair.lift_id).analysis)
    a, b = pair.shown
    number = int(a["number"])
    lift = next((one for one in report.lifts if one.number == number), None)
    if lift is None:
        raise InputError(f"there is no lift {number} in the clip of this pair")
    return report, lift, (Guidance.model_validate(a["guidance"]), Guidance.model_validate(b["guidance"]))


def votes_csv(votes: list[Vote]) -> str:
    """Return votes as CSV, a line each."""
    out = io.StringIO()
    rows = csv.DictWriter(out, list(Vote.model_fields), lineterminator="\n")
    rows.writeheader()
    rows.writerows(vote.model_dump(mode="json") for vote in votes)
    return out.getvalue()


def votes_jsonl(votes: list[Vote]) -> str:
    """Return votes as JSON, a line each."""
    return "".join(vote.model_dump_json() + "\n" for vote in votes)
