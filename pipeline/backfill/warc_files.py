"""WARC files as a source, of CC-NEWS, our own or any other: from a disk or the network, record by record."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from glob import glob, has_magic
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.archive.member import parse_warc_date
from pipeline.archive.reader import build_response
from pipeline.archive.record_splitter import StreamRecord
from pipeline.archive.stream import read_stream
from pipeline.backfill.bulk_intake import take_in_unit
from pipeline.backfill.intake_items import IntakeItem
from pipeline.backfill.intake_store import LeaseLostError
from pipeline.backfill.job_runner import JobRunner, is_of_sites
from pipeline.classify.media_types import HTML_TYPES
from pipeline.errors import ArchiveError, ConfigError, FetchError
from pipeline.model import Address
from pipeline.store.backfill.job_values import BackfillRequest, BackfillUnit, UnitStep
from pipeline.urls import canonical_url

CHUNK = 256 * 1024
PAGES = frozenset({"response", "resource"})
OTHERS = frozenset({"warcinfo", "request", "metadata", "revisit", "conversion", "continuation"})
ROOM = 2**20
"""Bytes that a record may have beyond the largest page."""


def plan_file_units(targets: Iterable[str]) -> list[tuple[str, str]]:
    """Make a unit for each file that the user named, with patterns resolved and local paths made absolute.

    Raises ConfigError: there is no such file.
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


async def read_file_unit(runner: JobRunner, unit: BackfillUnit) -> None:
    """Take in the pages of one WARC file, from where the unit was left."""
    try:
        if urlsplit(unit.address).scheme in {"http", "https"}:
            await _read_remote(runner, unit)
        else:
            path = Path(unit.address)
            size = await asyncio.to_thread(lambda: path.stat().st_size)
            await _take(runner, unit, _chunks_of(path, unit.position), size)
    except FetchError as error:
        held = await runner.reload(unit)
        await runner.record(held, runner.after(held, error))
    except (OSError, ArchiveError) as error:
        held = await runner.reload(unit)
        await runner.record(held, UnitStep("failed", held.position, reason="unreadable", detail=str(error)))
    except LeaseLostError:
        return


async def _read_remote(runner: JobRunner, unit: BackfillUnit) -> None:
    async with runner.context.client.open(unit.address, unit.position) as download:
        loop = asyncio.get_running_loop()

        async def following() -> bytes:
            return await anext(download.chunks, b"")

        def chunks() -> Iterator[bytes]:
            while chunk := asyncio.run_coroutine_threadsafe(following(), loop).result():
                yield chunk

        await _take(runner, unit, chunks(), download.size)


async def _take(runner: JobRunner, unit: BackfillUnit, chunks: Iterable[bytes], size: int | None) -> None:
    settings, wanted = runner.context.settings, runner.job.wanted
    records = _require_one(read_stream(chunks, unit.position, PAGES, settings.max_bytes + ROOM), unit.position)
    items = (read_warc_page(record, wanted, settings.max_bytes, runner.now) for record in records)
    await take_in_unit(runner, unit, items, size)


def _require_one(records: Iterator[StreamRecord], start: int) -> Iterator[StreamRecord]:
    """Pass records on.

    Raises OSError: at their end, if there was none: a file that is no WARC file must not count as done.
    """
    is_one = start > 0
    for record in records:
        is_one = is_one or record.flaw is None
        yield record
    if not is_one:
        raise OSError("there is no whole WARC record in it")


def read_warc_page(record: StreamRecord, wanted: BackfillRequest, max_bytes: int, now: datetime) -> IntakeItem:
    """Read a record; gives a page that the request asks for, or the reason why it is skipped.

    A date that cannot be read costs only the date: the page counts as fetched now, and as undated.
    """
    if record.flaw is not None:
        return IntakeItem(record.end, record.flaw)
    try:
        return _read_page(record, wanted, max_bytes, now)
    except Exception:  # noqa: BLE001  # strangers' bytes: one bad record never ends a file
        return IntakeItem(record.end, "broken")


def _read_page(record: StreamRecord, wanted: BackfillRequest, max_bytes: int, now: datetime) -> IntakeItem:
    fields, end = record.fields, record.end
    kind = fields.get("warc-type")
    if kind not in PAGES:
        return IntakeItem(end, f"type_{kind}" if kind in OTHERS else "type_unknown")
    try:
        url = canonical_url(fields.get("warc-target-uri", "").strip("<> "))
    except ValueError:
        return IntakeItem(end, "no_page" if kind == "resource" else "unusable")
    if not is_of_sites(url, wanted.sites):
        return IntakeItem(end, "other_site")
    captured_at = _captured_at(fields)
    if captured_at is None and wanted.period.is_bounded and not wanted.undated:
        return IntakeItem(end, "undated")
    if captured_at is not None and captured_at not in wanted.period:
        return IntakeItem(end, "outside")
    response = build_response(fields, record.block, captured_at or now, max_bytes)
    if response.status != 200:
        return IntakeItem(end, "not_ok")
    if response.content_type not in HTML_TYPES or urlsplit(url).path == "/robots.txt" or not response.body:
        return IntakeItem(end, "no_page")
    return IntakeItem(end, address=Address(url, captured_at, "capture" if captured_at else None), response=response)


def _captured_at(fields: Mapping[str, str]) -> datetime | None:
    try:
        return parse_warc_date(fields.get("warc-date", ""))
    except ValueError:
        return None


def _chunks_of(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(CHUNK):
            yield chunk
