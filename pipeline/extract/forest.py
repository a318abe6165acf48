"""The learned part of selecting the body: a small forest of decision trees, read from a data file.

``forest.json`` is written by ``bench/train_forest.py``. A tree is ``[feature, threshold, left, right]`` or a number;
the sum of the trees is the log-odds that a block belongs to the body.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from pipeline.extract.features import FEATURES

GLANCE = 20
"""Trees after which most blocks of a page (menus, teasers, footers) are decided already."""


class Forest(NamedTuple):
    """Decision trees.

    Attributes:
        names: of the features that they ask for (`pipeline.extract.features.FEATURES`).
        odds: from the columns of these features, in their order, the log-odds of each row.
    """

    names: tuple[str, ...]
    odds: Callable[[Iterable[Sequence[float]]], list[float]]


@cache
def load_forest() -> Forest:
    """The forest that comes with the package."""
    return read_forest((files(__package__) / "forest.json").read_text("utf-8"))


def read_forest(source: str) -> Forest:
    """A forest from its JSON form.

    Its ``hopeless`` are the log-odds after a glance from which no block of a body came back among those it was made of.

    Raises:
        ValueError: it was made for features that there are no longer.
    """
    learned = json.loads(source)
    if unknown := set(learned["names"]) - FEATURES.keys():
        raise ValueError(f"the forest was made for other features: {', '.join(sorted(unknown))}")
    trees = list(map(_expression, learned["trees"]))
    glance, rest = (" + ".join(some) or "0.0" for some in (trees[:GLANCE], trees[GLANCE:]))
    # Walking a hundred trees for each block is a fifth of all the time; as bytecode it takes a sixth of that. Numbers
    # are made floating ones first, since Python compares two of them in a third of the time of one with a whole one.
    numbers = "".join(f"n{index}, " for index in range(len(learned["names"])))
    program = f"""def odds(columns):
    found = []
    for {numbers or "_"} in zip(*(map(float, column) for column in columns)):
        sum = {glance}
        found.append(sum + ({rest}) if sum >= {float(learned["hopeless"])!r} else sum)
    return found"""
    made: dict[str, Any] = {}
    exec(program, made)  # noqa: S102  # made of numbers only
    return Forest(tuple(learned["names"]), made["odds"])


def body_probabilities(forest: Forest, columns: Iterable[Sequence[float]]) -> list[float]:
    """How likely the blocks with these features, of which each is a column, belong to the body, from 0 to 1."""
    return [1 / (1 + math.exp(-max(-60.0, min(60.0, odds)))) for odds in forest.odds(columns)]


def _expression(tree: list[Any] | float) -> str:
    if not isinstance(tree, list):
        return repr(float(tree))
    left, right = map(_expression, tree[2:])
    return f"({left} if n{tree[0]} <= {float(tree[1])!r} else {right})"
