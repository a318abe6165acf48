"""Samples of articles by lot: the same articles each time for a seed, spread evenly over sites, months and the like."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

Stratum = Literal["site", "language", "day", "month", "year", "section"]

STRATA: Final[tuple[Stratum, ...]] = get_args(Stratum)

MAX_SAMPLE: Final = 50_000
"""Articles of a sample: they are named in a statement one by one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is drawn.

    Attributes:
        size: articles in all; fewer where fewer are selected.
        seed: another one draws others.
        strata: what the sample is spread over: each group that there is has the same number of articles, as far as it
            has as many.
    """

    size: int
    seed: int = 0
    strata: tuple[Stratum, ...] = ()


def draw_sample(articles: Iterable[tuple[int, tuple[Any, ...]]], sample: Sample) -> list[int]:
    """The ids of the articles that are drawn, of those given with the group that each is in; in order.

    An article's lot depends on its id and the seed alone, so more articles in the archive change little of a sample.

    >>> draw_sample([(n, ("a" if n < 9 else "b",)) for n in range(11)], Sample(4))
    [5, 7, 9, 10]
    """
    groups: dict[tuple[Any, ...], list[tuple[int, int]]] = defaultdict(list)
    for article_id, group in articles:
        lot = int.from_bytes(hashlib.blake2b(f"{sample.seed} {article_id}".encode(), digest_size=8).digest(), "big")
        # The lowest lots of each group are kept, in a heap with the highest of them first.
        (heapq.heappush if len(groups[group]) < sample.size else heapq.heappushpop)(groups[group], (-lot, article_id))
    ranked = (
        (rank, -lot, article_id)
        for lots in groups.values()
        for rank, (lot, article_id) in enumerate(sorted(lots, reverse=True))
    )
    return sorted(article_id for *_, article_id in heapq.nsmallest(sample.size, ranked))
