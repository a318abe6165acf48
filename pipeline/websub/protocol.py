"""What WebSub says (W3C Recommendation, 23 January 2018), for the subscriber's side: pure functions and values."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from pipeline.errors import ConfigError
from pipeline.model import HubSubscription
from pipeline.schedule.pages import page_retry_pause

LEASE = timedelta(days=10)
"""Asked for; hubs decide for themselves. Long enough that a service that was down for a weekend is still subscribed."""

MIN_LEASE, MAX_LEASE = timedelta(minutes=1), timedelta(days=90)
"""What is believed of a hub's lease: renewing each second is of no use, and a lease for ever is not allowed."""

FIRST_PAUSE = timedelta(minutes=5)
"""Before a hub that was asked and did not verify is asked again; doubled each time."""

DENIED_PAUSE = timedelta(days=7)
"""Before a hub that denied a subscription is asked again: policies change, and nothing is given up for ever."""

MAX_CHALLENGE = 4096
"""Longest challenge in characters that is echoed; hubs send some dozens."""

ALGORITHMS = frozenset({"sha1", "sha256", "sha384", "sha512"})
"""All that the Recommendation names (7.1). Most hubs still sign with SHA-1, which as a HMAC is not broken."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a hub asks of a callback: to verify, or to take note of a denial."""

    mode: str
    topic: str
    challenge: str = ""
    lease: timedelta | None = None
    reason: str = ""


def callback_base(url: str) -> str:
    """The address below which the callbacks lie, without the slash at its end.

    Raises ConfigError: it is no address that hubs could call.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable or "@" in url:
        raise ConfigError(f"{url!r} is no callback base: give the public http(s) address that leads to this service")
    return url.strip().rstrip("/")


def token_of(target: str) -> str:
    """The token in the target of a request to a callback; a proxy may have taken off or added what is before it.

    >>> token_of("/hooks/abc?hub.mode=subscribe")
    'abc'
    """
    return target.partition("?")[0].rpartition("/")[2]


def request_form(subscription: HubSubscription, base: str) -> bytes:
    """What to POST to the hub (5.1): a subscription, new or renewed, or its end.

    A renewal keeps the callback: with another one the hub would hold two subscriptions, and push twice, until the old
    lease ends. The secret is sent over plain http too where the hub has nothing else: it protects nothing but this
    subscription, and who can read it can read the callback beside it.
    """
    fields = {
        "hub.callback": f"{base}/{subscription.token}",
        "hub.mode": "unsubscribe" if subscription.state == "leaving" else "subscribe",
        "hub.topic": subscription.topic_url,
    }
    if subscription.state != "leaving":
        fields |= {"hub.secret": subscription.secret, "hub.lease_seconds": str(int(LEASE.total_seconds()))}
    return urlencode(fields).encode()


def read_intent(target: str) -> Intent | None:
    """What a hub asks in the query of a callback; None where it asks nothing that the Recommendation knows.

    >>> read_intent("/t?hub.mode=denied&hub.topic=https%3A%2F%2Fa.example%2Ffeed&hub.reason=no").reason
    'no'
    """
    try:
        query = parse_qs(target.partition("?")[2], keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return None
    mode, topic, challenge, lease, reason = (
        query.get(f"hub.{name}", [""])[0] for name in ("mode", "topic", "challenge", "lease_seconds", "reason")
    )
    if mode not in ("subscribe", "unsubscribe", "denied") or not topic:
        return None
    if mode != "denied" and not 0 < len(challenge) <= MAX_CHALLENGE:
        return None
    seconds = int(lease) if lease.isdecimal() and lease.isascii() and len(lease) < 12 else None
    return Intent(mode, topic, challenge, None if seconds is None else timedelta(seconds=seconds), reason)


def is_wanted(subscription: HubSubscription, intent: Intent) -> bool:
    """Whether we want what the hub asks us to verify: the mode and the topic are those of our own request (5.3.1).

    A hub may ask again for a subscription that is active.
    """
    if intent.topic != subscription.topic_url:
        return False
    if intent.mode == "unsubscribe":
        return subscription.state == "leaving"
    return intent.mode == "subscribe" and subscription.state in ("pending", "active")


def lease_times(now: datetime, lease: timedelta | None) -> tuple[datetime, datetime]:
    """When the lease ends, and when to renew it: with a quarter of it left, for hubs that are down for a while."""
    believed = min(max(lease or LEASE, MIN_LEASE), MAX_LEASE)
    return now + believed, now + believed * 3 / 4


def ask_again_at(now: datetime, attempts: int) -> datetime:
    """When to ask the hub again if it verifies nothing until then."""
    return now + page_retry_pause(attempts, FIRST_PAUSE)


class Signature:
    """The signature of one push, checked while its body goes by, of which nothing need be kept (7).

    Args:
        header: value of ``X-Hub-Signature``; None where there is none, which is a bad signature.
        secret: of the subscription.
    """

    def __init__(self, header: str | None, secret: str) -> None:
        method, _, claimed = (header or "").strip().partition("=")
        self._claimed = claimed.strip().lower()
        self._mac: hmac.HMAC | None = None
        if method.strip().lower() in ALGORITHMS:
            self._mac = hmac.new(secret.encode(), digestmod=getattr(hashlib, method.strip().lower()))

    def update(self, piece: bytes) -> None:
        """Take note of the next bytes of the body."""
        if self._mac is not None:
            self._mac.update(piece)

    @property
    def is_good(self) -> bool:
        """Whether the body so far is what the hub signed; compared in constant time."""
        if self._mac is None:
            return False
        return hmac.compare_digest(self._mac.hexdigest().encode(), self._claimed.encode())
