"""``news feeds add``, ``import`` and ``discover``: new subscriptions."""

import sys
from datetime import UTC, datetime
from typing import Any, BinaryIO

import click

from pipeline.cli.feeds.credential_options import access_options, read_change
from pipeline.cli.feeds.first_looks import drop_no_feeds
from pipeline.cli.feeds.subscribing import subscribe
from pipeline.cli.options import json_option
from pipeline.cli.output import print_json, print_table, report_line
from pipeline.config import Settings
from pipeline.discover import FeedCandidate
from pipeline.discover.site_feeds import discover_feeds_of
from pipeline.errors import ConfigError
from pipeline.model import Subscription
from pipeline.parse.opml import read_subscriptions


@click.command("add")
@click.argument("urls", nargs=-1, required=True)
@click.option("--title", help="Title to show instead of the feed's own (one URL only).")
@click.option("--tag", "tags", multiple=True, help="Label; may be given several times.")
@click.option("--check/--no-check", default=True, help="Whether to look first at what is there (the default).")
@access_options
@click.pass_obj
def feeds_add_command(
    settings: Settings,
    /,
    urls: tuple[str, ...],
    title: str | None,
    tags: tuple[str, ...],
    check: bool,
    **given: Any,  # noqa: ANN401  # the options of access_options
) -> None:
    """Subscribe to the feeds at URLS; each is due at once.

    Each that is new is looked at once first, as its robots.txt allows, and what is there is said. One that has answered
    and is no feed, such as a web page or 404, is not added, and the exit code is 1; one that does not answer is.

    Headers, cookies, user agent and password are sent to the feed's own server alone (see `news feeds set --help`).

    \b
    Examples:
      news feeds add https://www.theguardian.com/world/rss
      news feeds add --tag science --tag en https://www.nature.com/nature.rss
      news feeds add https://paper.example/subscribers.rss --auth reader --pages
      news feeds add --no-check https://intranet.example/feed
    """
    if title and len(urls) > 1:
        raise click.UsageError("--title goes with one URL")
    feeds = [Subscription(url=url.strip(), title=title, tags=tags) for url in urls]
    change = read_change(**given)
    wanted = drop_no_feeds(settings, feeds, change) if check else feeds
    if wanted:
        subscribe(settings, wanted, change=change)
    if len(wanted) < len(feeds):
        click.get_current_context().exit(1)


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def feeds_import_command(settings: Settings, file: BinaryIO) -> None:
    """Subscribe to the feeds in FILE: OPML, or plain text with an address a line; - reads standard input.

    What is usable is taken, what is not is named, and the exit code is 1.

    \b
    Examples:
      news feeds import examples/feeds.opml
      grep bbc feeds.txt | news feeds import -
    """
    listed = read_subscriptions(file.read(), getattr(file, "name", "-"))
    if not listed.feeds:
        raise ConfigError(f"{file.name}: no feed in it")
    subscribe(settings, listed.feeds)
    for name in listed.unusable:
        report_line(f"left out: {name} is no http(s) address")
    if listed.flaw:
        report_line(f"{file.name} is malformed, and may have more feeds than were read: {listed.flaw}")
    if listed.unusable or listed.flaw:
        click.get_current_context().exit(1)


@click.command("discover")
@click.argument("url")
@click.option("--add", "choice", metavar="all|N,N…", help="Subscribe to these of the feeds found, by their numbers.")
@json_option
@click.pass_obj
def feeds_discover_command(settings: Settings, url: str, choice: str | None, as_json: bool) -> None:
    """Find the feeds and news sitemaps of the site that URL is a page of, and subscribe to those you choose.

    Looks at what the page announces and links to, at common paths and at robots.txt; politely, so that it may take a
    minute. On a terminal it asks which feeds to add.

    \b
    Examples:
      news feeds discover example.org
      news feeds discover https://example.org/politics --add 1,3
      news feeds discover example.org --json | jq -r '.[].url'
    """
    candidates = discover_feeds_of(settings, url)
    if not candidates:
        raise click.ClickException(f"no feed found at {url}: it announces none, and none is at a common path")
    if as_json:
        print_json([candidate.as_dict() for candidate in candidates])
    else:
        _print(candidates)
        if choice is None and sys.stdin.isatty() and sys.stdout.isatty():
            choice = click.prompt("Add which? (numbers, all, or nothing)", default="", show_default=False)
    if choice:
        chosen = [Subscription(url=candidates[index].url) for index in _parse_choice(choice, len(candidates))]
        subscribe(settings, chosen, quiet=as_json)


def _parse_choice(choice: str, count: int) -> list[int]:
    """Return the chosen indexes, counted from 0, for numbers counted from 1.

    Raises ConfigError: there are no such numbers.
    """
    if choice.strip().lower() == "all":
        return list(range(count))
    words = choice.replace(",", " ").split()
    if not all(word.isdecimal() and 0 < int(word) <= count for word in words):
        raise ConfigError(f"{choice!r}: give numbers from 1 to {count}, separated by commas, or all")
    return sorted({int(word) - 1 for word in words})


def _print(candidates: list[FeedCandidate]) -> None:
    now = datetime.now(UTC)
    print_table(
        ("", "title", "kind", "newest", "a day", "sample", "address", "found"),
        (
            (
                number,
                candidate.title,
                candidate.kind,
                _age(candidate.newest_at, now),
                "" if candidate.per_day is None else f"{candidate.per_day:.1f}",
                candidate.samples[0] if candidate.samples else ("" if candidate.entries else "no entries"),
                candidate.url,
                candidate.found,
            )
            for number, candidate in enumerate(candidates, 1)
        ),
    )


def _age(published_at: datetime | None, now: datetime) -> str:
    if published_at is None:
        return "no date"
    hours = max((now - published_at).total_seconds(), 0) / 3600
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
