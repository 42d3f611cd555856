"""An app with a lift that was never filmed, for the tests of its routes and pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coach.app.meters import Meters
from coach.app.state import App
from coach.app.worker import Worker
from coach.store import Store, open_store
from corpus.store import open_store as open_texts
from tests.coach.made_up_lifts import guide, make_lift, make_report


def write_analysis(folder: Path) -> None:
    """Write the files of an analysis whose bar swings forward."""
    lift = make_lift({"bar_forward_loop_m": 0.19})
    report = make_report(lift)
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(report.model_dump_json())
    (folder / "guidance.json").write_text(guide(lift).model_dump_json())
    (folder / "annotated.mp4").write_bytes(b"0123456789" * 10)
    times = [i / 30 for i in range(200)]
    columns = {
        "time_s": times,
        "bar_x_m": [None, *(0.01 * (i % 5) for i in range(199))],
        "bar_y_m": [None, *(min(i, 100) / 100 for i in range(199))],
        "bar_velocity_y_m_s": [None, *(1.0 for _ in range(199))],
        "bar_speed_m_s": [None, *(1.0 for _ in range(199))],
    }
    pq.write_table(pa.table(columns), folder / "tracks.parquet")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store in a file of its own."""
    opened = open_store(f"sqlite:///{tmp_path / 'app.db'}")
    yield opened
    opened.close()


@contextmanager
def app_in(folder: Path) -> Iterator[App]:
    """Yield an app without accounts whose queue runs nothing real."""
    url = f"sqlite:///{folder / 'app.db'}"
    store, texts = open_store(url), open_texts(url)
    worker = Worker(store, command=("false",))
    yield App(folder=folder, store=store, texts=texts, worker=worker, meters=Meters())
    worker.close()
    store.close()
    texts.engine.dispose()


def lift_adder(app: App) -> Callable[..., str]:
    """Return a function that gives a person an analysed lift and returns its id."""

    def add(owner: str = "me") -> str:
        stored = app.store.add_lift(owner, "snatch.mp4", {})
        write_analysis(app.folders(stored.id).analysis)
        app.store.set_status(stored.id, "done")
        return stored.id

    return add


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Return an app of its own."""
    with app_in(tmp_path) as app:
        yield app


@pytest.fixture
def add_lift(app: App) -> Callable[..., str]:
    """Return a function that adds analysed lifts to the app."""
    return lift_adder(app)
