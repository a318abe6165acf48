"""Candidates for a field, and the choice among them with its provenance."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.model import Provenance

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """A value for a field.

    Attributes:
        source: what said it: ``json-ld``, ``h1``, a meta element's name …
        weight: how much it counts, from 0 to 1 for a single source; equal values add up.
    """

    value: T
    source: str
    weight: float


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """The value that was chosen, and why."""

    value: T
    provenance: Provenance


def choose(candidates: Iterable[Candidate[T]], key: Callable[[T], Hashable]) -> Choice[T] | None:
    """The value with the greatest weight, values with one key counted together; None without candidates.

    Among the members of the winning group the first stands for it: list candidates in the order of their forms'
    quality.
    """
    groups: dict[Hashable, list[Candidate[T]]] = {}
    for candidate in candidates:
        groups.setdefault(key(candidate.value), []).append(candidate)
    if not groups:
        return None
    ranked = sorted(groups.values(), key=lambda group: -sum(member.weight for member in group))
    best, total = ranked[0], sum(member.weight for group in ranked for member in group)
    return Choice(best[0].value, _explain(best, ranked[1:], total))


def _explain(best: list[Candidate[T]], rest: list[list[Candidate[T]]], total: float) -> Provenance:
    """Confidence: the doubt that all agreeing sources err at once, lessened by what disagrees."""
    doubt = 1.0
    for member in best:
        doubt *= 1 - min(member.weight, 0.95)
    share = sum(member.weight for member in best) / total if total else 0.0
    return Provenance(
        source="+".join(dict.fromkeys(member.source for member in best)),
        confidence=round((1 - doubt) * (0.5 + 0.5 * share), 2),
        alternatives=tuple((group[0].source, str(group[0].value)) for group in rest[:5]),
    )
