"""What ``news feeds add`` says of an address before it subscribes to it."""

import shlex
from datetime import UTC, datetime

from pipeline.cli.output import format_value, print_line, report_line
from pipeline.config import Settings
from pipeline.discover.first_look import FirstLook, is_no_feed, outlook_of
from pipeline.discover.site_feeds import look_at_addresses
from pipeline.http.credentials import CredentialsChange
from pipeline.model import Subscription
from pipeline.store.connection.engine import open_archive
from pipeline.store.feeds.new_feeds import find_unknown_feeds, without_password


def drop_no_feeds(
    settings: Settings, subscriptions: list[Subscription], change: CredentialsChange
) -> list[Subscription]:
    """Look once at each feed that is new, say what is there, and return the feeds without what has answered as none.

    Raises ConfigError: one has an address that is none, or cannot be asked with this.
    """
    refused: set[str] = set()

    def tell(look: FirstLook) -> None:
        _say(look)
        if look.error is not None and is_no_feed(look.error):
            refused.add(look.url)

    with open_archive(settings) as engine:
        unknown = find_unknown_feeds(engine, subscriptions, change)
    if unknown:
        look_at_addresses(settings, unknown, tell)
    return [feed for feed in subscriptions if without_password(feed.url)[0] not in refused]


def _say(look: FirstLook) -> None:
    if look.feed is not None:
        newest = "no dates" if look.feed.newest_at is None else f"newest {_when(look.feed.newest_at)}"
        title = f" “{look.feed.title}”" if look.feed.title else ""
        comments = ", of readers' comments" if look.feed.is_of_comments else ""
        facts = f"{look.feed.kind}{title}{comments}, entries {look.feed.entries}, {newest}"
        print_line(f"{look.url}: {facts}")
    elif look.named:
        report_line(f"{look.url}: not added: a web page. Add one of its feeds:")
        for url in look.named:
            report_line(f"  news feeds add {shlex.quote(url)}")
    elif look.error is not None and look.error.reason in {"html", "not_a_feed"}:
        what = "a web page that names no feed" if look.error.reason == "html" else f"no feed: {look.error}"
        report_line(
            f"{look.url}: not added: {what}. `news feeds discover` searches its site, --no-check adds it unread"
        )
    elif look.error is not None and is_no_feed(look.error):
        report_line(f"{look.url}: not added: {look.error}. Check the address; --no-check adds it unread")
    elif look.error is not None:
        report_line(f"{look.url}: added unread: {look.error} ({outlook_of(look.error)})")


def _when(time: datetime) -> str:
    return f"{format_value(time.astimezone(UTC))} UTC"
