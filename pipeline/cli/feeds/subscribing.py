"""Subscribe to feeds: shared by the commands that add some."""

from collections.abc import Sequence

from sqlalchemy.engine import Engine

from pipeline.cli.output import report_line
from pipeline.cli.progress import count_on_terminal
from pipeline.config import Settings
from pipeline.http.credentials import CredentialsChange
from pipeline.model import Subscription
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.feeds.new_feeds import BATCH, subscribe_to
from pipeline.store.feeds.subscriptions import find_feed

_NO_CHANGE = CredentialsChange()


def subscribe(
    settings: Settings,
    subscriptions: list[Subscription],
    *,
    quiet: bool = False,
    change: CredentialsChange = _NO_CHANGE,
) -> None:
    """Subscribe to feeds, and report how many are new.

    ``quiet`` says it on standard error, since standard output is for a program; ``change`` is what the feeds are
    asked with.

    Raises ConfigError: one has an address that is none, or cannot be asked with this.
    """
    count = len(subscriptions)
    with open_archive(settings) as engine, count_on_terminal(count, "feeds", quiet=count <= BATCH) as bar:
        added, known = subscribe_to(engine, subscriptions, settings.poll_interval, change, bar.show)
    report_line(f"{added} feeds added, {known} were there already", error=quiet)


def find_feeds(engine: Engine, names: Sequence[str]) -> list[int]:
    """Return the ids of these feeds, each named by its id or address. Raises ConfigError when there is no such feed."""
    with reading(engine) as connection:
        return [find_feed(connection, name) for name in names]
