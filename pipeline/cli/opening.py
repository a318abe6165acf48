"""Open the database and the raw archive for a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Engine

from pipeline.archive.folder import WarcFolder
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.runtime.raw_recorder import open_raw_folder
from pipeline.store.connection.engine import open_archive
from pipeline.urls import canonical_url


@contextmanager
def open_with_raw(settings: Settings) -> Iterator[tuple[Engine, WarcFolder | None]]:
    """Open the database, and the folder of archived responses; None if none are kept.

    Raises ConfigError: one of them cannot be used.
    """
    with open_archive(settings) as engine:
        yield engine, open_raw_folder(settings)


@contextmanager
def require_raw(settings: Settings) -> Iterator[tuple[Engine, WarcFolder]]:
    """Open the database and the folder of archived responses, for commands that need both.

    Raises ConfigError: one of them cannot be used, or no responses are kept.
    """
    with open_with_raw(settings) as (engine, folder):
        if folder is None:
            raise ConfigError("no responses are kept: NEWS_ARCHIVE_URL says where to keep them")
        yield engine, folder


def canonical_argument(url: str) -> str:
    """Return the canonical form of a URL given on the command line.

    Raises ConfigError: it is no http(s) address.
    """
    try:
        return canonical_url(url)
    except ValueError as error:
        raise ConfigError(f"{url!r}: {error}") from error
