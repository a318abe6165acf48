"""Compare what the sources announced with what the archive holds: counts by source and month, and the holes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.engine import Engine

from pipeline.backfill.flow import begin_job, run_job
from pipeline.backfill.sitemaps import plan_sitemap_units
from pipeline.config import Settings
from pipeline.model import Address
from pipeline.periods import Period
from pipeline.runtime.run import Clock, utc_now
from pipeline.store.backfill.job_values import BackfillRequest
from pipeline.store.backfill.jobs import open_job
from pipeline.store.connection.engine import open_archive, reading, write
from pipeline.store.queries.announced_counts import HOLES, list_announced, load_stands, queue_holes

UNDATED = "undated"


@dataclass(slots=True)
class Completeness:
    """What was announced, and how much of it the archive holds.

    Attributes:
        months: by (source, month), the number of pages in each state.
        holes: announced pages that are missing or failed, by URL.
        is_whole: whether every sitemap could be read.
    """

    months: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    holes: dict[str, Address] = field(default_factory=dict)
    is_whole: bool = True

    def note(self, source: str, address: Address, stand: str) -> None:
        """Count one page."""
        at = address.published_at
        month = at.astimezone(UTC).strftime("%Y-%m") if at is not None else UNDATED
        self.months[source, month][stand] += 1
        if stand in HOLES:
            self.holes.setdefault(address.url, address)


def verify_completeness(settings: Settings, site: str | None, period: Period, *, now: Clock = utc_now) -> Completeness:
    """Compare what feeds and the sitemaps of a site announced with what the ledger says.

    The sitemaps of a site are read again; without a site, all feeds are compared, without any request. The period is
    that of publication.

    Raises ConfigError: the database is not there, or not at the schema of this version.
    """
    account = Completeness()
    with open_archive(settings) as engine:
        host = plan_sitemap_units(site)[0][1].split("/")[2].partition(":")[0] if site else None
        with reading(engine) as connection:
            for feed, published_at, url, stand in list_announced(connection, period, host):
                account.note(feed, Address(url, published_at, "feed"), stand)
        if site is not None:
            wanted = BackfillRequest("sitemap", (site,), period, undated=True, dry=True)
            job = begin_job(settings, wanted, plan_sitemap_units(site), now=now)
            compare = _comparison(engine, account, f"sitemaps of {site}")
            result = run_job(settings, job.id, now=now, collect=compare)
            account.is_whole = result.is_done and not result.troubles
    return account


def _comparison(engine: Engine, account: Completeness, source: str) -> Callable[[Sequence[Address]], None]:
    seen: set[str] = set()

    def compare(addresses: Sequence[Address]) -> None:
        new = [address for address in addresses if address.url not in seen]
        seen.update(address.url for address in new)
        with reading(engine) as connection:
            stands = load_stands(connection, [address.url for address in new])
        for address in new:
            account.note(source, address, stands[address.url])

    return compare


def queue_missing(settings: Settings, account: Completeness, site: str | None, now: datetime) -> tuple[int, int]:
    """Queue the holes behind what is live; returns the id of the job and how many pages wait in it."""
    with open_archive(settings, check_schema=False) as engine:
        job = write(engine, open_job, BackfillRequest("verify", (site or "feeds",)), [], now)
        return job.id, write(engine, queue_holes, account.holes.values(), now, job.id)
