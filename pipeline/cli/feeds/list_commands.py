"""``news feeds list``, ``show`` and ``export``: show subscriptions."""

from datetime import timedelta
from typing import BinaryIO

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_columns, print_counts, print_json, print_table, write_document
from pipeline.config import Settings
from pipeline.parse.opml import write_opml
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.feeds import subscriptions as store
from pipeline.store.feeds.feed_addresses import list_former_addresses
from pipeline.store.queries.status import list_polls
from pipeline.store.schema.tables import FEED_STATES


@click.command("list")
@click.option("--state", type=click.Choice(FEED_STATES), help="Only feeds in this state.")
@json_option
@click.pass_obj
def feeds_list_command(settings: Settings, state: str | None, as_json: bool) -> None:
    """List the subscriptions with how they do.

    \b
    Examples:
      news feeds list --state paused
      news feeds list --json | jq '.[] | select(.failures > 3) | .url'
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        rows = store.list_feeds(connection, state)
    if as_json:
        print_json([dict(row) for row in rows])
        return
    names = ("id", "title", "url", "state", "entries", "last_outcome", "last_polled_at", "next_poll_at")
    print_table(
        [*(name.replace("_", " ") for name in names), "a day", "every"],
        ([*(row[name] for name in names), *_pace(row["per_day"], row["interval"])] for row in rows),
    )


def _pace(per_day: float | None, interval: float) -> tuple[str, str]:
    return "" if per_day is None else f"{per_day:.1f}", str(timedelta(seconds=round(interval)))


@click.command("show")
@click.argument("feed")
@click.option("--polls", default=10, show_default=True, help="How many of the last polls to show.")
@json_option
@click.pass_obj
def feeds_show_command(settings: Settings, feed: str, polls: int, as_json: bool) -> None:
    """Show one FEED, by its address or number, with its last polls.

    \b
    Example:
      news feeds show 3
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        feed_id = store.find_feed(connection, feed)
        row = next(dict(row) for row in store.list_feeds(connection) if row["id"] == feed_id)
        log = list_polls(connection, feed_id, polls)
        former = list_former_addresses(connection, feed_id)
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
    print_columns(names, log)


@click.command("export")
@click.option("-o", "--out", type=click.File("wb"), default="-", help="File to write; standard output by default.")
@click.option("--plain", is_flag=True, help="An address a line instead of OPML.")
@click.pass_obj
def feeds_export_command(settings: Settings, out: BinaryIO, plain: bool) -> None:
    """Write all subscriptions as OPML, or as a plain list.

    \b
    Example:
      news feeds export -o feeds.opml
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        subscriptions = store.load_subscriptions(connection)
    if plain:
        write_document("".join(f"{feed.url}\n" for feed in subscriptions).encode(), out)
        return
    write_document(write_opml(subscriptions), out)
