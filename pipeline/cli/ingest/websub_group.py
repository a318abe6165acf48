"""``news websub``: hubs say when a feed has something new."""

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_json, print_line, print_table
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.runtime.events import Event
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.feeds.hub_subscriptions import list_subscriptions
from pipeline.websub import serve as serve_callbacks


@click.group()
def websub_group() -> None:
    """Have hubs push what is new in feeds that announce one (WebSub)."""


@websub_group.command("serve")
@click.option("--callback-base", help="Public address that leads to this service [default: NEWS_WEBSUB_CALLBACK].")
@click.option("--bind", default="127.0.0.1", show_default=True, help="Local address to listen on.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="Local port; 0 for any.")
@click.option("--unsubscribe", is_flag=True, help="End all subscriptions at the hubs when stopped.")
@click.pass_obj
def websub_serve_command(
    settings: Settings, callback_base: str | None, bind: str, port: int, unsubscribe: bool
) -> None:
    """Subscribe at the hubs of active feeds, and poll each feed as soon as its hub pushes it; until stopped.

    Stopped by Ctrl-C or SIGTERM. Subscriptions stay then, and hubs try again later what they could not deliver. Put a
    proxy with TLS in front, which passes the callback base on to --bind and --port.

    \b
    Examples:
      news websub serve --callback-base https://push.example.org/websub
      news websub serve --unsubscribe
    """
    base = callback_base or settings.websub_callback
    if not base:
        raise ConfigError("WebSub is off: give --callback-base, or set NEWS_WEBSUB_CALLBACK, to switch it on")

    def listening(actual: int) -> None:
        print_line(f"listening on {bind}:{actual} for callbacks below {base}")

    def polled(event: Event) -> None:
        print_line(f"{event.outcome}: {event.url}, {event.facts.get('new', 0)} new entries")

    serve_callbacks(settings, base, bind, port, unsubscribe=unsubscribe, listening=listening, listener=polled)


@websub_group.command("status")
@json_option
@click.pass_obj
def websub_status_command(settings: Settings, as_json: bool) -> None:
    """List the subscriptions at hubs with how they do.

    \b
    Examples:
      news websub status
      news websub status --json | jq '.[] | select(.state != "active")'
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        rows = list_subscriptions(connection)
    if as_json:
        print_json([dict(row) for row in rows])
        return
    if not rows:
        print_line("no subscriptions: `news websub serve` makes one for each active feed that announces a hub")
        return
    names = ("topic_url", "hub_url", "state", "expires_at", "last_push_at", "pushes", "pushes_refused", "last_error")
    print_table(
        [name.removesuffix("_at").replace("_", " ") for name in names], ([row[n] for n in names] for row in rows)
    )
