"""The learned part of selecting the body: a small forest of decision trees, read from a data file and walked in Python.

``forest.json`` is written by ``bench/train_forest.py``. A tree is ``[feature, threshold, left, right]`` or a number;
the sum of the trees is the log-odds that a block belongs to the body.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from pipeline.extract.features import NAMES

Tree = tuple[int, float, Any, Any] | float

GLANCE = 11
"""Trees after which most blocks of a page (menus, teasers, footers) are decided already."""


class Forest(NamedTuple):
    """Decision trees over the numbers of a row.

    Attributes:
        hopeless: log-odds after a glance from which no block of a body came back among those it was made of.
    """

    trees: tuple[Tree, ...]
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
    return Forest(tuple(_tree(tree, places) for tree in told["trees"]), told["hopeless"])


def _tree(told: list[Any] | float, places: Sequence[int]) -> Tree:
    if isinstance(told, list):
        return places[told[0]], told[1], _tree(told[2], places), _tree(told[3], places)
    return float(told)


def probability(forest: Forest, row: Sequence[float]) -> float:
    """How likely the block with these features belongs to the body, from 0 to 1."""
    odds = _odds(forest.trees[:GLANCE], row)
    if odds >= forest.hopeless:
        odds += _odds(forest.trees[GLANCE:], row)
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, odds))))


def _odds(trees: Sequence[Tree], row: Sequence[float]) -> float:
    odds = 0.0
    for tree in trees:
        while type(tree) is tuple:
            tree = tree[2] if row[tree[0]] <= tree[1] else tree[3]  # noqa: PLW2901  # walking down
        odds += tree  # type: ignore[operator]  # a leaf
    return odds
