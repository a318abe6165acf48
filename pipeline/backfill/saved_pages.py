"""Saved pages as a source: a folder of ``.html`` and ``.html.gz``, with or without an index of addresses and dates.

The index is a CSV file with a heading or JSON lines, named ``index.csv`` or ``index.jsonl`` in the folder: ``file`` (or
``path``), ``url``, and where it is known ``published_at`` (or ``date``). Without one, a page has to say itself where
it is from: in ``rel=canonical`` or ``og:url``.
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

from pipeline.backfill.desk import Desk
from pipeline.backfill.intake import Intake, Item, LeaseLostError, count_only, is_of_sites
from pipeline.decode import parse_html
from pipeline.errors import ConfigError, ExtractError
from pipeline.model import Address, Response
from pipeline.periods import read_bound
from pipeline.store.backfill import Step, Unit, Wanted, job_state
from pipeline.urls import canonical_url

SUFFIXES = (".html", ".htm", ".html.gz", ".htm.gz")
INDEXES = ("index.csv", "index.jsonl")


@dataclass(frozen=True, slots=True)
class Saved:
    """One page of a folder: its file, and what the index says of it; no file where that line cannot be read."""

    path: Path | None
    url: str | None = None
    published_at: datetime | None = None


def folder_units(folder: str) -> list[tuple[str, str]]:
    """The one unit that a folder is.

    Raises:
        ConfigError: there is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise ConfigError(f"{folder}: there is no such folder")
    return [("folder", str(path.resolve()))]


async def read_folder(desk: Desk, unit: Unit) -> None:
    """Take in the pages of a folder, from the one on that was not yet stored; the order is that of their names."""
    wanted, most = desk.job.wanted, desk.context.settings.max_bytes
    try:
        pages = await asyncio.to_thread(pages_of, Path(unit.address))
        items = (item_of(page, number, wanted, most) for number, page in enumerate(pages) if number >= unit.position)
        if wanted.dry:
            await count_only(desk, unit, items, len(pages))
            return
        left = None
        if wanted.limit is not None:
            state = await desk.context.database.read(job_state, desk.job.id, desk.now)
            left = max(0, wanted.limit - state.counts.get("read", 0))
        await Intake(desk, unit, len(pages), left).run(items)
    except (OSError, ConfigError) as error:
        held = await desk.reload(unit)
        await desk.record(held, Step("failed", held.position, reason="unreadable", detail=str(error)))
    except LeaseLostError:
        return


def pages_of(folder: Path) -> list[Saved]:
    """The pages of a folder in order: those of its index, else all files below it that are named like pages.

    Raises:
        ConfigError: its index cannot be read, or there is neither an index nor a page.
    """
    index = next((folder / name for name in INDEXES if (folder / name).is_file()), None)
    if index is None:
        files = (path for path in folder.rglob("*") if path.name.lower().endswith(SUFFIXES) and path.is_file())
        if pages := [Saved(path) for path in sorted(files)]:
            return pages
        raise ConfigError(f"there is no page in it ({', '.join(SUFFIXES)})")
    try:
        pages = [_saved(folder, row) if row is not None else Saved(None) for row in _rows(index)]
    except (ValueError, csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{index}: {error}") from error
    if pages and all(page.path is None for page in pages):
        raise ConfigError(f"{index}: no line of it is a JSON object")
    return pages


def _rows(index: Path) -> Iterator[dict[str, str | None] | None]:
    """The rows of an index; None for a line that is none: one bad line is no reason to lose the others."""
    with index.open(encoding="utf-8-sig", newline="") as file:
        if index.suffix == ".csv":
            yield from csv.DictReader(file)
        else:
            yield from (_row(line) for line in file if line.strip())


def _row(line: str) -> dict[str, str | None] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    return {name: value if value is None else str(value) for name, value in told.items()}


def _saved(folder: Path, row: dict[str, str | None]) -> Saved:
    named = row.get("file") or row.get("path")
    if not named:
        raise ValueError("a row names no file (columns: file, url, published_at)")
    path = (folder / named).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{named} is not in the folder")
    told = row.get("published_at") or row.get("date")
    try:
        published_at = read_bound(told) if told else None
    except ValueError:
        published_at = None  # one date that cannot be read is no reason to lose the page
    return Saved(path, row.get("url") or None, published_at)


def item_of(page: Saved, number: int, wanted: Wanted, max_bytes: int) -> Item:
    """What a saved page is to a backfill: a page of those that are asked for, or why it is none."""
    end = number + 1
    if page.path is None:
        return Item(end, "broken")
    try:
        body = _content(page.path, max_bytes)
        saved_at = datetime.fromtimestamp(page.path.stat().st_mtime, UTC)
    except (OSError, zlib.error, EOFError):
        return Item(end, "broken")
    if body is None:
        return Item(end, "too_large")
    if not body.strip():
        return Item(end, "empty")
    try:
        url = canonical_url(page.url or named_by(body) or "")
    except ValueError:
        return Item(end, "no_address")
    if not is_of_sites(url, wanted.sites):
        return Item(end, "other_site")
    if wanted.period.is_bounded:
        if page.published_at is None and not wanted.undated:
            return Item(end, "undated")
        if page.published_at is not None and page.published_at not in wanted.period:
            return Item(end, "outside")
    response = Response(url, 200, {"content-type": "text/html"}, body, saved_at, timedelta(0))
    return Item(end, address=Address(url, page.published_at, "index"), response=response)


def named_by(body: bytes) -> str | None:
    """The address that a page gives itself; None where it gives none."""
    try:
        tree = parse_html(body, None, "http://saved.invalid/").tree
    except ExtractError:
        return None
    return next((found for found in _named(tree) if found.startswith(("http://", "https://"))), None)


def _named(tree: _Element) -> Iterator[str]:
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            yield (link.get("href") or "").strip()
    for meta in tree.iter("meta"):
        if (meta.get("property") or "").lower() == "og:url":
            yield (meta.get("content") or "").strip()


def _content(path: Path, max_bytes: int) -> bytes | None:
    """The page, inflated; None where it is larger than it may be."""
    with path.open("rb") as file:
        if not path.name.lower().endswith(".gz"):
            body = file.read(max_bytes + 1)
        else:
            unpack = zlib.decompressobj(wbits=31)
            body = unpack.decompress(file.read(max_bytes), max_bytes + 1)
            if not unpack.eof and len(body) <= max_bytes:
                raise EOFError(f"{path} is cut off")
    return None if len(body) > max_bytes else body
