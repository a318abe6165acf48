"""What a run reports while it goes, and what it came to."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import structlog

from pipeline.runtime.metrics import count_event

log = structlog.get_logger("news")


@dataclass(frozen=True, slots=True)
class Event:
    """One outcome.

    Attributes:
        kind: ``poll``, ``page``, ``unit`` …; ``run`` for what is of the run itself: it is told to end, or nobody
            is reached.
        outcome: one word (`Totals` counts it where it has a field of that name).
        failed: whether something went wrong at the source.
        facts: more, for the log.
    """

    kind: str
    url: str
    outcome: str
    failed: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run came to, in counts.

    ``pages`` is the sum of the outcomes from ``new`` to ``lost``; ``polls`` counts the failed ones too; ``waiting`` is
    how many feeds and pages were left to the next run because of a fault on our side.
    """

    polls: int = 0
    polls_failed: int = 0
    entries_new: int = 0
    entries_changed: int = 0
    pages: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    duplicate: int = 0
    not_modified: int = 0
    rejected: int = 0
    blocked: int = 0
    gone: int = 0
    retry: int = 0
    failed: int = 0
    lost: int = 0
    waiting: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Totals)})


class Tally:
    """Counts events, logs each, and passes it on."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._counts: Counter[str] = Counter()
        self._listener = listener

    @property
    def totals(self) -> Totals:
        """The counts so far."""
        return Totals(**{f.name: self._counts[f.name] for f in fields(Totals)})

    def count(self, event: Event) -> None:
        """Take note of an outcome."""
        if event.kind == "poll":
            self._counts["polls"] += 1
            self._counts["polls_failed"] += event.failed
            self._counts["entries_new"] += event.facts.get("new", 0)
            self._counts["entries_changed"] += event.facts.get("changed", 0)
        elif event.kind == "run" and event.failed:
            self._counts["waiting"] += event.facts.get("feeds", 0) + event.facts.get("pages", 0)
        elif event.kind == "page":
            self._counts["pages"] += 1
            self._counts[event.outcome] += 1

    def report(self, event: Event) -> None:
        """Take note of an outcome, log it, and pass it on."""
        self.count(event)
        count_event(event.kind, event.outcome, event.facts)
        write = log.warning if event.failed else log.info
        write(event.kind, url=event.url, outcome=event.outcome, **event.facts)
        if self._listener is not None:
            self._listener(event)
