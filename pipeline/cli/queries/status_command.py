"""``news status``: the state of the archive in numbers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_columns, print_counts, print_json, print_line, show_live
from pipeline.config import Settings
from pipeline.errors.failure_reasons import find_reason
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.queries import status as report

LOOK_SECONDS = 2.0
"""Between two looks with --watch."""

_LATER = "is tried again by itself; `news retry` tries at once"


def what_to_do(state: str, reason: str | None) -> str:
    """Return what a user can do about pages in this state for this reason; empty if nothing is wrong."""
    if reason is None:
        return ""
    advice = find_reason(reason).advice
    return f"{_LATER}; else: {advice}" if state == "queued" else advice


@click.command()
@click.option("--why", is_flag=True, help="Every state and reason of pages, with an example and what to do.")
@click.option("--delays", is_flag=True, help="How long each feed's articles take from publication to storage.")
@click.option("--watch", is_flag=True, help="Look again each two seconds, until Ctrl-C.")
@json_option
@click.pass_obj
def status_command(settings: Settings, why: bool, delays: bool, watch: bool, as_json: bool) -> None:
    """Feeds, frontier, failures by reason, and articles.

    \b
    Examples:
      news status
      news status --why
      news status --delays            seconds: the median, and what 95 of 100 take at most
      news status --watch
      news status --json | jq .pages
    """
    if watch and as_json:
        raise click.UsageError("--watch is for people: programs ask for --json as often as they like")
    with open_archive(settings) as engine:

        def show() -> None:
            with reading(engine) as connection:
                if why:
                    _print_reasons(report.count_reasons(connection), as_json=as_json)
                elif delays:
                    _print_delays(report.list_delays(connection), as_json=as_json)
                else:
                    _print_status(report.load_status(connection, datetime.now(UTC)), as_json=as_json)

        if watch:
            show_live(show, LOOK_SECONDS)
        else:
            show()


def _print_status(facts: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    print_counts("feeds", facts["feeds"])
    print_counts("polls", facts["polls_of_the_last_day"])
    if facts["gaps_of_the_last_week"]["polls"]:
        print_counts("missed", facts["gaps_of_the_last_week"])
    if facts["delays_of_the_last_week"]:
        print_counts("delay", facts["delays_of_the_last_week"])
    hosts = facts["hosts"]
    if hosts["claimed"] or hosts["slowed"] or hosts["waiting"]:
        print_counts("hosts", hosts)
    print_counts("pages", facts["pages"] | {"due": facts["pages_due"], "claimed": facts["pages_claimed"]})
    print_counts("articles", facts["articles"])
    if facts["reasons"]:
        print_line()
        print_columns(("pages", "state", "reason"), facts["reasons"])


def _print_delays(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print the delays of each feed, in seconds."""
    if as_json:
        print_json(rows)
        return
    shown = [dict(row) | {name: f"{row[name]:.0f} s" for name in ("median", "p95")} for row in rows]
    print_columns(("median", "p95", "articles", "newest", "url"), shown)


def _print_reasons(rows: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    reasons = [dict(row) | {"what_to_do": what_to_do(row["state"], row["reason"])} for row in rows]
    if as_json:
        print_json(reasons)
        return
    print_columns(("pages", "state", "reason", "what_to_do", "example"), reasons)
