"""What each source is asked with: the first units of a job, by what a user names."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.backfill.ccnews import month_units
from pipeline.backfill.feeds import feed_units
from pipeline.backfill.run import begin
from pipeline.backfill.saved import folder_units
from pipeline.backfill.sitemaps import target_units
from pipeline.backfill.warc import file_units
from pipeline.backfill.wayback import query_units
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.periods import Period
from pipeline.store.backfill import Wanted, queued_units
from pipeline.store.engine import open_engine, reading

Units = list[tuple[str, str]]


def _each(units_of: Callable[[str], Units]) -> Callable[[Iterable[str]], Units]:
    return lambda targets: [unit for target in targets for unit in units_of(target)]


FIRST: Mapping[str, Callable[[Iterable[str]], Units]] = {
    "sitemap": _each(target_units),
    "warc": file_units,
    "html": _each(folder_units),
    "feed": _each(feed_units),
}
"""The first units of a source, by its targets, where neither a range nor a setting is needed for that."""


def first_units(settings: Settings, wanted: Wanted) -> Units:
    """The first units of what is asked for.

    Raises:
        ConfigError: there is no such source, or nothing is named that it could begin with.
    """
    if wanted.source == "ccnews":
        return month_units(settings, wanted.targets, wanted.period)
    if not wanted.targets:
        raise ConfigError(f"{wanted.source}: no site, address or file is named")
    if wanted.source == "wayback":
        return query_units(settings, wanted.targets, wanted.period)
    if wanted.source not in FIRST:
        raise ConfigError(f"{wanted.source}: there is no such source")
    return FIRST[wanted.source](wanted.targets)


def begin_day(settings: Settings, params: Mapping[str, Any], since: datetime, until: datetime) -> int:
    """Open the job of a day as params of a form ask for it; returns its id.

    Args:
        settings: where the archive is.
        params: ``source``, ``site``, ``sites``, ``languages``, ``limit``.
        since: begin of the day.
        until: its end, itself outside.

    Raises:
        ConfigError: the params name nothing that can be begun with.
    """
    period = Period(since.astimezone(UTC), until.astimezone(UTC))
    names = {name: tuple(str(params.get(name) or "").replace(",", " ").split()) for name in ("site", "sites")}
    languages = tuple(str(params.get("languages") or "").lower().replace(",", " ").split())
    wanted = Wanted(params["source"], names["site"], period, names["sites"], languages, params.get("limit"))
    return begin(settings, wanted, first_units(settings, wanted)).id


def open_units(settings: Settings, job: int) -> list[int]:
    """The ids of the job's units that are not done, in their order; of a job that has none left but pages, one 0."""
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as connection:
            return queued_units(connection, job) or [0]
    finally:
        engine.dispose()
