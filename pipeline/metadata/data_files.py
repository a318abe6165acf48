"""The tables of this package, read once from the TOML files beside it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load_table(name: str) -> Mapping[str, Any]:
    """The data file of that name."""
    return tomllib.loads((files("pipeline.metadata") / "data" / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def load_agencies() -> Mapping[str, str]:
    """What bylines call agencies, in lower case, and the one name that we store."""
    return {alias: name for name, aliases in load_table("agencies")["names"].items() for alias in aliases}


def name_of_agency(alias: str) -> str:
    """The one name of the agency that a byline calls so; the alias itself where none is known by it."""
    return load_agencies().get(alias.lower().strip("/"), alias)


@cache
def load_words(name: str) -> frozenset[str]:
    """One of the lists of ``bylines.toml``."""
    return frozenset(load_table("bylines")[name])


@cache
def load_endings(name: str) -> tuple[str, ...]:
    """One of the lists of ``bylines.toml`` as `str.endswith` takes it."""
    return tuple(load_table("bylines")[name])
