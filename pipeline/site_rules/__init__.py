"""What is known of single sites: which of their elements are the article, which are not, where its fields stand.

One TOML file for each site, named after its host (subdomains included): those of this package, and those of the
user's folder (``NEWS_RULES_DIR``), which take the place of ours of the same name. A file holds one table ``[[rule]]``
for each time in which the site's pages were made alike; docs/rules.md has the format.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml.etree import _Element

from pipeline.errors import ConfigError
from pipeline.html.structured_data import Structured
from pipeline.site_rules.selectors import FieldSource, Selector, compile_selector, compile_source
from pipeline.urls import without_www

__all__ = ["FIELDS", "Rule", "SiteRuleBook", "load_rules"]

FIELDS = ("title", "authors", "published_at", "modified_at", "section", "tags", "description", "image")
"""The fields that a rule can name sources for."""

_KEYS = {"valid_from", "valid_until", "body", "keep", "drop", "fields", "extractor"}
_EXTRACTORS = ("news", "trafilatura")


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the pages of a site that were fetched in a certain time.

    Attributes:
        site: host name; pages of its subdomains are meant too.
        origin: the file that the rule is from.
        body: where the text stands, and nothing outside of it; `keep`: what belongs to it too;
            `drop`: what does not.
        extractor: who chooses the text where there is no ``body``; None for the one that is set.
        valid_from, valid_until: first day of fetching, and the day after the last; None where it is open.
    """

    site: str
    origin: str
    valid_from: date | None = None
    valid_until: date | None = None
    body: tuple[Selector, ...] = ()
    keep: tuple[Selector, ...] = ()
    drop: tuple[Selector, ...] = ()
    fields: Mapping[str, tuple[FieldSource, ...]] | None = None
    extractor: str | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the rule is meant for pages fetched on this day."""
        return (self.valid_from or date.min) <= day and (self.valid_until is None or day < self.valid_until)

    def given(self, tree: _Element, structured: Structured) -> dict[str, tuple[str, tuple[str, ...]]]:
        """For each field that the rule finds in the page: the source that named it, and the values as written."""
        fields: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, sources in (self.fields or {}).items():
            for source in sources:
                if values := source.read(tree, structured):
                    fields[name] = (source.text, values)
                    break
        return fields


@dataclass(frozen=True, slots=True)
class SiteRuleBook:
    """All rules, by site."""

    rules: Mapping[str, tuple[Rule, ...]]

    def of_site(self, host: str) -> tuple[Rule, ...]:
        """The rules of the nearest site above or at this host."""
        labels = without_www(host.lower()).split(".")
        for start in range(len(labels)):
            if rules := self.rules.get(".".join(labels[start:])):
                return rules
        return ()

    def for_page(self, url: str, fetched_at: datetime | None = None) -> Rule | None:
        """The rule that holds for a page; without a time, the one that is still open."""
        if not self.rules:
            return None
        day = fetched_at.date() if fetched_at else date.max
        rules = self.of_site(urlsplit(url).hostname or "")
        return next((rule for rule in rules if rule.holds_on(day)), None)


@cache
def load_rules(folder: str = "") -> SiteRuleBook:
    """The rules of the package and of the user's folder, which win; read once in each process.

    Raises ConfigError: there is no such folder, or one of its files is no such rule; the message says which and
    why.
    """
    own = Path(folder).expanduser() if folder else None
    if own is not None and not own.is_dir():
        raise ConfigError(f"NEWS_RULES_DIR={folder}: there is no such folder")
    files: dict[str, Traversable] = {}
    for root in filter(None, (resources.files(__name__), own)):
        for file in sorted(root.iterdir(), key=lambda each: each.name):
            if file.name.endswith(".toml"):
                files[file.name.removesuffix(".toml").lower()] = file
    return SiteRuleBook({site: tuple(_read(site, file)) for site, file in files.items()})


def reload_rules(folder: str = "") -> None:
    """Have this process read the rules again, as they are now. Raises ConfigError as `load_rules` does."""
    load_rules.cache_clear()
    load_rules(folder)


def _read(site: str, file: Traversable) -> Iterator[Rule]:
    try:
        for table in _tables(file.read_text(encoding="utf-8")):
            yield _rule(site, str(file), table)
    except (ValueError, OSError) as error:
        raise ConfigError(f"{file}: {error}") from error


def _tables(text: str) -> list[dict[str, Any]]:
    tables = tomllib.loads(text)
    rules = tables.pop("rule", None)
    if tables or not isinstance(rules, list) or not rules:
        raise ValueError("it should hold tables [[rule]] and nothing else")
    return rules


def _rule(site: str, origin: str, table: Mapping[str, Any]) -> Rule:
    if unknown := set(table) - _KEYS:
        raise ValueError(f"{', '.join(sorted(unknown))}: a rule has {', '.join(sorted(_KEYS))}")
    fields = table.get("fields", {})
    if unknown := set(fields) - set(FIELDS):
        raise ValueError(f"{', '.join(sorted(unknown))}: the fields are {', '.join(FIELDS)}")
    extractor = table.get("extractor")
    if extractor is not None and (extractor not in _EXTRACTORS or "body" in table):
        raise ValueError(f"extractor should be one of {', '.join(_EXTRACTORS)}, in a rule without body")
    return Rule(
        site=site,
        origin=origin,
        valid_from=_day(table, "valid_from"),
        valid_until=_day(table, "valid_until"),
        body=tuple(map(compile_selector, _texts(table, "body"))),
        keep=tuple(map(compile_selector, _texts(table, "keep"))),
        drop=tuple(map(compile_selector, _texts(table, "drop"))),
        extractor=extractor,
        fields={name: tuple(map(compile_source, _texts(fields, name))) for name in fields},
    )


def _day(table: Mapping[str, Any], key: str) -> date | None:
    value = table.get(key)
    if value is None or type(value) is date:
        return value
    raise ValueError(f"{key} should be a day, such as {key} = 2025-01-31")


def _texts(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key, [])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    raise ValueError(f'{key} should be a list of texts, such as {key} = ["div.body"]')
