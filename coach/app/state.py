"""What the pages and routes of one running app share: the store, the queue, the folders, and who is asking."""

import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from coach.app.accounts import Accounts, Brake, Sessions
from coach.app.analysis import Order
from coach.app.meters import Meters
from coach.app.worker import MAX_WAITING, Worker
from coach.domain.base import Record
from coach.domain.errors import CoachError, InputError
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Report
from coach.domain.settings import AnalysisSettings
from coach.session import read_guidances, read_report
from coach.store import EVERYBODY, Store, StoredLift
from corpus.search import Together
from corpus.starter import open_starter
from corpus.store import Store as Texts

if TYPE_CHECKING:
    from corpus.knowledge.library import Library

ME = "me"
"""Who is asking when the app has no accounts."""

OWNER_KEY = "liftcoach.owner"
MAX_UPLOAD_BYTES = 500_000_000  # a minute of 4K from a phone; an analysis reads 1080p and refuses more
DEMO_TITLE = "Example: a simulated snatch"
MODEL_ASKED_AGAIN_S = 20.0  # s until the server of the language model is asked again whether it answers


class Options(Record):
    """What a person says with a clip."""

    settings: AnalysisSettings = AnalysisSettings()
    writer: str = "rules"
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the files of one lift lie."""

    root: Path

    @property
    def clip(self) -> Path:
        """Folder that holds the uploaded clip alone."""
        return self.root / "clip"

    @property
    def analysis(self) -> Path:
        """Folder of the analysis, as `coach analyze` writes it."""
        return self.root / "analysis"


@dataclass(frozen=True, slots=True)
class Analysed:
    """A lift whose analysis is done."""

    stored: StoredLift
    folder: Path
    report: Report
    guidances: dict[int, Guidance]


@dataclass
class App:
    """One running app."""

    folder: Path
    store: Store
    texts: Texts
    worker: Worker
    meters: Meters
    accounts: Accounts | None = None
    sessions: Sessions = field(default_factory=Sessions)
    brake: Brake = field(default_factory=Brake)
    ask_models: Callable[[], tuple[str, ...]] | None = None
    _model_asked: tuple[float, tuple[str, ...]] = (-1e9, ())
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def library(self) -> "Library":
        """Fault texts and phrases, read once."""
        from corpus.knowledge.library import load_library

        return load_library()

    @cached_property
    def all_texts(self) -> Together:
        """The texts that come with the coach and those of this installation, to be searched together."""
        return Together(open_starter(), self.texts)

    def owner_of(self, connection: HTTPConnection) -> str:
        """Return who is asking, as the guard found out."""
        return str(connection.scope[OWNER_KEY])

    def folders(self, lift_id: str) -> Folders:
        """Return where the files of a lift lie."""
        if not re.fullmatch(r"[\w-]+", lift_id):
            raise InputError("there is no such lift: choose one from your list, or load a clip")
        return Folders(self.folder / "lifts" / lift_id)

    def clip_path(self, lift_id: str) -> Path | None:
        """Return the uploaded clip of a lift; None for the demo, whose clip comes with the coach."""
        return next(iter(sorted(self.folders(lift_id).clip.glob("*"))), None)

    def take_clip(self, owner: str, uploaded: Path, options: Options) -> StoredLift:
        """Take an uploaded clip and put it into the queue.

        Raises:
            InputError: The clip is empty or too large, a number is not plausible, or the queue is full.
            SetupError: The database did not take it.
        """
        settings = options.settings.checked()
        n_bytes = uploaded.stat().st_size
        if n_bytes == 0:
            raise InputError(f"{uploaded.name} is empty (0 bytes): save or film it again")
        if n_bytes > MAX_UPLOAD_BYTES:
            raise InputError(
                f"{uploaded.name} has {n_bytes / 1e6:.0f} MB, more than {MAX_UPLOAD_BYTES / 1e6:.0f}: cut it to the lift"
            )
        if self.worker.n_waiting >= MAX_WAITING:
            raise InputError(f"{self.worker.n_waiting} clips are waiting already: try again in a few minutes")
        stored = self.store.add_lift(owner, uploaded.name, options.model_dump(mode="json"))
        folders = self.folders(stored.id)
        folders.clip.mkdir(parents=True)
        clip = folders.clip / uploaded.name
        shutil.move(uploaded, clip)
        self.worker.submit(
            Order(
                lift_id=stored.id,
                clip_path=clip,
                out_dir=folders.analysis,
                settings=settings,
                writer=options.writer,
                language=options.language,
            )
        )
        return stored

    def begin(self) -> None:
        """Mark what an earlier run left unfinished, and have the demo lift analysed if it is not there yet."""
        from coach.app.worker import STOPPED

        self.store.end_unfinished(STOPPED)
        demo = next((lift for lift in self.store.lifts(EVERYBODY) if lift.title == DEMO_TITLE), None)
        if demo is not None and demo.status == "done" and (self.folders(demo.id).analysis / "report.json").is_file():
            return
        if demo is None:
            demo = self.store.add_lift(EVERYBODY, DEMO_TITLE, Options().model_dump(mode="json"), is_shared=True)
        else:
            self.store.set_status(demo.id, "waiting")
        self.worker.submit(
            Order(
                lift_id=demo.id,
                clip_path=None,
                out_dir=self.folders(demo.id).analysis,
                settings=AnalysisSettings(),
            )
        )

    def lifts(self, owner: str) -> list[StoredLift]:
        """Return the lifts in the list of a person, newest first, the demo last."""
        return [lift for lift in self.store.lifts(owner) if not lift.settings.get("only_to_rate")]

    def analysed(self, lift_id: str, owner: str) -> Analysed:
        """Return what was found out about a lift.

        Raises:
            InputError: This person has no such lift, or its analysis is not done.
            DataError: Its files are damaged.
        """
        stored = self.store.lift(lift_id, owner)
        if stored.status != "done":
            raise InputError("this lift has no analysis to talk about yet")
        folder = self.folders(lift_id).analysis
        report = read_report(folder)
        return Analysed(stored, folder, report, read_guidances(folder, report))

    def remove(self, lift_id: str, owner: str) -> None:
        """Forget a lift and remove its files.

        Raises:
            InputError: This person has no such lift.
        """
        self.store.remove_lift(lift_id, owner)
        self.worker.cancel(lift_id)
        shutil.rmtree(self.folders(lift_id).root, ignore_errors=True)

    def models(self) -> tuple[str, ...]:
        """Return the language models that a server offers now; none when no server answers."""
        with self._lock:
            asked, known = self._model_asked
            if self.ask_models is not None and time.monotonic() - asked > MODEL_ASKED_AGAIN_S:
                try:
                    known = self.ask_models()
                except CoachError:
                    known = ()
                self._model_asked = (time.monotonic(), known)
            return known


def options_from(fields: dict[str, Any]) -> Options:
    """Return the options that were stored with a lift."""
    return Options.model_validate({name: fields[name] for name in Options.model_fields if name in fields})
