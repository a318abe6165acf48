"""``news feeds pause``, ``resume``, ``remove`` and ``set``: change subscriptions."""

import sys
from datetime import UTC, datetime
from typing import Any

import click

from pipeline.cli.feeds.credential_options import access_options, read_change
from pipeline.cli.feeds.subscribing import find_feeds
from pipeline.cli.options import json_option
from pipeline.cli.output import print_counts, print_json
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.http.credentials import CredentialsChange, describe_credentials
from pipeline.store.connection.engine import open_archive, write
from pipeline.store.feeds import subscriptions as store
from pipeline.store.frontier.stored_credentials import store_credentials


def _set_state(settings: Settings, names: tuple[str, ...], state: str) -> None:
    with open_archive(settings) as engine:
        for feed_id in find_feeds(engine, names):
            write(engine, store.set_feed_state, feed_id, state, datetime.now(UTC))


@click.command("pause")
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@click.pass_obj
def feeds_pause_command(settings: Settings, names: tuple[str, ...]) -> None:
    """Poll these feeds no more until they are resumed.

    \b
    Example:
      news feeds pause 3 https://example.org/feed.xml
    """
    _set_state(settings, names, "paused")


@click.command("resume")
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@click.pass_obj
def feeds_resume_command(settings: Settings, names: tuple[str, ...]) -> None:
    """Poll these feeds again, at once.

    \b
    Example:
      news feeds resume 3
    """
    _set_state(settings, names, "active")


@click.command("remove")
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def feeds_remove_command(settings: Settings, names: tuple[str, ...], yes: bool) -> None:
    """Unsubscribe: the feeds, their poll logs and entries go; pages and articles stay.

    \b
    Example:
      news feeds remove --yes 3
    """
    with open_archive(settings) as engine:
        ids = find_feeds(engine, names)
        if not yes and sys.stdin.isatty():
            click.confirm(f"Remove {len(ids)} feeds with their poll logs?", abort=True)
        for feed_id in ids:
            write(engine, store.remove_feed, feed_id)


@click.command("set")
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@access_options
@click.option("--no-header", "dropped_headers", multiple=True, metavar="NAME", help="Send this header no more.")
@click.option("--no-cookie", "dropped_cookies", multiple=True, metavar="NAME", help="Send this cookie no more.")
@click.option("--no-user-agent", is_flag=True, help="Send our own user agent again.")
@click.option("--no-auth", is_flag=True, help="Send no password any more.")
@click.option("--clear", is_flag=True, help="Forget all that was set before; what else is given is set after that.")
@json_option
@click.pass_obj
def feeds_set_command(settings: Settings, /, names: tuple[str, ...], as_json: bool, **given: Any) -> None:  # noqa: ANN401  # the other options
    """Say what these feeds are asked with: headers, cookies, a user agent, a password. They are due at once then.

    A value that is left out is asked for, or read from standard input; env:NAME takes it from the environment. So it
    does not stand in the shell's history. It stands in the database in clear, is shown nowhere, and is sent to the
    feed's own scheme, host and port alone, whatever redirects say.

    \b
    Examples:
      news feeds set 3 --auth reader                          asks for the password
      news feeds set 3 --header 'X-Api-Key: env:PAPER_KEY'    takes it from the environment
      news feeds set 3 --cookie session --pages < session.txt
      news feeds set 3 --no-cookie session --no-auth
      news feeds set 3 --clear
    """
    change = _merge_changes(**given)
    with open_archive(settings) as engine:
        access = {
            feed_id: describe_credentials(write(engine, store_credentials, feed_id, change, datetime.now(UTC)))
            for feed_id in find_feeds(engine, names)
        }
    if as_json:
        print_json([{"id": feed_id, "access": kinds} for feed_id, kinds in access.items()])
        return
    for feed_id, kinds in access.items():
        print_counts(f"feed {feed_id}", {name: value for name, value in (kinds or {}).items() if value})


def _merge_changes(
    dropped_headers: tuple[str, ...],
    dropped_cookies: tuple[str, ...],
    no_user_agent: bool,
    no_auth: bool,
    clear: bool,
    **given: Any,  # noqa: ANN401  # the options of access_options
) -> CredentialsChange:
    """Merge what the options add and remove into one change. Raises ConfigError when there is nothing to change."""
    change = read_change(**given)
    dropped = [name for name, flag in (("user_agent", no_user_agent), ("auth", no_auth)) if flag]
    change = CredentialsChange(
        headers={**dict.fromkeys(dropped_headers), **change.headers},
        cookies={**dict.fromkeys(dropped_cookies), **change.cookies},
        values={**dict.fromkeys(dropped), **change.values},
        pages=change.pages,
        clear=clear,
    )
    if change.is_none:
        raise ConfigError("nothing to set: give --header, --cookie, --user-agent, --auth, or a way to take them away")
    return change
