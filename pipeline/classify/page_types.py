"""Whether a page is an article or something else with a text of its own: a product, a list, a forum.

Learned, as trees over the numbers of a page (`pipeline.classify.page_numbers`). ``page_types.json`` is written by
``bench/train_page_types.py``. A tree is ``[place of a number, threshold, left, right]`` or a number; the sum of the
trees is the log-odds that the page is no article, or of one type among the others.
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from pipeline.classify.page_numbers import NAMES

Tree = list[Any] | float

GLANCE = 150
"""Trees after which most articles are decided."""

SIGNS = 3
"""Numbers that the evidence names: those that speak most for it."""


class TypeModel(NamedTuple):
    """What was learned.

    Attributes:
        names: the numbers that trees ask for, by their places.
        usual: what articles have of each, as a rule.
        trees: that it is no article.
        types: that it is of a type, by its name.
        limit, sure: log-odds from which on a page is no article, and from which on surely none.
        hopeless: log-odds after `GLANCE` trees below which no page came back that was no article.
    """

    names: tuple[str, ...]
    usual: tuple[float, ...]
    trees: tuple[Tree, ...]
    types: Mapping[str, tuple[Tree, ...]]
    limit: float
    sure: float
    hopeless: float


class TypedPage(NamedTuple):
    """What a page is by its numbers, whether hardly an article has such numbers, and which of them say so."""

    page_type: str
    is_sure: bool
    evidence: str


@cache
def load_type_model() -> TypeModel:
    """What comes with the package."""
    return read_type_model((files(__package__) / "page_types.json").read_text("utf-8"))


def read_type_model(source: str) -> TypeModel:
    """What was learned, from its JSON form."""
    return TypeModel(**json.loads(source))


def type_of_numbers(numbers: Sequence[float], model: TypeModel | None = None) -> TypedPage | None:
    """The type of a page with these numbers, in the order of `NAMES`; None for an article."""
    model = model or load_type_model()
    named = dict(zip(NAMES, numbers, strict=True))
    row = [named[name] for name in model.names]
    glance = sum_of(model.trees[:GLANCE], row)
    odds = glance if glance < model.hopeless else glance + sum_of(model.trees[GLANCE:], row)
    if odds < model.limit:
        return None
    best = max(model.types, key=lambda name: sum_of(model.types[name], row))
    return TypedPage(best, odds >= model.sure, f"{1 / (1 + math.exp(-odds)):.3f}, by {', '.join(_signs(model, row))}")


def _signs(model: TypeModel, row: list[float]) -> list[str]:
    """The numbers that speak most for it: without each, as in most articles, how much less likely it were."""
    less = {index: 0.0 for index, (own, usual) in enumerate(zip(row, model.usual, strict=True)) if own != usual}
    changed = row.copy()
    for tree in model.trees:
        said, asked = _walk(tree, row)
        for index in less.keys() & asked:  # the tree says the same whatever it did not ask for
            changed[index] = model.usual[index]
            less[index] += said - _walk(tree, changed)[0]
            changed[index] = row[index]
    signs = sorted(((much, model.names[index], row[index]) for index, much in less.items()), reverse=True)
    return [f"{name.replace('_', ' ')} {number:.3g}" for _, name, number in signs[:SIGNS]]


def _walk(tree: Tree, row: Sequence[float]) -> tuple[float, set[int]]:
    """What a tree says of a row, and the places of the numbers that it asked for."""
    asked, branch = set(), tree
    while isinstance(branch, list):
        asked.add(branch[0])
        branch = branch[2] if row[branch[0]] <= branch[1] else branch[3]
    return branch, asked


def sum_of(trees: Sequence[Tree], row: Sequence[float]) -> float:
    """The sum of what the trees say of a row."""
    total = 0.0
    for tree in trees:
        branch = tree
        while isinstance(branch, list):
            branch = branch[2] if row[branch[0]] <= branch[1] else branch[3]
        total += branch
    return total
