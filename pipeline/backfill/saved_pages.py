"""Saved pages as a source: a folder of ``.html`` and ``.html.gz``, with or without an index of addresses and dates.

The index is a CSV file with a heading or JSON lines, named ``index.csv`` or ``index.jsonl`` in the folder: ``file`` (or
``path``), ``url``, and where it is known ``published_at`` (or ``date``). Without an index, each page has to
name its own address in ``rel=canonical`` or ``og:url``.
"""

import asyncio
import csv
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lxml.etree import _Element

from pipeline.backfill.bulk_intake import take_in_unit
from pipeline.backfill.intake_items import IntakeItem
from pipeline.backfill.intake_store import LeaseLostError
from pipeline.backfill.job_runner import JobRunner, is_of_sites
from pipeline.errors import ConfigError, ExtractError
from pipeline.html.decode import parse_html
from pipeline.model import Address, Response
from pipeline.periods import read_bound
from pipeline.store.backfill.job_values import BackfillRequest, BackfillUnit, UnitStep
from pipeline.urls import canonical_url

SUFFIXES = (".html", ".htm", ".html.gz", ".htm.gz")
INDEXES = ("index.csv", "index.jsonl")


@dataclass(frozen=True, slots=True)
class SavedPage:
    """One page of a folder: its file, and what the index says of it; no file for a line that cannot be read."""

    path: Path | None
    url: str | None = None
    published_at: datetime | None = None


def plan_folder_units(folder: str) -> list[tuple[str, str]]:
    """Make the one unit of a folder. Raises ConfigError when there is no such folder."""
    path = Path(folder)
    if not path.is_dir():
        raise ConfigError(f"{folder}: there is no such folder")
    return [("folder", str(path.resolve()))]


async def read_folder_unit(runner: JobRunner, unit: BackfillUnit) -> None:
    """Take in the pages of a folder in the order of their names, from the first that was not stored yet."""
    wanted, most = runner.job.wanted, runner.context.settings.max_bytes
    try:
        pages = await asyncio.to_thread(list_saved_pages, Path(unit.address))
        items = (
            read_saved_page(page, number, wanted, most) for number, page in enumerate(pages) if number >= unit.position
        )
        await take_in_unit(runner, unit, items, len(pages))
    except (OSError, ConfigError) as error:
        held = await runner.reload(unit)
        await runner.record(held, UnitStep("failed", held.position, reason="unreadable", detail=str(error)))
    except LeaseLostError:
        return


def list_saved_pages(folder: Path) -> list[SavedPage]:
    """List the pages of a folder in order: those of its index, or all files below it that are named like pages.

    Raises ConfigError: its index cannot be read, or there is neither an index nor a page.
    """
    index = next((folder / name for name in INDEXES if (folder / name).is_file()), None)
    if index is None:
        files = (path for path in folder.rglob("*") if path.name.lower().endswith(SUFFIXES) and path.is_file())
        if pages := [SavedPage(path) for path in sorted(files)]:
            return pages
        raise ConfigError(f"there is no page in it ({', '.join(SUFFIXES)})")
    try:
        pages = [_saved(folder, row) if row is not None else SavedPage(None) for row in _rows(index)]
    except ValueError as error:
        raise ConfigError(f"{index}: {error}") from error
    if pages and all(page.path is None for page in pages):
        raise ConfigError(f"{index}: no line of it can be read")
    return pages


def _rows(index: Path) -> Iterator[dict[str, str | None] | None]:
    """The rows of an index; None for a malformed line, which is no reason to lose the others."""
    with index.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        if index.suffix == ".csv":
            rows = csv.DictReader(file)
            while True:
                try:
                    yield next(rows)
                except StopIteration:
                    return
                except csv.Error:
                    yield None
        else:
            yield from (_row(line) for line in file if line.strip())


def _row(line: str) -> dict[str, str | None] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    return {name: value if value is None else str(value) for name, value in row.items()}


def _saved(folder: Path, row: dict[str, str | None]) -> SavedPage:
    named = row.get("file") or row.get("path")
    if not named:
        raise ValueError("a row names no file (columns: file, url, published_at)")
    if "\0" in named:
        return SavedPage(None)
    path = (folder / named).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{named} is not in the folder")
    date = row.get("published_at") or row.get("date")
    try:
        published_at = read_bound(date) if date else None
    except (ValueError, OverflowError):
        published_at = None  # one date that cannot be read is no reason to lose the page
    return SavedPage(path, row.get("url") or None, published_at)


def read_saved_page(page: SavedPage, number: int, wanted: BackfillRequest, max_bytes: int) -> IntakeItem:
    """Read a saved page; gives a page that the request asks for, or the reason why it is skipped."""
    end = number + 1
    if page.path is None:
        return IntakeItem(end, "broken")
    try:
        body = _content(page.path, max_bytes)
        saved_at = datetime.fromtimestamp(page.path.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError, zlib.error, EOFError):
        return IntakeItem(end, "broken")
    if body is None:
        return IntakeItem(end, "too_large")
    if not body.strip():
        return IntakeItem(end, "empty")
    try:
        url = canonical_url(page.url or find_own_address(body) or "")
    except ValueError:
        return IntakeItem(end, "no_address")
    if not is_of_sites(url, wanted.sites):
        return IntakeItem(end, "other_site")
    if wanted.period.is_bounded:
        if page.published_at is None and not wanted.undated:
            return IntakeItem(end, "undated")
        if page.published_at is not None and page.published_at not in wanted.period:
            return IntakeItem(end, "outside")
    response = Response(url, 200, {"content-type": "text/html"}, body, saved_at, timedelta(0))
    return IntakeItem(end, address=Address(url, page.published_at, "index"), response=response)


def find_own_address(body: bytes) -> str | None:
    """The address that a page names as its own; None where it names none."""
    try:
        tree = parse_html(body, None, "http://saved.invalid/").tree
    except ExtractError:
        return None
    return next((url for url in _named_addresses(tree) if url.startswith(("http://", "https://"))), None)


def _named_addresses(tree: _Element) -> Iterator[str]:
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            yield (link.get("href") or "").strip()
    for meta in tree.iter("meta"):
        if (meta.get("property") or "").lower() == "og:url":
            yield (meta.get("content") or "").strip()


def _content(path: Path, max_bytes: int) -> bytes | None:
    """The page, inflated; None if it is larger than the limit."""
    with path.open("rb") as file:
        if not path.name.lower().endswith(".gz"):
            body = file.read(max_bytes + 1)
        else:
            unpack = zlib.decompressobj(wbits=31)
            body = unpack.decompress(file.read(max_bytes), max_bytes + 1)
            if not unpack.eof and len(body) <= max_bytes:
                raise EOFError(f"{path} is cut off")
    return None if len(body) > max_bytes else body
