"""``news rules``: the rules of single sites, and what they change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from pipeline.cli.opening import require_raw
from pipeline.cli.options import json_option
from pipeline.cli.output import as_text, print_json, print_line, print_table, report_line
from pipeline.cli.page_sources import read_saved
from pipeline.config import Settings
from pipeline.errors import ArchiveError, ConfigError, ExtractError
from pipeline.extract import Explanation, PageInput, explain_article
from pipeline.model import Article
from pipeline.site_rules import FIELDS, load_rules
from pipeline.store.articles.reclean_queue import CopySelection, list_next_pages, load_good_copies
from pipeline.store.connection.engine import reading
from pipeline.upkeep.raw_copies import read_archived_response
from pipeline.urls import canonical_url


@click.group()
def rules_group() -> None:
    """Rules of single sites: which elements are the article, which are not, where its fields stand.

    The package has some; NEWS_RULES_DIR names a folder with yours, which win. docs/rules.md has the format.
    """


@rules_group.command("list")
@json_option
@click.pass_obj
def rules_list_command(settings: Settings, as_json: bool) -> None:
    """List the rules that are in force.

    \b
    Example:
      news rules list
    """
    book = load_rules(settings.rules_dir).rules
    rows = [
        {
            "site": rule.site,
            "valid_from": rule.valid_from and rule.valid_from.isoformat(),
            "valid_until": rule.valid_until and rule.valid_until.isoformat(),
            "body": len(rule.body),
            "keep": len(rule.keep),
            "drop": len(rule.drop),
            "fields": " ".join(rule.fields or ()),
            "file": rule.origin,
        }
        for site in sorted(book)
        for rule in book[site]
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("site", "from", "until", "body", "keep", "drop", "fields", "file"), (tuple(row.values()) for row in rows)
        )


@dataclass(frozen=True, slots=True)
class RuleEffect:
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


def _kept(explanation: Explanation) -> list[str]:
    outcome = explanation.outcome
    return outcome.text.split("\n\n") if isinstance(outcome, Article) else []


@rules_group.command("test")
@click.argument("site")
@click.argument("pages", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", help="Address of the page in FILE, where it does not name one itself; default: the site.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Stored pages to read.")
@json_option
@click.pass_obj
def rules_test_command(
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
    now, options = datetime.now(UTC), settings.reading_options
    saved = (PageInput(read_saved(path), url or f"https://{site}/", fetched_at=now, **options) for path in pages)
    effects = list(_effects(saved if pages else _stored(settings, site, limit)))
    if as_json:
        print_json([{"url": effect.url, "differences": [*effect.differences()]} for effect in effects])
        return
    changed = 0
    for effect in effects:
        if rows := list(effect.differences()):
            changed += 1
            print_line()
            print_line(as_text(effect.url, "bold"))
            print_table(("what", "without the rule", "with it"), rows)
    print_line(f"{len(effects)} pages read, {changed} come out otherwise")


def _effects(pages: Iterable[PageInput]) -> Iterator[RuleEffect]:
    for page in pages:
        try:
            before, after = explain_article(replace(page, rules_dir=None)), explain_article(page)
        except ExtractError as error:
            report_line(str(error))
            continue
        yield RuleEffect(after.outcome.url if urlsplit(page.url).path == "/" else page.url, before, after)


def _stored(settings: Settings, site: str, limit: int) -> Iterator[PageInput]:
    """Yield the newest archived responses of the site's pages; those that cannot be read are reported and skipped."""
    with require_raw(settings) as (engine, folder):
        with reading(engine) as connection:
            pages = list_next_pages(connection, CopySelection(sites=(site,)), 0, limit)
            copies = [copy for page in pages for copy in load_good_copies(connection, page, 1)]
        if not copies:
            raise ConfigError(f"no archived responses of {site} are kept: name pages in files")
        for copy in copies:
            try:
                response = read_archived_response(engine, folder, copy.row, settings.max_bytes)
            except ArchiveError as error:
                report_line(str(error))
                continue
            yield PageInput(
                response.body,
                canonical_url(response.url),
                fetched_at=response.fetched_at,
                is_announced=copy.page.is_announced,
                **settings.reading_options,
            )
