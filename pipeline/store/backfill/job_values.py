"""What a backfill is asked for, how far it is, and what a step of it brought."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.model import Address
from pipeline.periods import Period

ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What is asked of a backfill.

    Attributes:
        source: ``sitemap``, ``warc``, ``ccnews``, ``wayback``, ``feed``, ``html`` or ``verify``.
        targets: sites, addresses or files.
        sites: only pages of these sites and those below them; empty for all.
        languages: only articles in these; empty for all.
        limit: pages at most; None for any number.
        undated: whether pages are taken of which the source tells no date.
        dry: whether to count only.
    """

    source: str
    targets: tuple[str, ...]
    period: Period = ALWAYS
    sites: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    limit: int | None = None
    undated: bool = False
    dry: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """What is stored of it beside source, targets and period."""
        return {
            "sites": list(self.sites),
            "languages": list(self.languages),
            "limit": self.limit,
            "undated": self.undated,
            "dry": self.dry,
        }

    @property
    def key(self) -> str:
        """The same for the same question."""
        bounds = [bound.isoformat() if bound else None for bound in (self.period.since, self.period.until)]
        text = json.dumps([self.source, sorted(self.targets), bounds, self.options], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class BackfillJob:
    """A backfill that is under way."""

    id: int
    wanted: BackfillRequest
    created_at: datetime
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class BackfillUnit:
    """A part of a job that a worker has claimed; fields as in `pipeline.store.schema.tables.BackfillUnitRow`."""

    id: int
    job_id: int
    kind: str
    address: str
    depth: int = 0
    position: int = 0
    cursor: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class UnitStep:
    """How far a unit has come, and what that brought.

    Attributes:
        state: ``queued`` where there is more of it, ``done`` or ``failed``.
        counts: of this step, by outcome; added to what the unit came to before.
        addresses: pages to be fetched.
        children: units that it leads to: (kind, address).
        due_at: not to be gone on with before this time.
    """

    state: str = "done"
    position: int = 0
    cursor: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    addresses: Sequence[Address] = ()
    children: Sequence[tuple[str, str]] = ()
    reason: str | None = None
    detail: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is.

    Attributes:
        units: number by state.
        waiting: pages in its queue.
        next_unit_at, next_page_at: when the next of each is due that nobody holds; None for none.
        held: whether somebody is at a unit or a page of it.
        counts: the sum of all units' counts.
    """

    units: Mapping[str, int]
    waiting: int
    next_unit_at: datetime | None
    next_page_at: datetime | None
    held: bool
    counts: Mapping[str, int]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return not self.units.get("queued") and not self.waiting
