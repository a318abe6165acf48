"""How long a feed waits that fails: pure decisions, chance passed in."""

from datetime import timedelta

from pipeline.errors.failure_reasons import Weight, find_reason

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

RETRY_STEP = timedelta(hours=1)
"""The pause after failures grows by so much with each whole point of strain, unless the settings say otherwise."""

RETRY_DELAYS = 12
"""Pauses before a page's first retry that make up such a step: with the defaults, an hour."""

OUTAGE = 2.0
"""Up to this strain (eight time-outs, a morning of them) no pause is longer than one step: a busy feed whose server was
down for some hours would lose more entries to our patience than to the outage."""

MAX_BACKOFF = DAY
"""A source that fails is asked at least this often: 404 and DNS failures do recover (Media Cloud)."""

MANY = 30.0
"""Points of strain after which a source is asked once a `RARELY`: a month of not found, four of time-outs."""

RARELY = timedelta(days=7)

JITTER = 0.25
"""Backoff is shortened by up to this part by chance, so that what failed together does not return together."""

WEIGHTS: dict[Weight, float] = {"hard": 1.0, "soft": 0.5, "temporary": 0.25}

_TEMPORARY_STATUS = frozenset({206, 304, 408, 425, 429, 502, 503, 504})


def error_class(reason: str, status: int | None) -> Weight:
    """How much a failure says against a feed.

    Hard: the server denies it (4xx), or the address cannot work. Temporary: what passes by itself, overload and
    accidents of the network. Soft is all between: HTML in place of the feed, an unreadable document, 500, DNS.
    """
    weight = find_reason(reason).weight
    if weight == "hard":
        return weight
    if status is not None and status >= 300:
        if status in _TEMPORARY_STATUS:
            return "temporary"
        return "hard" if 400 <= status < 500 and status != 403 else "soft"  # 403 mostly is a bot wall's bad moment
    return weight


def strain_of(reason: str, status: int | None) -> float:
    """The weight of one failure; their sum since the last success is the feed's strain."""
    return WEIGHTS[error_class(reason, status)]


def feed_retry_pause(
    strain: float,
    interval: timedelta,
    chance: float,
    retry_after: timedelta | None = None,
    step: timedelta = RETRY_STEP,
) -> timedelta:
    """The pause after failures of this weight in all: longer with each, a day at most, a week after very many.

    Args:
        strain: sum of the weights of the failures since the last success.
        interval: the feed's own; it is never asked more often than when it works.
        chance: from 0 to 1.
        retry_after: what the server asks for is kept, even where it is more (88 hours were seen).
        step: by what the pause grows with each whole point of strain.
    """
    if strain > MANY:
        pause, least = RARELY, DAY
    else:
        steps = min(strain, 1.0) + max(strain - OUTAGE, 0.0)
        pause, least = min(step * steps, MAX_BACKOFF), interval
    return max(pause * (1 - JITTER * chance), least, retry_after or timedelta(0))
