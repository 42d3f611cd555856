"""Databases: SQLite in the data folder unless an address says otherwise, PostgreSQL by address, and their migrations.

A package that stores something ships its migrations as `<package>/migrations/v<number>_<what>.py`; every package has a
version table of its own, so several may share one database.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from coach.domain.errors import CoachError, DataError, ServiceError, SetupError

FILE_NAME = "liftcoach.db"
BUSY_TIMEOUT_MS = 60_000  # ms that a writer waits for the others
ASK_AGAIN_S = 0.02  # s between two requests that SQLite refuses instead of waiting
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of constraints, so that a migration can change them on every database."""

_DAMAGED = ("not a database", "malformed", "disk image", "file is encrypted")


def data_folder() -> Path:
    """Return the folder of what the user keeps: `LIFTCOACH_DATA`, or `liftcoach` where the platform keeps data."""
    named = os.environ.get("LIFTCOACH_DATA")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "liftcoach"


def open_engine(url: str | None = None) -> Engine:
    """Return a way to a database; nothing is read yet.

    On SQLite a transaction takes the write lock when it begins, so that writers wait for each other instead of
    failing; one of `engine.execution_options(is_reading=True)` does not.

    Args:
        url: Address such as `sqlite:////home/me/texts.db` or `postgresql://me@server/texts`. When left out, the one
            in `LIFTCOACH_DATABASE`, else the file in the data folder.

    Raises:
        SetupError: The address is none, the folder cannot be made, or the driver is not installed.
    """
    address = _address(url or os.environ.get("LIFTCOACH_DATABASE"))
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if find_spec("psycopg") is None:
        raise SetupError("PostgreSQL needs its driver: pip install 'liftcoach[postgres]'")
    return create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": 10})


def _address(url: str | None) -> URL:
    if url is None:
        folder = data_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as problem:
            raise SetupError(
                f"cannot make the data folder {folder}: {problem.strerror}; name another one in LIFTCOACH_DATA"
            ) from problem
        return URL.create("sqlite", database=str(folder / FILE_NAME))
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as problem:
        raise SetupError("the address of the database is none: use sqlite:////path/to/file.db or postgresql://…") from (
            problem
        )
    if backend == "postgresql" and address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in ("sqlite", "postgresql+psycopg"):
        raise SetupError(f"no database '{address.drivername}': use sqlite:////path/to/file.db or postgresql://…")
    return address


def _set_up_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    _write_ahead(connection)
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a log beside the file; SQLite does not wait by itself when several programs ask for that of a new file."""
    until_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > until_s:
                raise
        time.sleep(ASK_AGAIN_S)


def _begin_sqlite(connection: Connection) -> None:
    is_reading = connection.get_execution_options().get("is_reading", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def shown_address(engine: Engine) -> str:
    """Return the address for people: the path of a file, never a password."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        return engine.url.database
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def transaction(engine: Engine, *, is_reading: bool = False) -> Iterator[Session]:
    """Yield a session; what was done is kept when the block ends well, and nothing of it when it does not.

    Raises:
        DataError: The file is damaged.
        ServiceError: The database does not answer, or stays busy.
        SetupError: The place cannot be written.
    """
    bind = engine.execution_options(is_reading=True) if is_reading else engine
    with _clear_errors(engine), Session(bind, expire_on_commit=False) as session, session.begin():
        yield session


def lock(connection: Connection, name: str) -> None:
    """Hold back others who ask for the same lock until the transaction ends; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


@contextmanager
def _clear_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DatabaseError as problem:
        clear = _clear(engine, problem)
        if clear is None:
            raise
        raise clear from problem


def _clear(engine: Engine, problem: DatabaseError) -> CoachError | None:
    """Return what a person can do about a problem of the database; None when it is a bug of ours."""
    said, shown = str(problem.orig).strip().splitlines()[0], shown_address(engine)
    if any(word in said for word in _DAMAGED):
        return DataError(
            f"{shown} is damaged or no database ({said}): move it away and put a backup in its place "
            f"({Path(shown).name}.backup-… beside it), or name another one in LIFTCOACH_DATABASE"
        )
    if not isinstance(problem, OperationalError):
        return None
    if engine.dialect.name != "sqlite":
        return ServiceError(f"the database {shown} gave no answer ({said}): is the server up, and the address right?")
    if "locked" in said:
        return ServiceError(f"{shown} was busy for {BUSY_TIMEOUT_MS // 1000} s: try again when other programs are done")
    if any(word in said for word in ("unable to open", "readonly", "full", "I/O")):
        return SetupError(f"cannot use {shown} ({said}): free some space, allow writing, or set LIFTCOACH_DATABASE")
    return None


def upgrade(engine: Engine, package: str) -> None:
    """Bring the tables of a package up to date: all migrations or none; an SQLite file is copied before.

    Args:
        engine: From `open_engine`.
        package: Name of a package with a folder `migrations`.

    Raises:
        DataError: The file is damaged.
        ServiceError: The database does not answer.
        SetupError: The database was written by a newer version, or its place cannot be written.
    """
    script = _migrations(package)
    with _clear_errors(engine):
        if _is_current(engine, package, script):
            return
        with engine.connect() as connection:
            _mind_foreign_keys(connection, False)  # rebuilding a table must not empty those that refer to it
            try:
                with connection.begin():
                    lock(connection, f"upgrade {package}")
                    _migrate(connection, package, script)
            finally:
                _mind_foreign_keys(connection, True)


def _mind_foreign_keys(connection: Connection, is_on: bool) -> None:
    if connection.dialect.name == "sqlite":  # past SQLAlchemy, because SQLite ignores this within a transaction
        connection.connection.driver_connection.execute(f"PRAGMA foreign_keys={'ON' if is_on else 'OFF'}")  # type: ignore[union-attr]


def _migrations(package: str) -> ScriptDirectory:
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ValueError(f"no package {package}")
    folder = Path(next(iter(spec.submodule_search_locations))) / "migrations"
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


def _context(connection: Connection, package: str) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": f"{package}_version"})


def _is_current(engine: Engine, package: str, script: ScriptDirectory) -> bool:
    with engine.execution_options(is_reading=True).connect() as connection:
        return _context(connection, package).get_current_revision() == script.get_current_head()


def _migrate(connection: Connection, package: str, script: ScriptDirectory) -> None:
    current = _context(connection, package).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise SetupError(
            f"the database {shown_address(connection.engine)} was written by a newer Liftcoach ({package} {current}): "
            "update Liftcoach, or name another database in LIFTCOACH_DATABASE"
        )
    if current == script.get_current_head():
        return  # another program was faster
    if current is not None and connection.dialect.name == "sqlite":
        _back_up(Path(str(connection.engine.url.database)), f"{package}-{current}")

    with EnvironmentContext(
        Config(),
        script,
        fn=lambda revision, _context: script._upgrade_revs("head", revision),  # as `alembic upgrade` does
        destination_rev="head",
    ) as environment:
        environment.configure(
            connection=connection,
            version_table=f"{package}_version",
            render_as_batch=True,
            transactional_ddl=True,
        )
        environment.run_migrations()
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise DataError(f"{shown_address(connection.engine)}: rows refer to others that are gone; nothing was changed")


def _back_up(path: Path, name: str) -> None:
    """Copy an SQLite file as it stands, beside it."""
    copy = path.with_name(f"{path.name}.backup-{name}-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
