"""Corpora to test with: made-up passages, a store on SQLite, and one on a private PostgreSQL where it is installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from coach.database import open_engine
from coach.domain.passage import Document, Passage, Tags
from corpus.store import Added, Store, open_store

MakeDocument = Callable[..., tuple[Document, tuple[Passage, ...]]]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def made_document(name: str, *texts: str, licence: str | None = "CC-BY-4.0", **of_each: Any) -> Any:
    """Return a document and its passages; `of_each` goes to every passage."""
    document = Document(
        id=_digest(name)[:16],
        title=name.title(),
        file_name=f"{name}.md",
        sha256=_digest(name),
        language="en",
        licence=licence,
    )
    passages = tuple(
        Passage(
            **{
                "id": _digest(f"{name} {i} {words}")[:16],
                "document_id": document.id,
                "text": words,
                "sha256": _digest(words),
                "language": "en",
                "place": f"part {i + 1}",
                "licence": licence,
                "tags": Tags(lifts=("snatch",)),
            }
            | of_each
        )
        for i, words in enumerate(texts)
    )
    return document, passages


@pytest.fixture
def make_document() -> MakeDocument:
    return made_document


def find_none(_texts: Any) -> list[tuple[int, int, float]]:
    """Find nothing alike."""
    return []


@pytest.fixture
def add_document() -> Callable[..., Added]:
    """Return a function that makes a document up and adds it, without comparing passages."""

    def add(store: Store, name: str, *texts: str, **more: Any) -> Added:
        document, passages = made_document(name, *texts, **more)
        return store.add(document, passages, find_near=find_none)

    return add


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the address of a PostgreSQL server of our own, which ends with the tests."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("PostgreSQL is not installed here: apt-get install postgresql")
    programs = Path(initdb).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="liftcoach-pg-"))  # a short path, because a socket's name is limited
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def run(program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **user,
        )

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "coach", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=50"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://coach@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres(postgres_url: str) -> str:
    """Return the address of a PostgreSQL database without tables."""
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'texts.db'}"
    return str(request.getfixturevalue("empty_postgres"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Return an empty corpus, on each kind of database in turn."""
    store = open_store(database_url)
    yield store
    store.engine.dispose()
