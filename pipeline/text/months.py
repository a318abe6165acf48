"""The tables of this package, read once from the TOML files beside it."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load_table(name: str) -> Mapping[str, Any]:
    """The data file of that name."""
    return tomllib.loads((files("pipeline.metadata") / "data" / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def load_months(language: str | None = None) -> Mapping[str, int]:
    """Names of months in lower case and their numbers.

    Those of ``language`` win; of the others, only names that mean one month wherever they are used (*listopad* is
    October in Croatian and November in Polish).
    """
    meanings: dict[str, set[int]] = defaultdict(set)
    own: dict[str, int] = {}
    for code, line in load_table("months").items():
        for number, names in enumerate(line.split(), start=1):
            for name in names.split("/"):
                meanings[name].add(number)
                if code == language:
                    own[name] = number
    return {name: min(numbers) for name, numbers in meanings.items() if len(numbers) == 1} | own


@cache
def load_agencies() -> Mapping[str, str]:
    """What by-lines call agencies, in lower case, and the one name that we store."""
    return {alias: name for name, aliases in load_table("agencies")["names"].items() for alias in aliases}


@cache
def load_words(name: str) -> frozenset[str]:
    """One of the lists of ``bylines.toml``."""
    return frozenset(load_table("bylines")[name])
