"""``news feeds discover``: the feeds of a site."""

import asyncio
import sys
from datetime import UTC, datetime

import click

from pipeline.cli.feeds import add_feeds
from pipeline.cli.output import json_option, print_json, print_table
from pipeline.config import Settings
from pipeline.discover import Candidate, discover
from pipeline.errors import ConfigError
from pipeline.fetch import Fetcher
from pipeline.model import Subscription
from pipeline.workers import Workers


@click.command("discover")
@click.argument("url")
@click.option("--add", "choice", metavar="all|N,N…", help="Subscribe to these of the feeds found, by their numbers.")
@json_option
@click.pass_obj
def discover_(settings: Settings, url: str, choice: str | None, as_json: bool) -> None:
    """Find the feeds and news sitemaps of the site that URL is a page of, and subscribe to those you choose.

    Looks at what the page announces and links to, at common paths and at robots.txt; politely, so that it may take a
    minute. On a terminal it asks which feeds to add.

    \b
    Examples:
      news feeds discover example.org
      news feeds discover https://example.org/politics --add 1,3
      news feeds discover example.org --json | jq -r '.[].url'
    """
    address = url if "://" in url else f"https://{url}"
    found = asyncio.run(_discover(settings, address))
    if not found:
        raise click.ClickException(f"no feed found at {address}: it announces none, and none is at a common path")
    if as_json:
        print_json([one.as_dict() for one in found])
    else:
        _print(found)
        if choice is None and sys.stdin.isatty() and sys.stdout.isatty():
            choice = click.prompt("Add which? (numbers, all, or nothing)", default="", show_default=False)
    if choice:
        chosen = [Subscription(url=found[place].url) for place in _chosen(choice, len(found))]
        add_feeds(settings, chosen, quiet=as_json)


async def _discover(settings: Settings, url: str) -> list[Candidate]:
    async with Fetcher(settings) as fetcher, Workers(1, settings.extract_timeout) as workers:
        return await discover(fetcher, url, workers.parse, settings)


def _chosen(choice: str, count: int) -> list[int]:
    """The places, from 0, that somebody chose by numbers from 1.

    Raises:
        ConfigError: there are no such numbers.
    """
    if choice.strip().lower() == "all":
        return list(range(count))
    words = choice.replace(",", " ").split()
    if not all(word.isdecimal() and 0 < int(word) <= count for word in words):
        raise ConfigError(f"{choice!r}: give numbers from 1 to {count}, separated by commas, or all")
    return sorted({int(word) - 1 for word in words})


def _print(found: list[Candidate]) -> None:
    now = datetime.now(UTC)
    print_table(
        ("", "title", "kind", "newest", "a day", "sample", "address", "found"),
        (
            (
                number,
                one.title,
                one.kind,
                _age(one.newest_at, now),
                "" if one.per_day is None else f"{one.per_day:.1f}",
                one.samples[0] if one.samples else ("" if one.entries else "no entries"),
                one.url,
                one.found,
            )
            for number, one in enumerate(found, 1)
        ),
    )


def _age(at: datetime | None, now: datetime) -> str:
    """How long ago, in the unit that people would use."""
    if at is None:
        return "no date"
    hours = max((now - at).total_seconds(), 0) / 3600
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
