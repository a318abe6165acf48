"""One look at an address that somebody wants to subscribe to: a feed, a page with feeds on it, or why it has none."""

from dataclasses import dataclass

from pipeline.discover import PageGetter, Reader
from pipeline.discover.candidates import FeedCandidate, announced_feeds, describe_candidate, linked_feeds
from pipeline.errors import FeedError, FetchError, SourceError
from pipeline.errors.failure_reasons import find_reason
from pipeline.fetch import ACCEPT_FEED
from pipeline.model import FeedAccess

MAX_NAMED = 15
"""Feeds of a page that are named; some sites announce one for each of hundreds of sections."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was found at an address; either a feed or an error.

    Attributes:
        named: the feeds that the page there announces, or else links to; they were not asked.
    """

    url: str
    feed: FeedCandidate | None = None
    error: SourceError | None = None
    named: tuple[str, ...] = ()


async def look_at_address(client: PageGetter, url: str, read: Reader, access: FeedAccess | None = None) -> FirstLook:
    """What is at an address, by one request and its redirects, under robots.txt; ``access`` is what it is asked with.

    A source that cannot be had or read is told, not raised.
    """
    try:
        response = await client.get(url, accept=ACCEPT_FEED, access=access)
    except FetchError as error:
        return FirstLook(url, error=error)
    try:
        parsed = await read(response, response.url)
    except FeedError as error:
        feeds = announced_feeds(response) or linked_feeds(response) if error.reason == "html" else []
        return FirstLook(url, error=error, named=tuple(feeds[:MAX_NAMED]))
    return FirstLook(url, describe_candidate(url, response, parsed, "address itself"))


def is_no_feed(error: SourceError) -> bool:
    """Whether an address has answered and has no feed; what did not answer, or not well, may have one tomorrow.

    >>> is_no_feed(FetchError("u", "http_404")), is_no_feed(FetchError("u", "http_503"))
    (True, False)
    """
    return error.reason in {"html", "not_a_feed", "bad_url"} or find_reason(error.reason).is_gone


def outlook_of(error: SourceError) -> str:
    """What can be expected of an address that is subscribed to although it could not be read.

    >>> outlook_of(FetchError("u", "http_503"))
    'it is asked again by itself'
    """
    if error.reason == "robots":  # heeded by who looks around; a subscription is somebody's own wish
        return "a feed that is subscribed to is polled all the same"
    return "it is asked again by itself" if error.temporary else find_reason(error.reason).advice
