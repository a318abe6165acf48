"""The first units of a job, made from what a user names."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.backfill.archived_feeds import plan_feed_units
from pipeline.backfill.ccnews import plan_month_units
from pipeline.backfill.flow import begin_job
from pipeline.backfill.saved_pages import plan_folder_units
from pipeline.backfill.sitemaps import plan_sitemap_units
from pipeline.backfill.warc_files import plan_file_units
from pipeline.backfill.wayback import plan_query_units
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.periods import Period
from pipeline.store.backfill.job_units import list_queued_units
from pipeline.store.backfill.job_values import BackfillRequest
from pipeline.store.connection.engine import open_archive, reading

Units = list[tuple[str, str]]


def _each(units_of: Callable[[str], Units]) -> Callable[[Iterable[str]], Units]:
    return lambda targets: [unit for target in targets for unit in units_of(target)]


FIRST: Mapping[str, Callable[[Iterable[str]], Units]] = {
    "sitemap": _each(plan_sitemap_units),
    "warc": plan_file_units,
    "html": _each(plan_folder_units),
    "feed": _each(plan_feed_units),
}
"""Functions that make the first units of a source from its targets alone, without a date range or a setting."""


def first_units(settings: Settings, wanted: BackfillRequest) -> Units:
    """Make the first units of a request.

    Raises ConfigError: there is no such source, or nothing is named to begin with.
    """
    if wanted.source == "ccnews":
        return plan_month_units(settings, wanted.targets, wanted.period)
    if not wanted.targets:
        raise ConfigError(f"{wanted.source}: no site, address or file is named")
    if wanted.source == "wayback":
        return plan_query_units(settings, wanted.targets, wanted.period)
    if wanted.source not in FIRST:
        raise ConfigError(f"{wanted.source}: there is no such source")
    return FIRST[wanted.source](wanted.targets)


def begin_day(settings: Settings, params: Mapping[str, Any], since: datetime, until: datetime) -> int:
    """Open the job for one day from the parameters of a form; returns its id.

    The parameters are ``source``, ``site``, ``sites``, ``languages`` and ``limit``.

    Raises ConfigError: the parameters name nothing to begin with.
    """
    period = Period(since.astimezone(UTC), until.astimezone(UTC))
    names = {name: tuple(str(params.get(name) or "").replace(",", " ").split()) for name in ("site", "sites")}
    languages = tuple(str(params.get("languages") or "").lower().replace(",", " ").split())
    wanted = BackfillRequest(params["source"], names["site"], period, names["sites"], languages, params.get("limit"))
    return begin_job(settings, wanted, first_units(settings, wanted)).id


def open_units(settings: Settings, job: int) -> list[int]:
    """The ids of the job's unfinished units in order; ``[0]`` when only pages are left."""
    with open_archive(settings, check_schema=False) as engine, reading(engine) as connection:
        return list_queued_units(connection, job) or [0]
