"""Load a page for a command: from its address, a saved file, or the raw archive."""

import gzip
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy.engine import Engine

from pipeline.cli.opening import canonical_argument, require_raw
from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.model import Response
from pipeline.runtime.run import open_client
from pipeline.store.articles.raw_index import list_raw_copies
from pipeline.store.connection.engine import reading
from pipeline.upkeep.raw_copies import read_archived_response
from pipeline.urls import canonical_url


def is_address(source: str) -> bool:
    """Return whether a source is an address rather than a file name."""
    return source.lower().startswith(("http://", "https://"))


def read_saved(path: Path) -> bytes:
    """Read the page in a file, .html or .html.gz. Raises ConfigError when it cannot be read."""
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def load_page_file(path: Path, url: str | None) -> Response:
    """Load the page in a file as if it had just been fetched from ``url``.

    Raises ConfigError: it cannot be read.
    """
    body = read_saved(path)
    address = canonical_url(url or f"http://localhost{path.resolve().as_posix()}")
    return Response(address, 200, {}, body, datetime.now(UTC), timedelta(0))


async def fetch_page(settings: Settings, source: str) -> tuple[Response, str]:
    """Fetch a page; returns it with what robots.txt says about it."""
    url = canonical_url(source)
    async with open_client(settings) as client:
        try:
            robots = await client.robots(url)
        except FetchError as error:
            verdict = f"unreachable ({error})"
        else:
            allowed = "allowed" if robots.text else "allowed, there is none"
            is_allowed = robots.may_fetch(url, settings.user_agent)
            verdict = allowed if is_allowed else "forbidden: a run would not fetch this page"
        return await client.get(url, heed_robots=False), verdict


def list_copies(engine: Engine, url: str) -> list[dict[str, Any]]:
    """List the archived responses of a page or feed, newest first.

    Raises:
        ConfigError: the address is none.
        ClickException: there are none.
    """
    canonical = canonical_argument(url)
    with reading(engine) as connection:
        rows = list_raw_copies(connection, canonical) or list_raw_copies(connection, url)
    if not rows:
        raise click.ClickException(f"there is no archived response of {url}")
    return rows


def load_stored_page(settings: Settings, url: str) -> Response:
    """Load the newest successful archived response of a page.

    Raises:
        ConfigError: none are kept.
        ArchiveError: it cannot be read.
        ClickException: there is none.
    """
    with require_raw(settings) as (engine, folder):
        good = [row for row in list_copies(engine, url) if 200 <= row["status"] < 300]
        if not good:
            raise click.ClickException(f"there is no archived response of {url} but of errors and redirects")
        return read_archived_response(engine, folder, good[0], settings.max_bytes)
