"""``news watch``: ingestion that does not end."""

import os
from dataclasses import asdict
from datetime import datetime
from functools import partial

import click

from pipeline.cli.lazy_group import configure_logging_where_used
from pipeline.cli.output import format_json, print_counts, report_line, write_line
from pipeline.config import Settings
from pipeline.ingest.service_manager import ServiceManager
from pipeline.ingest.watching import Companion, run_watch
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.websub import take_pushes
from pipeline.websub.protocol import callback_base

_SHOWN = frozenset({"new", "revised"})


@click.command()
@click.option("--push-bind", default="127.0.0.1", show_default=True, help="Where to listen for hubs' pushes.")
@click.option("--push-port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="Its port; 0: any.")
@click.option("--quiet", "-q", is_flag=True, help="Print no articles; logs (NEWS_LOG_LEVEL) tell of everything.")
@click.option("--json", "as_json", is_flag=True, help="Print every outcome as JSON, one object on each line.")
@click.pass_obj
def watch_command(settings: Settings, push_bind: str, push_port: int, quiet: bool, as_json: bool) -> None:
    """Poll feeds when they are due, fetch and store what they announce as it comes; until stopped.

    With NEWS_WEBSUB_CALLBACK it takes the pushes of hubs, too. Several may run, beside `news ingest` and Airflow: they
    share the work. SIGTERM or Ctrl-C ends it once what is under way is stored, a second one at once, without loss.
    SIGHUP reads the settings anew; subscriptions are noticed without it. Under systemd it says when it is ready, and
    that it lives (docs/watch.md).

    \b
    Examples:
      news watch
      news watch --json | jq --unbuffered 'select(.kind == "page")'
    """
    companions: list[Companion] = [partial(_take_pushes, address=(push_bind, push_port))]
    listener = _print_json if as_json else _print_nothing if quiet else _print_articles
    totals = run_watch(
        settings, reread=_reread, companions=companions, listener=listener, manager=ServiceManager(os.environ)
    )
    if not as_json:
        print_counts("done", {name: count for name, count in totals.as_dict().items() if count})


async def _take_pushes(context: RunContext, address: tuple[str, int]) -> None:
    base = context.settings.websub_callback
    if not base:
        return
    await take_pushes(context, base, address, listening=partial(_say_listening, address[0], base))


def _say_listening(host: str, base: str, port: int) -> None:
    report_line(f"listening on {host}:{port} for callbacks below {base}")


def _reread() -> Settings:
    settings = Settings.from_env(os.environ)
    if settings.websub_callback:
        callback_base(settings.websub_callback)  # which is refused here, not when all is at work
    configure_logging_where_used(settings)
    return settings


def _print_articles(event: Event) -> None:
    if event.kind == "page" and event.outcome in _SHOWN:
        write_line(f"{datetime.now().astimezone():%H:%M:%S}  {event.outcome:8s} {event.url}")
    elif event.outcome == "stopping":
        report_line("Stopping: what is on its way is stored first; the same again ends at once.")


def _print_nothing(event: Event) -> None:
    pass


def _print_json(event: Event) -> None:
    write_line(format_json(asdict(event)))
