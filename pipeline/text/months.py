"""The names of months in many languages (``months.toml``)."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def load_months(language: str | None = None) -> Mapping[str, int]:
    """Names of months in lower case and their numbers.

    Those of ``language`` win; of the others, only names that mean one month wherever they are used (*listopad* is
    October in Croatian and November in Polish).
    """
    meanings: dict[str, set[int]] = defaultdict(set)
    own: dict[str, int] = {}
    for code, line in read_month_names().items():
        for number, names in enumerate(line.split(), start=1):
            for name in names.split("/"):
                meanings[name].add(number)
                if code == language:
                    own[name] = number
    return {name: min(numbers) for name, numbers in meanings.items() if len(numbers) == 1} | own


@cache
def read_month_names() -> Mapping[str, str]:
    """Map each language (ISO 639-1) to its months, January to December, separated by spaces; variants by "/"."""
    return tomllib.loads((files(__package__) / "months.toml").read_text(encoding="utf-8"))
