"""Which sources brought less than was to be expected, on one day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.tables import PageRow
from pipeline.store.schema.views import VIEWS

_DAILY: Final = next(view for view in VIEWS if view.name == "v_source_daily").table


@dataclass(frozen=True, slots=True)
class SourceDay:
    """A source on one UTC day: pages announced, and what became of them; ``expected`` is None in its first week."""

    source: str
    announced: int
    stored: int
    failed: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class Volume:
    """All sources on a day.

    Attributes:
        last_day: the newest day of the archive; None where it is empty. Where it lies before ``day``, nothing at all
            was announced on ``day``.
    """

    day: date
    last_day: date | None
    sources: Sequence[SourceDay]

    @property
    def is_silent(self) -> bool:
        """Whether no source brought anything, and there were days on which some did."""
        return self.last_day is not None and self.last_day < self.day

    def drops(self, share: float, least: float) -> list[SourceDay]:
        """Sources that stored less than this share of what was expected, the greatest loss first.

        Sources from which fewer than ``least`` articles were to be expected are left out: chance makes small numbers
        smaller.
        """
        fallen = [
            source
            for source in self.sources
            if source.expected is not None and source.expected >= least and source.stored < share * source.expected
        ]
        return sorted(fallen, key=lambda source: (source.stored - (source.expected or 0), source.source))


def find_last_day(connection: Connection) -> date | None:
    """The newest UTC day on which a page was discovered; None where there is no page."""
    # Pages are numbered as they come.
    newest = connection.scalar(sa.select(PageRow.discovered_at).order_by(PageRow.id.desc()).limit(1))
    return None if newest is None else newest.date()


def load_volume(connection: Connection, day: date) -> Volume:
    """What all sources brought on this UTC day, beside what was to be expected (the view v_source_daily)."""
    columns = (_DAILY.c[name] for name in ("source", "announced", "stored", "failed", "expected"))
    rows = connection.execute(sa.select(*columns).where(_DAILY.c.day == day).order_by(_DAILY.c.source))
    sources = [SourceDay(row[0], row[1], row[2], row[3], None if row[4] is None else float(row[4])) for row in rows]
    last_day = day if sources else connection.scalar(sa.select(sa.func.max(_DAILY.c.day)))
    return Volume(day, last_day, sources)
