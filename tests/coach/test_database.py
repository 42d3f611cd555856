"""Databases: where they are, how they are brought up to date, and what is said when one cannot be used."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from coach.database import data_folder, open_engine, shown_address, transaction, upgrade
from coach.domain.errors import DataError, ServiceError, SetupError
from corpus.tables import Base

MIGRATION = '''"""A step."""

from alembic import op

revision = "{number}"
down_revision = {before}


def upgrade() -> None:
    """Take the step."""
    {step}
'''


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'texts.db'}"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of migrations of a package that has one step."""
    folder = tmp_path / "made_up_package" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    add_step(folder, 1, "op.execute('CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT)')")
    return folder


def add_step(folder: Path, number: int, step: str) -> None:
    before = f'"{number - 1}"' if number > 1 else "None"
    (folder / f"v{number}_step.py").write_text(MIGRATION.format(number=number, before=before, step=step))


def test_the_data_folder_is_where_the_user_or_the_platform_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/mei")
    for name in ("LIFTCOACH_DATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert data_folder() == Path("/home/mei/.local/share/liftcoach")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert data_folder() == Path("/data/liftcoach")
    monkeypatch.setenv("LIFTCOACH_DATA", "~/club")
    assert data_folder() == Path("/home/mei/club")


def test_a_database_is_made_in_the_data_folder_and_nobody_else_may_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIFTCOACH_DATABASE", raising=False)
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path / "club"))

    engine = open_engine()
    upgrade(engine, "corpus")

    assert (tmp_path / "club" / "liftcoach.db").is_file()
    assert (tmp_path / "club").stat().st_mode & 0o077 == 0
    engine.dispose()


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine, "corpus")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "corpus_version"})
        difference = compare_metadata(context, Base.metadata)
    engine.dispose()

    assert difference == []


def test_a_file_is_copied_before_it_is_changed_and_not_when_it_is_new(package: Path, url: str, tmp_path: Path) -> None:
    engine = open_engine(url)
    upgrade(engine, "made_up_package")
    with transaction(engine) as session:
        session.execute(text("INSERT INTO parent VALUES (1, 'kept')"))
    assert list(tmp_path.glob("*.backup-*")) == []

    add_step(package, 2, "op.execute('ALTER TABLE parent ADD COLUMN age INTEGER')")
    upgrade(engine, "made_up_package")
    upgrade(engine, "made_up_package")
    engine.dispose()

    (copy,) = tmp_path.glob("texts.db.backup-made_up_package-1-*")
    with closing(sqlite3.connect(copy)) as old, closing(sqlite3.connect(tmp_path / "texts.db")) as new:
        assert old.execute("SELECT * FROM parent").fetchall() == [(1, "kept")]
        assert new.execute("SELECT * FROM parent").fetchall() == [(1, "kept", None)]


def test_a_migration_that_fails_leaves_everything_as_it_was(package: Path, url: str) -> None:
    engine = open_engine(url)
    upgrade(engine, "made_up_package")
    add_step(package, 2, "op.execute('CREATE TABLE half (id INTEGER)'); raise ZeroDivisionError")

    with pytest.raises(ZeroDivisionError):
        upgrade(engine, "made_up_package")

    with transaction(engine, is_reading=True) as session:
        tables = set(session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
        assert session.scalar(text("SELECT version_num FROM made_up_package_version")) == "1"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    assert tables == {"parent", "made_up_package_version"}
    engine.dispose()


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(package: Path, url: str) -> None:
    engine = open_engine(url)
    child = "CREATE TABLE child (parent INTEGER REFERENCES parent(id) ON DELETE CASCADE)"
    add_step(package, 2, f"op.execute('{child}')")
    upgrade(engine, "made_up_package")
    with transaction(engine) as session:
        session.execute(text("INSERT INTO parent VALUES (1, 'a')"))
        session.execute(text("INSERT INTO child VALUES (1)"))

    add_step(package, 3, "batch = op.batch_alter_table('parent', recreate='always')\n    with batch: pass")
    upgrade(engine, "made_up_package")

    with transaction(engine, is_reading=True) as session:
        assert session.execute(text("SELECT * FROM child")).all() == [(1,)]
    engine.dispose()


def test_several_programs_that_start_at_once_migrate_once(url: str) -> None:
    start = threading.Barrier(6)

    def begin(_number: int) -> None:
        engine = open_engine(url)
        start.wait()
        upgrade(engine, "corpus")
        engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(begin, range(6)))

    engine = open_engine(url)
    with transaction(engine, is_reading=True) as session:
        assert len(session.execute(text("SELECT version_num FROM corpus_version")).all()) == 1
        assert session.execute(text("SELECT count(*) FROM corpus_passages")).scalar() == 0
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine, "corpus")
    with transaction(engine) as session:
        session.execute(text("UPDATE corpus_version SET version_num = '99'"))

    with pytest.raises(SetupError, match=r"newer Liftcoach \(corpus 99\): update Liftcoach"):
        upgrade(engine, "corpus")
    engine.dispose()


@pytest.mark.parametrize("content", [b"no database at all" * 300, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_says_so_and_is_left_alone(url: str, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "texts.db"
    path.write_bytes(content)
    engine = open_engine(url)

    with pytest.raises(DataError, match=r"texts\.db is damaged or no database.*backup"):
        upgrade(engine, "corpus")
    engine.dispose()

    assert path.read_bytes() == content


def test_a_file_damaged_in_the_middle_is_reported_when_it_is_read(url: str, tmp_path: Path) -> None:
    engine = open_engine(url)
    upgrade(engine, "corpus")
    engine.dispose()
    path = tmp_path / "texts.db"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))

    engine = open_engine(url)
    with pytest.raises(DataError, match="is damaged"), transaction(engine) as session:
        session.execute(text("SELECT * FROM corpus_passages")).all()
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hello", "address of the database is none"),
        ("/tmp/texts.db", "address of the database is none"),
        ("mysql://me@server/texts", "no database 'mysql'"),
        ("postgresql+nothing://me@server/texts", "no database"),
    ],
)
def test_an_address_that_is_none_says_what_one_looks_like(url: str, said: str) -> None:
    with pytest.raises(SetupError, match=said) as refused:
        open_engine(url)

    assert "sqlite:////path/to/file.db or postgresql://" in str(refused.value)


def test_a_server_that_is_down_is_named_without_the_password() -> None:
    engine = open_engine("postgresql://mei:secret@127.0.0.1:1/texts")

    with pytest.raises(ServiceError, match="gave no answer") as refused:
        upgrade(engine, "corpus")

    assert "secret" not in str(refused.value)
    assert "mei:***@127.0.0.1" in shown_address(engine)


def test_places_that_cannot_be_used_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("LIFTCOACH_DATABASE", raising=False)
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path / "file" / "folder"))
    with pytest.raises(SetupError, match="LIFTCOACH_DATA"):
        open_engine()

    engine = open_engine(f"sqlite:///{tmp_path / 'nowhere' / 'texts.db'}")
    with pytest.raises(SetupError, match=r"cannot use .*texts\.db"):
        upgrade(engine, "corpus")


def test_a_reader_does_not_hold_back_a_writer(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine, "corpus")

    with transaction(engine, is_reading=True) as reader:
        assert reader.scalar(text("SELECT count(*) FROM corpus_duplicates")) == 0
        with transaction(engine) as writer:
            writer.execute(text("UPDATE corpus_version SET version_num = version_num"))
        assert reader.scalar(text("SELECT count(*) FROM corpus_duplicates")) == 0
    engine.dispose()
