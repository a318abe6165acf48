"""The learned part of selecting the body: a small forest of decision trees, read from a data file.

``forest.json`` is written by ``bench/train_forest.py``. A tree is ``[feature, threshold, left, right]`` or a number;
the sum of the trees is the log-odds that a block belongs to the body.
"""

import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from pipeline.extract.features import NAMES

GLANCE = 20
"""Trees after which most blocks of a page (menus, teasers, footers) are decided already."""

Sum = Callable[..., float]


class Forest(NamedTuple):
    """Decision trees over the numbers of a row, which they take one by one, as two sums.

    Attributes:
        glance: the sum of the first trees.
        rest: the sum of the others.
        hopeless: log-odds after a glance from which no block of a body came back among those it was made of.
    """

    glance: Sum
    rest: Sum
    hopeless: float


@cache
def load_forest() -> Forest:
    """The forest that comes with the package."""
    return read_forest((files(__package__) / "forest.json").read_text("utf-8"))


def read_forest(source: str) -> Forest:
    """A forest from its JSON form, its features by their place in a row of `pipeline.extract.features`.

    Raises:
        ValueError: it was made for features that there are no longer.
    """
    told = json.loads(source)
    places = [NAMES.index(name) for name in told["names"]]
    trees = [_expression(tree, places) for tree in told["trees"]]
    return Forest(_compiled(trees[:GLANCE]), _compiled(trees[GLANCE:]), float(told["hopeless"]))


def probability(forest: Forest, row: Sequence[float]) -> float:
    """How likely the block with these features belongs to the body, from 0 to 1."""
    odds = forest.glance(*row)
    if odds >= forest.hopeless:
        odds += forest.rest(*row)
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, odds))))


def _expression(tree: list[Any] | float, places: Sequence[int]) -> str:
    if not isinstance(tree, list):
        return repr(float(tree))
    left, right = (_expression(branch, places) for branch in tree[2:])
    return f"({left} if n{places[tree[0]]} <= {float(tree[1])!r} else {right})"


def _compiled(expressions: Sequence[str]) -> Sum:
    # Walking a hundred trees for each block is a fifth of all the time; as bytecode it takes a third of that, and a
    # sixth with the numbers as variables of their own.
    numbers = ", ".join(f"n{place}" for place in range(len(NAMES)))
    total: Sum = eval(f"lambda {numbers}: {' + '.join(expressions) or '0.0'}", {})  # noqa: S307  # made of numbers only
    return total
