"""Health checks of an archive: one judgement, with its reason, for each thing that a monitor should know."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import Connection, Engine

from pipeline.config import Limits, Settings
from pipeline.runtime.raw_recorder import open_raw_folder
from pipeline.store.articles.raw_index import count_missing_files
from pipeline.store.connection.engine import reading
from pipeline.store.queries.health import HealthFacts, load_health

Level = Literal["ok", "warning", "critical"]

FEWEST = 5
"""Polls or pages from which on a share of them says something."""

NAMED = 3
"""Silent feeds that a line names; it counts the others."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The result of one check.

    Attributes:
        name: one word to group by, such as ``last_run``.
        message: the finding in a few words, for people.
        value: the number that was judged, in the unit of its limits; None where there is none.
        limits: from where on a warning begins, and from where on it is critical (below which, of ``disk``).
    """

    name: str
    level: Level
    message: str
    value: float | None
    limits: Limits


def check_health(engine: Engine, settings: Settings, now: datetime) -> list[HealthCheck]:
    """Run all checks; the results are in a fixed order."""
    with reading(engine) as connection:
        facts = load_health(connection, now)
        damage = _check_damage(connection, settings)
    return [*judge_facts(facts, settings, now), damage, *_check_disks(settings)]


def judge_facts(facts: HealthFacts, settings: Settings, now: datetime) -> Iterator[HealthCheck]:
    """Yield the results of the checks that the database answers."""
    yield _check_last_run(facts, settings.check_last_run, now)
    overdue = 0.0 if facts.oldest_due_at is None else (now - facts.oldest_due_at).total_seconds()
    message = f"the oldest page that is due has waited for {describe_seconds(overdue)}" if overdue else "no page is due"
    yield _judge("oldest_due", overdue, settings.check_oldest_due, message)
    for name, failed, total, limits in (
        ("polls", facts.failed_polls, facts.polls, settings.check_failing_polls),
        ("pages", facts.failed_pages, facts.pages, settings.check_failing_pages),
    ):
        share = failed / total if total >= FEWEST else 0.0
        yield _judge(f"failing_{name}", share, limits, f"{failed} of the last day's {total} {name} failed")
    yield _judge("gone_feeds", facts.gone_feeds, settings.check_gone_feeds, f"{facts.gone_feeds} feeds are gone")
    silent = facts.silent_feeds
    named = f": {', '.join(silent[:NAMED])}{' …' * (len(silent) > NAMED)}" if silent else ""
    yield _judge(
        "silent_feeds", len(silent), settings.check_silent_feeds, f"{len(silent)} busy feeds fell silent{named}"
    )
    yield _judge(
        "gaps", facts.gaps, settings.check_gaps, f"entries were missed before {facts.gaps} of the last day's polls"
    )
    yield _check_clock(facts, settings.check_clock, now)


def describe_seconds(seconds: float) -> str:
    """Format a duration in the largest unit of which there are two or more."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} seconds"


def _check_last_run(facts: HealthFacts, limits: Limits, now: datetime) -> HealthCheck:
    if not facts.feeds:
        return HealthCheck("last_run", "ok", "there are no feeds to poll", None, limits)
    if facts.last_work_at is None:
        return HealthCheck("last_run", "critical", "nothing was ever polled or fetched", None, limits)
    seconds = max((now - facts.last_work_at).total_seconds(), 0.0)
    return _judge("last_run", seconds, limits, f"the last poll or fetch was {describe_seconds(seconds)} ago")


def _check_clock(facts: HealthFacts, limits: Limits, now: datetime) -> HealthCheck:
    """Compare clocks: after one ran ahead, feeds and pages that are due by it wait until that time."""
    ahead = 0.0 if facts.last_work_at is None else (facts.last_work_at - now).total_seconds()
    differs = 0.0 if facts.database_at is None else abs((facts.database_at - now).total_seconds())
    if ahead > differs:
        message = f"the archive has work of {describe_seconds(ahead)} from now: a clock ran ahead, or this is behind"
    else:
        message = f"the clocks here and at the database differ by {describe_seconds(differs)}"
    return _judge("clock", max(ahead, differs, 0.0), limits, message)


def _check_damage(connection: Connection, settings: Settings) -> HealthCheck:
    """Count what runs and repairs have set aside, and whether the files are there at all; looks at local folders."""
    folder = open_raw_folder(settings)
    if folder is None or not folder.is_local:
        return HealthCheck(
            "damage", "ok", "no archived responses are kept on this machine", None, settings.check_damage
        )
    aside, missing = len(folder.names_aside()), count_missing_files(connection, folder.names())
    message = f"{aside} files of damaged bytes in {folder.folder}"
    if missing:
        message = f"none of the {missing} files with archived responses is in {folder.folder}: is it mounted?"
    return _judge("damage", aside + missing, settings.check_damage, message)


def _check_disks(settings: Settings) -> Iterator[HealthCheck]:
    """Check the disk with the least free space among those of the database and the archived responses."""
    paths = [settings.database_file, settings.archive_place, settings.journal_folder]
    folders = {_existing(Path(path)) for path in paths if path is not None and "://" not in path}
    room = {folder: shutil.disk_usage(folder).free for folder in folders}
    if not room:
        yield HealthCheck("disk", "ok", "nothing is kept on this machine", None, settings.check_disk)
        return
    folder = min(room, key=lambda folder: room[folder])
    message = f"{room[folder] / 2**30:.1f} GiB are free at {folder}"
    yield _judge("disk", room[folder], settings.check_disk, message, is_bad=lambda value, limit: value < limit)


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _judge(
    name: str,
    value: float,
    limits: Limits,
    message: str,
    is_bad: Callable[[float, float], bool] = lambda value, limit: value >= limit,
) -> HealthCheck:
    warning, critical = limits
    level: Level = "critical" if is_bad(value, critical) else "warning" if is_bad(value, warning) else "ok"
    return HealthCheck(name, level, message, value, limits)
