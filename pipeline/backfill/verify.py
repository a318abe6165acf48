"""Whether the archive holds what its sources announced: counts by source and month, and the holes, to be filled."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.backfill.run import begin, run
from pipeline.backfill.sitemaps import target_units
from pipeline.config import Settings
from pipeline.ingest import Clock, Listener, utc_now
from pipeline.model import Address
from pipeline.periods import Period
from pipeline.store.backfill import Wanted, open_job
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.migrate import require_current
from pipeline.store.verify import HOLES, announced_by_feeds, queue_holes, stand_of

UNDATED = "undated"


@dataclass(slots=True)
class Account:
    """What was announced, and what is held of it.

    Attributes:
        months: by (source, month), numbers by how the pages stand.
        holes: pages that were announced and are missing, or failed; each once.
        is_whole: whether every sitemap could be read.
    """

    months: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    holes: dict[str, Address] = field(default_factory=dict)
    is_whole: bool = True

    def note(self, source: str, address: Address, stand: str) -> None:
        """Count a page."""
        at = address.published_at
        month = at.astimezone(UTC).strftime("%Y-%m") if at is not None else UNDATED
        self.months[source, month][stand] += 1
        if stand in HOLES:
            self.holes.setdefault(address.url, address)


def verify(
    settings: Settings,
    site: str | None,
    period: Period,
    *,
    listener: Listener | None = None,
    now: Clock = utc_now,
) -> Account:
    """Compare what the feeds announced, and with a site what its sitemaps list, with what the ledger says.

    Args:
        settings: where the archive is.
        site: only this site; its sitemaps are read anew. None: all feeds, without any request.
        period: which publications count.
        listener: called with every sitemap that is read.
        now: the clock.

    Raises:
        ConfigError: the database is not there, or not at the schema of this version.
    """
    account = Account()
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        host = target_units(site)[0][1].split("/")[2].partition(":")[0] if site else None
        with reading(engine) as connection:
            for feed, at, url, stand in announced_by_feeds(connection, period, host):
                account.note(feed, Address(url, at, "feed"), stand)
        if site is None:
            return account
        seen: set[str] = set()

        def compare(addresses: Sequence[Address]) -> None:
            new = [address for address in addresses if address.url not in seen]
            seen.update(address.url for address in new)
            with reading(engine) as connection:
                stands = stand_of(connection, [address.url for address in new])
            for address in new:
                account.note(f"sitemaps of {site}", address, stands[address.url])

        wanted = Wanted("sitemap", (site,), period, undated=True, dry=True)
        job = begin(settings, wanted, target_units(site), now=now)
        result = run(settings, job.id, listener=listener, now=now, collect=compare)
        account.is_whole = result.is_done and not result.troubles
        return account
    finally:
        engine.dispose()


def queue(settings: Settings, account: Account, site: str | None, at: datetime) -> tuple[int, int]:
    """Queue the holes behind what is live; returns the id of the job and how many pages wait in it."""
    engine = open_engine(settings.database_url)
    try:
        job = write(engine, open_job, Wanted("verify", (site or "feeds",)), [], at)
        return job.id, write(engine, queue_holes, account.holes.values(), at, job.id)
    finally:
        engine.dispose()
