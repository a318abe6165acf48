"""Items of a file or a folder of pages, and taking them in as a run or a dry run asks for it."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from pipeline.backfill.job_runner import JobRunner
from pipeline.model import Address, Response
from pipeline.store.articles.bulk_rows import find_archived_urls
from pipeline.store.backfill.job_values import BackfillUnit, UnitStep

DRY = 400
"""Items that a dry run reads of a file; the rest is taken to be like them."""


@dataclass(frozen=True, slots=True)
class IntakeItem:
    """One page or record of a file.

    Attributes:
        end: the position of the unit behind it.
        skipped: why it is not taken in; None for a page that is.
    """

    end: int
    skipped: str | None = None
    address: Address | None = None
    response: Response | None = None


async def estimate_items(runner: JobRunner, unit: BackfillUnit, items: Iterable[IntakeItem], size: int | None) -> None:
    """Record what a dry run makes of a file: counts of its beginning, projected to the whole of it."""
    begun = await asyncio.to_thread(lambda: list(islice(items, DRY)))
    pages = [item.address for item in begun if item.address is not None]
    had = await runner.context.database.read(find_archived_urls, [page.url for page in pages])
    counts = Counter(item.skipped for item in begun if item.skipped)
    new = [page for page in pages if page.url not in had]
    counts |= {"read": len(new), "known": len(pages) - len(new)}
    read = begun[-1].end - unit.position if begun else 0
    share = (size - unit.position) / read if len(begun) == DRY and size and read else 1.0
    runner.findings.bytes += size or 0
    runner.note(new)
    await runner.record(unit, UnitStep(counts={name: round(count * share) for name, count in counts.items()}))
