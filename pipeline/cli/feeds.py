"""``news feeds``: subscriptions."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import click

from pipeline.access import AccessChange
from pipeline.cli.access import access_options, read_change, without_password
from pipeline.cli.output import json_option, print_counts, print_json, print_table
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.model import Subscription
from pipeline.opml import read_subscriptions, write_opml
from pipeline.store import feeds as store
from pipeline.store.addresses import former_addresses
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.migrate import require_current
from pipeline.store.report import polls_of
from pipeline.tables import FEED_STATES
from pipeline.urls import canonical_url

from sqlalchemy.engine import Engine  # isort: skip


_NO_CHANGE = AccessChange()


@click.group()
def feeds() -> None:
    """Subscribe to feeds, list and change subscriptions."""


def _engine(settings: Settings) -> Engine:
    engine = open_engine(settings.database_url)
    require_current(engine)
    return engine


def add_feeds(
    settings: Settings, subscriptions: list[Subscription], *, quiet: bool = False, change: AccessChange = _NO_CHANGE
) -> None:
    """Subscribe, and say how many of the feeds are new.

    A password in an address is taken out of it, and kept as ``--auth`` is.

    Args:
        settings: where the archive is.
        subscriptions: what to subscribe to.
        quiet: say it on standard error, since standard output is for a program.
        change: what to ask for the feeds with.

    Raises:
        ConfigError: one has an address that is none, or cannot be asked with this.
    """
    wanted: list[Subscription] = []
    access: dict[str, AccessChange] = {}
    for subscription in subscriptions:
        url, auth = without_password(subscription.url)
        wanted.append(replace(subscription, url=url))
        own = change if auth is None else replace(change, values={"auth": auth, **change.values})
        access |= {} if own.is_none else {url: own}
        try:
            canonical_url(url)
        except ValueError as error:
            raise ConfigError(f"{url!r} is no http(s) address: {error}") from error
    added = write(_engine(settings), store.add_feeds, wanted, datetime.now(UTC), settings.poll_interval, access)
    told = f"{added} feeds added, {len({s.url for s in wanted}) - added} were there already"
    click.echo(told, err=quiet)


@feeds.command()
@click.argument("urls", nargs=-1, required=True)
@click.option("--title", help="Title to show instead of the feed's own (one URL only).")
@click.option("--tag", "tags", multiple=True, help="Label; may be given several times.")
@access_options
@click.pass_obj
def add(
    settings: Settings,
    /,
    urls: tuple[str, ...],
    title: str | None,
    tags: tuple[str, ...],
    **given: Any,  # noqa: ANN401  # the options of access_options
) -> None:
    """Subscribe to the feeds at URLS; each is due at once.

    Headers, cookies, user agent and password are sent to the feed's own server alone (see `news feeds set --help`).

    \b
    Examples:
      news feeds add https://www.theguardian.com/world/rss
      news feeds add --tag science --tag en https://www.nature.com/nature.rss
      news feeds add https://paper.example/subscribers.rss --auth reader --pages
    """
    if title and len(urls) > 1:
        raise click.UsageError("--title goes with one URL")
    feeds = [Subscription(url=url.strip(), title=title, tags=tags) for url in urls]
    add_feeds(settings, feeds, change=read_change(**given))


@feeds.command("import")
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def import_(settings: Settings, file: BinaryIO) -> None:
    """Subscribe to the feeds in FILE: OPML, or plain text with an address a line; - reads standard input.

    \b
    Examples:
      news feeds import examples/feeds.opml
      grep bbc feeds.txt | news feeds import -
    """
    found = read_subscriptions(file.read(), getattr(file, "name", "-"))
    if not found:
        raise ConfigError(f"{file.name}: no feed in it")
    add_feeds(settings, found)


@feeds.command()
@click.option("-o", "--out", type=click.File("wb"), default="-", help="File to write; standard output by default.")
@click.option("--plain", is_flag=True, help="An address a line instead of OPML.")
@click.pass_obj
def export(settings: Settings, out: BinaryIO, plain: bool) -> None:
    """Write all subscriptions as OPML, or as a plain list.

    \b
    Example:
      news feeds export -o feeds.opml
    """
    with reading(_engine(settings)) as connection:
        # Whoever imports this list needs the feeds that they were merged into, not these.
        rows = [row for row in store.list_feeds(connection) if row["state"] != "moved"]
    if plain:
        out.write("".join(f"{row['url']}\n" for row in rows).encode())
    else:
        out.write(
            write_opml(
                Subscription(url=row["url"], title=row["title"], site_url=row["site_url"], tags=tuple(row["tags"]))
                for row in rows
            )
        )


@feeds.command("list")
@click.option("--state", type=click.Choice(FEED_STATES), help="Only feeds in this state.")
@json_option
@click.pass_obj
def list_(settings: Settings, state: str | None, as_json: bool) -> None:
    """List the subscriptions with how they do.

    \b
    Examples:
      news feeds list --state paused
      news feeds list --json | jq '.[] | select(.failures > 3) | .url'
    """
    with reading(_engine(settings)) as connection:
        rows = store.list_feeds(connection, state)
    if as_json:
        print_json([dict(row) for row in rows])
        return
    names = ("id", "title", "url", "state", "entries", "last_outcome", "last_polled_at", "next_poll_at")
    print_table(
        [*(name.replace("_", " ") for name in names), "a day", "every"],
        ([*(row[name] for name in names), *_pace(row["rate"], row["interval"])] for row in rows),
    )


def _pace(rate: float | None, interval: float) -> tuple[str, str]:
    """New entries a day and the interval, as people read them."""
    return "" if rate is None else f"{rate:.1f}", str(timedelta(seconds=round(interval)))


@feeds.command()
@click.argument("feed")
@click.option("--polls", default=10, show_default=True, help="How many of the last polls to show.")
@json_option
@click.pass_obj
def show(settings: Settings, feed: str, polls: int, as_json: bool) -> None:
    """Show one FEED, by its address or number, with its last polls.

    \b
    Example:
      news feeds show 3
    """
    with reading(_engine(settings)) as connection:
        feed_id = store.find_feed(connection, feed)
        row = next(dict(row) for row in store.list_feeds(connection) if row["id"] == feed_id)
        log = polls_of(connection, feed_id, polls)
        former = former_addresses(connection, feed_id)
    if as_json:
        print_json(row | {"former_addresses": former, "polls": log})
        return
    access = row.pop("access")
    for name, value in row.items():
        print_counts(name, {"": value} if value is not None else {"": "-"})
    print_counts("access", {name: value for name, value in access.items() if value} if access else {"": "-"})
    if former:
        print_table(("formerly at", "until", "why"), ((row["url"], row["left_at"], row["reason"]) for row in former))
    names = ("polled_at", "status", "outcome", "entries_seen", "entries_new", "missed", "bytes", "duration", "error")
    print_table([name.replace("_", " ") for name in names], ([poll[name] for name in names] for poll in log))


def _set_state(settings: Settings, names: tuple[str, ...], state: str) -> None:
    engine = _engine(settings)
    with reading(engine) as connection:
        ids = [store.find_feed(connection, name) for name in names]
    for feed_id in ids:
        write(engine, store.set_feed_state, feed_id, state, datetime.now(UTC))


@feeds.command()
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@click.pass_obj
def pause(settings: Settings, names: tuple[str, ...]) -> None:
    """Poll these feeds no more until they are resumed.

    \b
    Example:
      news feeds pause 3 https://example.org/feed.xml
    """
    _set_state(settings, names, "paused")


@feeds.command()
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@click.pass_obj
def resume(settings: Settings, names: tuple[str, ...]) -> None:
    """Poll these feeds again, at once.

    \b
    Example:
      news feeds resume 3
    """
    _set_state(settings, names, "active")


@feeds.command()
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(settings: Settings, names: tuple[str, ...], yes: bool) -> None:
    """Unsubscribe: the feeds, their poll logs and entries go; pages and articles stay.

    \b
    Example:
      news feeds remove --yes 3
    """
    engine = _engine(settings)
    with reading(engine) as connection:
        ids = [store.find_feed(connection, name) for name in names]
    if not yes and sys.stdin.isatty():
        click.confirm(f"Remove {len(ids)} feeds with their poll logs?", abort=True)
    for feed_id in ids:
        write(engine, store.remove_feed, feed_id)
