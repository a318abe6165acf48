"""Forgetting by rule, in small transactions."""

from collections.abc import Callable

from sqlalchemy.engine import Engine

from pipeline.archive.place import Place
from pipeline.store.engine import write
from pipeline.store.prune import KINDS, Rules, prune_some
from pipeline.upkeep.copies import purge


def prune(
    engine: Engine, place: Place | None, rules: Rules, progress: Callable[[str, int], None] = lambda kind, done: None
) -> tuple[dict[str, int], list[str]]:
    """Forget what the rules say; returns how much of each kind, and the files that a living process writes to.

    Raises:
        ArchiveError: raw copies cannot be removed; they are marked, and the next time goes on with them.
    """
    done = dict.fromkeys(KINDS, 0)
    for kind in KINDS:
        while some := write(engine, prune_some, rules, kind):
            done[kind] += some
            progress(kind, done[kind])
    return done, purge(engine, place) if place is not None else []
