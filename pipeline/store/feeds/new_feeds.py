"""Feeds as users give them: checked, their passwords taken out of their addresses, and subscribed to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit, urlunsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.errors import ConfigError
from pipeline.http.credentials import CredentialsChange, change_credentials
from pipeline.model import FeedAccess, Subscription
from pipeline.store.connection.engine import read, write
from pipeline.store.connection.rows import batches
from pipeline.store.feeds.feed_addresses import find_present_addresses
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.schema.tables import FeedRow
from pipeline.urls import canonical_url

BATCH = 250
"""Feeds of one transaction: so many take a moment, and a bar can say how many are done."""

_NO_CHANGE = CredentialsChange()

Access = dict[str, CredentialsChange]


def subscribe_to(
    engine: Engine,
    subscriptions: Iterable[Subscription],
    interval: timedelta,
    change: CredentialsChange = _NO_CHANGE,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[int, int]:
    """Subscribe to feeds; returns how many are new, and how many were there already.

    A password in an address is taken out of it, and kept as one that was given apart. ``change`` is what the feeds are
    asked with; ``progress`` is told how many are done.

    Raises ConfigError: one has an address that is none, or cannot be asked with this; none is subscribed to then.
    """
    wanted, access = _separate_passwords(subscriptions, change)
    added = 0
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        own_access = {feed.url: access[feed.url] for feed in batch if feed.url in access}
        added += write(engine, add_feeds, batch, datetime.now(UTC), interval, own_access)
        progress(start + len(batch))
    return added, len({feed.url for feed in wanted}) - added


def find_unknown_feeds(
    engine: Engine, subscriptions: Iterable[Subscription], change: CredentialsChange = _NO_CHANGE
) -> dict[str, FeedAccess | None]:
    """What those feeds that nobody has subscribed to yet would be asked with, by their addresses without passwords.

    Raises ConfigError: what `subscribe_to` raises.
    """
    wanted, access = _separate_passwords(subscriptions, change)
    known = read(engine, _find_known, {feed.url for feed in wanted})
    unknown = (feed.url for feed in wanted if feed.url not in known)
    return {url: change_credentials(None, access[url], url) if url in access else None for url in unknown}


def _find_known(connection: Connection, urls: set[str]) -> set[str]:
    known = set(find_present_addresses(connection, urls))
    for batch in batches(sorted(urls)):
        known |= set(connection.scalars(sa.select(FeedRow.url).where(FeedRow.url.in_(batch))))
    return known


def _separate_passwords(
    subscriptions: Iterable[Subscription], change: CredentialsChange
) -> tuple[Sequence[Subscription], Access]:
    wanted: list[Subscription] = []
    access: Access = {}
    for subscription in subscriptions:
        url, auth = without_password(subscription.url)
        wanted.append(replace(subscription, url=url))
        own = change if auth is None else replace(change, values={"auth": auth, **change.values})
        access |= {} if own.is_none else {url: own}
        try:
            canonical_url(url)
        except ValueError as error:
            raise ConfigError(f"{url!r} is no http(s) address: {error}") from error
    return wanted, access


def without_password(url: str) -> tuple[str, str | None]:
    """Split an address into itself without credentials, and these as ``user:password``, percent-decoded, or None.

    An address is logged, listed and exported: what is secret has no place in it.

    >>> without_password("https://ann:b%40c@news.example/feed")
    ('https://news.example/feed', 'ann:b@c')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, None
    user, at, host = parts.netloc.rpartition("@")
    if not at or parts.scheme not in ("http", "https"):
        return url, None
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=host)), f"{unquote(name)}:{unquote(password)}"
