"""Candidates for a field, and the choice among them with its provenance."""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.model import Provenance

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FieldCandidate(Generic[T]):
    """A value for a field.

    Attributes:
        source: what said it: ``json-ld``, ``h1``, a meta element's name …
        weight: how much it counts, from 0 to 1 for a single source; equal values add up.
    """

    value: T
    source: str
    weight: float


@dataclass(frozen=True, slots=True)
class FieldChoice(Generic[T]):
    """The value that was chosen, and why."""

    value: T
    provenance: Provenance


def choose_best(candidates: Iterable[FieldCandidate[T]], key: Callable[[T], Hashable]) -> FieldChoice[T] | None:
    """The value with the greatest weight, values with one key counted together; None without candidates.

    Among the members of the winning group the first stands for it: list candidates in the order of their forms'
    quality.
    """
    groups: dict[Hashable, list[FieldCandidate[T]]] = {}
    for candidate in candidates:
        groups.setdefault(key(candidate.value), []).append(candidate)
    if not groups:
        return None
    ranked = sorted(groups.values(), key=lambda group: -sum(member.weight for member in group))
    best, total = ranked[0], sum(member.weight for group in ranked for member in group)
    share = sum(member.weight for member in best) / total if total else 0.0
    agreeing = [(member.source, min(member.weight, 0.95)) for member in best]
    others = [(group[0].source, str(group[0].value)) for group in ranked[1:]]
    return FieldChoice(best[0].value, explain_choice(agreeing, others, 0.5 + 0.5 * share))


def explain_choice(
    agreeing: Iterable[tuple[str, float]], others: Sequence[tuple[str, str]], lessened: float
) -> Provenance:
    """The provenance of a value, by the sources that agree on it with their weights, and what others say.

    Confidence is the doubt that all agreeing sources err at once, lessened by what disagrees.
    """
    sources, weights = zip(*agreeing, strict=True)
    confidence = (1 - math.prod(1 - weight for weight in weights)) * lessened
    return Provenance("+".join(dict.fromkeys(sources)), round(confidence, 2), tuple(others[:5]))
