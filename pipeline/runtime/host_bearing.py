"""How a host bears what it is asked: when the next request may begin, and whether it has had enough."""

from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.config import Settings
from pipeline.errors import FetchError
from pipeline.schedule.throttle import Pace, PacePolicy, pace_after_answer, pace_after_refusal, pause_of
from pipeline.store.frontier.hosts import LeasedHost

STRIKES = 6
"""Requests in a row without an answer, or with a 503, after which a host is left alone until later."""

BUSY_PAUSE = timedelta(seconds=60)
"""The pause after a 429 that names none (RFC 6585 leaves it open)."""

_PACED = frozenset({429, 503})
_ANSWERED = frozenset({"bad_redirect", "redirect_loop", "too_many_redirects"})


class HostBearing:
    """What one session learns of how its host bears it, from what was known before.

    Attributes:
        next_at: no request before this time.
        over: the host must not be asked again in this session.
        is_in_vain: since it does not answer.
    """

    def __init__(self, settings: Settings, host: LeasedHost) -> None:
        self.next_at = host.next_fetch_at
        self.over = False
        self.is_in_vain = False
        self._before = host.pace
        self._pace = host.pace
        self._strikes = 0
        self._delay = settings.host_delay
        self._policy = PacePolicy(
            max(settings.host_delay, host.delay), settings.host_max_delay, settings.host_connections
        )

    @property
    def is_one_at_a_time(self) -> bool:
        """Whether the pause is from the end of a request to the beginning of the next, not between beginnings."""
        return self._policy.connections == 1

    @property
    def pause(self) -> timedelta:
        """The time between two requests now."""
        return pause_of(self._pace, self._policy)

    @property
    def state(self) -> tuple[datetime, Pace, timedelta]:
        """What is known of the host by now: when it may be asked again, and at which pace."""
        return self.next_at, self._pace, self.pause

    def give_up(self) -> None:
        """End the session, since the host does not answer."""
        self.over = self.is_in_vain = True

    def forget(self) -> None:
        """Take back what was learned of the pace."""
        self._pace = self._before

    def rest(self, until: datetime) -> None:
        """Make no request before this time."""
        self.next_at = max(self.next_at, until)

    def set_crawl_delay(self, delay: timedelta, now: datetime) -> None:
        """Leave at least this time between requests from now on."""
        self._policy = replace(self._policy, floor=max(self._delay, delay))
        self.rest(now + self.pause)

    def note_answer(self, elapsed: timedelta, now: datetime) -> None:
        """Take note of an answer that took this long."""
        self._strikes = 0
        self._pace = pace_after_answer(self._pace, elapsed)
        if self.is_one_at_a_time:
            self.rest(now + self.pause)

    def note_refusal(self, error: FetchError, now: datetime) -> bool:
        """Take note of a failure; returns whether others that ask the host must know of its pace at once."""
        self._pace = pace_after_refusal(self._pace, error.status, error.reason)
        self._strikes = self._strikes + 1 if _is_strike(error) else 0
        pause = self.pause
        if self._strikes >= STRIKES:
            self.give_up()
        if error.retry_after is not None or error.status == 429:
            pause = max(pause, error.retry_after if error.retry_after is not None else BUSY_PAUSE)
            self.over = True
        if self.is_one_at_a_time or error.status in _PACED:
            self.rest(now + pause)
        return error.status in _PACED


def _is_strike(error: FetchError) -> bool:
    """Whether a failure may mean that the host is out of reach: not where it leads somewhere, or we do not go there."""
    if error.reason in _ANSWERED or error.reason.startswith("blocked_"):
        return False
    return error.status is None or (error.status == 503 and error.retry_after is None)
