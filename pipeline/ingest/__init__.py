"""The flow: poll what is due, fetch what is due, store what comes of it; the clock and the transactions live here.

A run takes on what was due when it began, and what its own polls discover. It may be run any number of times, by any
number of processes on any number of machines at once: all of them claim work from the same database.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.config import Settings
from pipeline.ingest.work_loop import work_through
from pipeline.runtime.events import Event, Listener, Tally, Totals
from pipeline.runtime.run import Clock, complete_run, open_run, recover_leases, utc_now
from pipeline.runtime.stop import Stop
from pipeline.store.connection.engine import open_archive, reading, write
from pipeline.store.feeds.subscriptions import make_feeds_due
from pipeline.store.frontier.due_work import DueWork, Scope, count_due

__all__ = ["DueWork", "Event", "Listener", "Totals", "plan_ingest", "run_ingest"]

KINDS = frozenset({"poll", "crawl"})


def plan_ingest(
    settings: Settings,
    *,
    poll_all: bool = False,
    even_failing: bool = False,
    kinds: frozenset[str] = KINDS,
    now: Clock = utc_now,
) -> DueWork:
    """How much work is due, after putting back what dead workers left behind.

    With ``poll_all``, every active feed is made due first, whatever its interval says; with ``even_failing`` those,
    too, that fail or have gone. The kinds of work are ``poll`` and ``crawl``.

    Raises ConfigError: the database is not there, or not at the schema of this version.
    """
    with open_archive(settings) as engine:
        write(engine, recover_leases, now(), settings.max_attempts)
        if poll_all or even_failing:
            write(engine, make_feeds_due, now(), even_failing=even_failing)
        with reading(engine) as connection:
            return count_due(connection, _scope(settings, kinds, now()), now())


def run_ingest(
    settings: Settings,
    *,
    kinds: frozenset[str] = KINDS,
    max_pages: int | None = None,
    first_hosts: int | None = None,
    goes_on: timedelta | None = None,
    listener: Listener | None = None,
    now: Clock = utc_now,
) -> Totals:
    """Do what is due, and return the counts when nothing is left to do.

    The kinds are ``poll`` for feeds and ``crawl`` for pages. Pages beyond ``max_pages`` stay due. ``listener`` is
    called with every outcome, in the thread of the run.
    No more than ``first_hosts`` are taken on at once in the first half minute: others that start at the same time are
    to have some, too.
    A run that ``goes_on`` takes on what falls due meanwhile, for so long; it ends before only where nothing will in the
    next moments. Such runs follow one another at once, and so the shortest pause between two polls holds to the second.

    Raises:
        ConfigError: the database is not there, or not at the schema of this version.
        sqlalchemy.exc.SQLAlchemyError: the database went away. Nothing is lost: the claims of this run end by
            themselves, and the next run goes on.
    """
    with open_archive(settings) as engine:
        write(engine, recover_leases, now(), settings.max_attempts)
        tally, scope = Tally(listener), replace(_scope(settings, kinds, now()), is_endless=goes_on is not None)

        async def work(stop: Stop) -> None:
            async with open_run(settings, engine, scope, tally, stop, now) as context:
                await work_through(context, max_pages, first_hosts, goes_on)

        complete_run(work)
        return tally.totals


def _scope(settings: Settings, kinds: frozenset[str], until: datetime) -> Scope:
    if not kinds or not kinds <= KINDS:
        raise ValueError(f"kinds must be some of {sorted(KINDS)}, not {sorted(kinds)}")
    return Scope(until=until, max_attempts=settings.max_attempts, poll="poll" in kinds, crawl="crawl" in kinds)
