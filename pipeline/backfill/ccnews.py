"""CC-NEWS, the Common Crawl's news archive, as a source: the files of each month as its listing names them.

https://commoncrawl.org/news-crawl
"""

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

from pipeline.backfill.job_runner import JobRunner
from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch import ACCEPT_TEXT
from pipeline.parse.document import inflate_body
from pipeline.periods import Period, months_between, period_in_url
from pipeline.store.backfill.job_values import BackfillUnit, UnitStep

LISTING = "crawl-data/CC-NEWS/{year:04}/{month:02}/warc.paths.gz"

FILE_SPAN = timedelta(days=1)
"""How long a file may be written to after the time in its name; an hour or two are usual."""


def plan_month_units(settings: Settings, months: Iterable[str], period: Period) -> list[tuple[str, str]]:
    """Make a unit for the listing of each month: of those named (``2026-03..2026-05``), else of the range.

    Raises ConfigError: a month cannot be read, or none is named.
    """
    try:
        named = [month for text in months for month in months_between(text)] or _months_of(period)
    except ValueError as error:
        raise ConfigError(f"--months: {error}") from error
    if not named:
        raise ConfigError("ccnews: name the months (--months 2026-03..2026-05), or a range with both of its ends")
    base = settings.ccnews_url.rstrip("/") + "/"
    return [("month", urljoin(base, LISTING.format(year=year, month=month))) for year, month in dict.fromkeys(named)]


def _months_of(period: Period) -> list[tuple[int, int]]:
    if period.since is None or period.until is None:
        return []
    last = period.until - timedelta(microseconds=1)
    return months_between(f"{period.since:%Y-%m}..{last:%Y-%m}")


async def read_month_unit(runner: JobRunner, unit: BackfillUnit) -> None:
    """Read the listing of a month: a unit for each of its files that may hold what is asked for."""
    try:
        response = await runner.get(unit, unit.address, ACCEPT_TEXT)
    except FetchError as error:
        await runner.record(unit, runner.after(unit, error))
        return
    try:
        text = inflate_body(response.body).decode("ascii")
    except (UnicodeDecodeError, zlib.error) as error:
        await runner.record(unit, UnitStep("failed", reason="unparsable", detail=str(error)))
        return
    base = runner.context.settings.ccnews_url.rstrip("/") + "/"
    paths = [line.strip() for line in text.splitlines() if line.strip().endswith((".warc.gz", ".warc"))]
    kept = [path for path in paths if may_hold(path, runner.job.wanted.period)]
    counts = {"files": len(kept), "pruned": len(paths) - len(kept)}
    await runner.record(unit, UnitStep(counts=counts, children=[("file", urljoin(base, path)) for path in kept]))


def may_hold(path: str, period: Period) -> bool:
    """Whether a file may hold captures of the period; it was begun at the time in its name.

    >>> may_hold("crawl-data/CC-NEWS/2026/03/CC-NEWS-20260305101500-00007.warc.gz", Period())
    True
    """
    stamp = path.rpartition("CC-NEWS-")[2].partition("-")[0]
    try:
        begin = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return Period(begin, begin + FILE_SPAN).overlaps(period)
    except (ValueError, OverflowError):
        return (named := period_in_url(path)) is None or named.widened(FILE_SPAN).overlaps(period)
