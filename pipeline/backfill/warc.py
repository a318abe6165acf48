"""WARC files as a source, of CC-NEWS, of our own, of anyone: from a disk or the network, record by record."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from datetime import datetime
from glob import glob, has_magic
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator

from pipeline.archive.read import date_of, response_of
from pipeline.archive.stream import Found, read_stream
from pipeline.backfill.desk import Desk
from pipeline.backfill.intake import Intake, Item, LeaseLostError, count_only, is_of_sites
from pipeline.classify.answers import HTML_TYPES
from pipeline.errors import ConfigError, FetchError
from pipeline.model import Address
from pipeline.store.backfill import Step, Unit, Wanted, job_state
from pipeline.urls import canonical_url

CHUNK = 256 * 1024
PAGES = frozenset({"response"})
ROOM = 2**20
"""Bytes that a record may have beyond the largest page."""


def file_units(targets: Iterable[str]) -> list[tuple[str, str]]:
    """A unit for each file that the user named, patterns resolved; those on disk by their absolute path.

    Raises:
        ConfigError: there is no such file.
    """
    units: list[tuple[str, str]] = []
    for target in targets:
        if urlsplit(target).scheme in {"http", "https"}:
            units.append(("file", target))
            continue
        paths = sorted(glob(target, recursive=True)) if has_magic(target) else [target]  # noqa: PTH207  # as given
        files = [path for path in map(Path, paths) if path.is_file()]
        if not files:
            raise ConfigError(f"{target}: there is no such file")
        units += [("file", str(path.resolve())) for path in files]
    return list(dict.fromkeys(units))


async def read_file(desk: Desk, unit: Unit) -> None:
    """Take in the pages of one WARC file, from where it was left."""
    try:
        if urlsplit(unit.address).scheme in {"http", "https"}:
            await _read_remote(desk, unit)
        else:
            path = Path(unit.address)
            size = await asyncio.to_thread(lambda: path.stat().st_size)
            await _take(desk, unit, _chunks_of(path, unit.position), size)
    except FetchError as error:
        held = await desk.reload(unit)
        await desk.record(held, desk.after(held, error))
    except OSError as error:
        held = await desk.reload(unit)
        await desk.record(held, Step("failed", held.position, reason="unreadable", detail=str(error)))
    except LeaseLostError:
        return


async def _read_remote(desk: Desk, unit: Unit) -> None:
    async with desk.opened(unit.address, unit.position) as download:
        loop = asyncio.get_running_loop()

        async def following() -> bytes:
            return await anext(download.chunks, b"")

        def chunks() -> Iterator[bytes]:
            while chunk := _wait_for(following(), loop):
                yield chunk

        await _take(desk, unit, chunks(), download.size)


def _wait_for(step: Coroutine[Any, Any, bytes], loop: asyncio.AbstractEventLoop) -> bytes:
    return asyncio.run_coroutine_threadsafe(step, loop).result()


async def _take(desk: Desk, unit: Unit, chunks: Iterable[bytes], size: int | None) -> None:
    settings, wanted = desk.context.settings, desk.job.wanted
    records = _sure(read_stream(chunks, unit.position, PAGES, settings.max_bytes + ROOM), unit.position)
    items = (item_of(record, wanted, settings.max_bytes) for record in records)
    if wanted.dry:
        await count_only(desk, unit, items, size)
        return
    left = None
    if wanted.limit is not None:
        state = await desk.context.database.read(job_state, desk.job.id, desk.now)
        left = max(0, wanted.limit - state.counts.get("read", 0))
    await Intake(desk, unit, size, left).run(items)


def _sure(records: Iterator[Found], start: int) -> Iterator[Found]:
    """These records.

    Raises:
        OSError: at their end, where there was none: it is no WARC file, and nobody would want to learn that it is done.
    """
    is_one = start > 0
    for record in records:
        is_one = is_one or record.flaw is None
        yield record
    if not is_one:
        raise OSError("there is no whole WARC record in it")


def item_of(found: Found, wanted: Wanted, max_bytes: int) -> Item:
    """What a record is to a backfill: a page of those that are asked for, or why it is none."""
    if found.flaw is not None:
        return Item(found.end, found.flaw)
    fields = found.fields
    if fields.get("warc-type") not in PAGES:
        return Item(found.end, f"type_{fields.get('warc-type', 'unknown')[:16]}")
    target = fields.get("warc-target-uri", "").strip("<>")
    try:
        url, at = canonical_url(target), date_of(fields.get("warc-date", ""))
    except ValueError:
        return Item(found.end, "unusable")
    if not is_of_sites(url, wanted.sites):
        return Item(found.end, "other_site")
    if at not in wanted.period:
        return Item(found.end, "outside")
    return _page_of(found, url, at, max_bytes)


def _page_of(found: Found, url: str, at: datetime, max_bytes: int) -> Item:
    try:
        with BytesIO(found.data) as record:  # warcio leaves circles of references behind: what they hold goes here
            response = response_of(next(iter(ArchiveIterator(record))), max_bytes)
    except Exception:  # noqa: BLE001  # warcio meets hostile bytes here: one bad record never ends a file
        return Item(found.end, "broken")
    if response.status != 200:
        return Item(found.end, "not_ok")
    if response.content_type not in HTML_TYPES or urlsplit(url).path == "/robots.txt" or not response.body:
        return Item(found.end, "no_page")
    return Item(found.end, address=Address(url, at, "capture"), response=response)


def _chunks_of(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(CHUNK):
            yield chunk
