"""``news rules``: what is known of single sites, and what it changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from pipeline.cli.output import console, json_option, print_json, print_table
from pipeline.cli.saved import read_saved
from pipeline.cli.upkeep import kept
from pipeline.config import Settings
from pipeline.errors import ArchiveError, ConfigError, ExtractError
from pipeline.extract import Explanation, explain_article
from pipeline.model import Article
from pipeline.rules import FIELDS, Rule, load_rules
from pipeline.store.engine import reading
from pipeline.store.reclean import Choice, good_copies, next_pages
from pipeline.upkeep.copies import read_copy
from pipeline.urls import canonical_url


@click.group()
def rules() -> None:
    """Rules of single sites: which elements are the article, which are not, where its fields stand.

    The package has some; NEWS_RULES_DIR names a folder with yours, which win. docs/rules.md has the format.
    """


@rules.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List the rules that are in force.

    \b
    Example:
      news rules list
    """
    book = load_rules(settings.rules_dir).rules
    rows = [_row(rule) for site in sorted(book) for rule in book[site]]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("site", "from", "until", "body", "keep", "drop", "fields", "file"), (tuple(row.values()) for row in rows)
        )


def _row(rule: Rule) -> dict[str, object]:
    return {
        "site": rule.site,
        "valid_from": rule.valid_from and rule.valid_from.isoformat(),
        "valid_until": rule.valid_until and rule.valid_until.isoformat(),
        "body": len(rule.body),
        "keep": len(rule.keep),
        "drop": len(rule.drop),
        "fields": " ".join(rule.fields or ()),
        "file": rule.origin,
    }


@dataclass(frozen=True, slots=True)
class Effect:
    """One page read without the rules of its site, and with them."""

    url: str
    before: Explanation
    after: Explanation

    def differences(self) -> Iterator[tuple[str, str, str]]:
        """Each field and paragraph that the rule changes: (what, without, with)."""
        for name in FIELDS:
            old, new = getattr(self.before.metadata, name), getattr(self.after.metadata, name)
            if old != new:
                yield name, _shown(old), _shown(new)
        old_lines, new_lines = _kept(self.before), _kept(self.after)
        for line in old_lines:
            if line not in set(new_lines):
                yield "text", line, ""
        for line in new_lines:
            if line not in set(old_lines):
                yield "text", "", line


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def _kept(found: Explanation) -> list[str]:
    return found.outcome.text.split("\n\n") if isinstance(found.outcome, Article) else []


@rules.command()
@click.argument("site")
@click.argument("pages", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", help="Address of the page in FILE, where it does not name one itself; default: the site.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Stored pages to read.")
@json_option
@click.pass_obj
def test(
    settings: Settings, site: str, pages: tuple[Path, ...], url: str | None, limit: int, as_json: bool
) -> None:  # fmt: skip
    """Show what the rules of SITE change on its pages: those in FILE (.html, .html.gz), or else stored ones.

    Nothing is written. `news reclean --site SITE` applies the rules to what is stored.

    \b
    Examples:
      news rules test example.org page.html
      NEWS_RULES_DIR=~/rules news rules test example.org --limit 200
    """
    if not load_rules(settings.rules_dir).of_site(site):
        raise ConfigError(f"there is no rule for {site}; `news rules list` shows those that there are")
    found = ((url or f"https://{site}/", read_saved(path), datetime.now(UTC)) for path in pages)
    effects = list(_effects(settings, found if pages else _stored(settings, site, limit)))
    if as_json:
        print_json([{"url": effect.url, "differences": [*effect.differences()]} for effect in effects])
        return
    changed = 0
    for effect in effects:
        if rows := list(effect.differences()):
            changed += 1
            console().print(f"\n[bold]{effect.url}[/bold]")
            print_table(("what", "without the rule", "with it"), rows)
    console().print(f"{len(effects)} pages read, {changed} come out otherwise", markup=False)


def _effects(settings: Settings, pages: Iterable[tuple[str, bytes, datetime]]) -> Iterator[Effect]:
    for address, body, fetched_at in pages:
        try:
            before = explain_article(body, address, rules_dir=None)
            after = explain_article(body, address, fetched_at=fetched_at, rules_dir=settings.rules_dir)
        except ExtractError as error:
            click.echo(f"{error}", err=True)
            continue
        yield Effect(after.outcome.url if urlsplit(address).path == "/" else address, before, after)


def _stored(settings: Settings, site: str, limit: int) -> Iterator[tuple[str, bytes, datetime]]:
    """The newest raw copies of the site's pages; one that cannot be read is told and passed over."""
    engine, place = kept(settings)
    with reading(engine) as connection:
        pages = next_pages(connection, Choice(sites=(site,)), 0, limit)
        copies = [copy for page in pages for copy in good_copies(connection, page, 1)]
    if not copies:
        raise ConfigError(f"no raw copies of {site} are kept: name pages in files")
    for copy in copies:
        try:
            response = read_copy(engine, place, copy.row, settings.max_bytes)
        except ArchiveError as error:
            click.echo(f"{error}", err=True)
            continue
        yield canonical_url(response.url), response.body, response.fetched_at
