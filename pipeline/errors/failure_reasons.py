"""Why a page or a feed could not be had: one table of reasons, for decisions, answers, advice and the manual.

A reason is the word that `pipeline.errors.SourceError.reason`, ``page.reason`` and ``poll.outcome`` hold.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Weight = Literal["hard", "soft", "temporary"]

_ASK: Final = "keeps programs out: set NEWS_CONTACT, raise NEWS_HOST_DELAY, ask its owner, then `news retry`"
_ALONE: Final = "kills its readers or fills their memory: `news explain URL` alone, on a machine with room"
_RETRY: Final = "`news retry` once the site answers again"
_TEXT: Final = "look for a feed with full text"
_EXPLAIN: Final = "`news explain URL` shows what was found in it"
_FEED: Final = "check what the feed announces"
_LATE: Final = "nothing, or `news retry` if it was published late"
_TYPE: Final = "no article: NEWS_KEEP_TYPES names what is stored all the same; then `news reclean`"
_LATER: Final = "or `news retry` later"

PAGE_TYPES: Final = ("list", "collection", "product", "service", "forum", "documentation", "gallery", "recipe", "video")
"""What pages with a text of their own may be that are no articles."""

KEPT_TYPES: Final = ("gallery", "recipe", "video")
"""Those that are stored all the same unless it is said otherwise: newspapers have them among their articles."""


@dataclass(frozen=True, slots=True)
class FailureReason:
    """One reason, or a family of reasons that begin alike.

    Attributes:
        name: the word; of a family its beginning and ``…``.
        advice: what a user can do about it.
        weight: how much it says against a feed: temporary passes by itself, hard means that the address cannot work.
        is_temporary: whether asking again can help, so that a page is tried again by itself.
        is_gone: whether it means that the page is no more, so that a stored article is of a page that is gone.
        is_unreached: whether it means that there was no answer at all, which may be of our side.
    """

    name: str
    advice: str
    weight: Weight = "soft"
    is_temporary: bool = False
    is_gone: bool = False
    is_unreached: bool = False


REASONS: Final = {
    reason.name: reason
    for reason in (
        # Of what the site permits.
        FailureReason("robots", "the site forbids it to programs: ask its owner, or do without"),
        FailureReason(
            "robots_unreachable",
            "nothing is fetched while robots.txt cannot be had",
            is_temporary=True,
            is_unreached=True,
        ),
        FailureReason("opt_out", "reserves its rights, and NEWS_RESPECT_OPT_OUT says to respect that"),
        FailureReason("host_busy", "asked by another worker, or to be left alone for now: later", is_temporary=True),
        FailureReason("redirect", "waits for its turn at the host that it leads to"),
        # Of pages that hold no article; the classes of `pipeline.classify` among them.
        FailureReason("bot_wall", _ASK, is_temporary=True),
        FailureReason("consent", f"the site asks for consent first: {_TEXT}", is_temporary=True),
        FailureReason("login", f"only for readers with an account: {_TEXT}"),
        FailureReason("script_shell", f"has no text without running its scripts: {_TEXT}"),
        FailureReason("soft_404", f"says that it is not there: {_LATE}", is_gone=True),
        *(FailureReason(name, _TYPE) for name in PAGE_TYPES),
        FailureReason("front_page", "leads to the front page, as pages do that were taken down: nothing"),
        FailureReason("no_text", _EXPLAIN),
        FailureReason("too_short", _EXPLAIN),
        FailureReason("pdf", "a PDF, which is not read: nothing"),
        FailureReason("content_type", f"no HTML: {_FEED}"),
        FailureReason("not_modified", "holds no article, and has not changed since: nothing"),
        # Of reading what came.
        FailureReason("truncated", _RETRY, "temporary", is_temporary=True),
        FailureReason("cut_short", "stored, though the server announced more: nothing, or `news retry` to ask again"),
        FailureReason("empty", _RETRY, "temporary", is_temporary=True),
        FailureReason("worker_died", _ALONE),
        FailureReason("crashed", _ALONE, is_temporary=True),
        FailureReason("too_slow", "takes too long to read: raise NEWS_EXTRACT_TIMEOUT, then `news retry`"),
        FailureReason("too_large", "raise NEWS_MAX_BYTES, then `news retry`"),
        FailureReason("unparsable", "`news explain URL` shows where reading it ends"),
        FailureReason(
            "reader_error",
            "a fault of this program: `news explain URL` shows it, an update may mend it",
            is_temporary=True,
        ),
        FailureReason(
            "not_a_feed", "no feed is at the address: `news feeds discover` looks for one", is_temporary=True
        ),
        FailureReason(
            "html", "a page in the place of a feed: `news feeds discover` looks for the feed", is_temporary=True
        ),
        # Of the network.
        FailureReason("dns", f"its host has no address: check the URL, {_LATER}", is_temporary=True, is_unreached=True),
        FailureReason("connect", _RETRY, "temporary", is_temporary=True, is_unreached=True),
        FailureReason(
            "proxy",
            "the proxy of NEWS_PROXY is out of reach or refuses: mend that",
            "temporary",
            is_temporary=True,
            is_unreached=True,
        ),
        FailureReason(
            "tls",
            f"its certificate or encryption cannot be trusted: ask its owner, {_LATER}",
            is_temporary=True,
        ),
        FailureReason("timeout", f"raise NEWS_TIMEOUT, {_LATER}", "temporary", is_temporary=True, is_unreached=True),
        FailureReason("deadline", f"raise NEWS_DEADLINE, {_LATER}", "temporary", is_temporary=True, is_unreached=True),
        FailureReason("reset", _RETRY, "temporary", is_temporary=True, is_unreached=True),
        FailureReason("protocol", _RETRY, "temporary", is_temporary=True),
        FailureReason("bad_encoding", _RETRY, is_temporary=True),
        FailureReason("bad_range", "the rest of a file was not given: goes on there by itself", is_temporary=True),
        FailureReason("outage", "no host answered at all: the fault is on our side; the next run asks again"),
        # Of addresses.
        FailureReason("bad_url", f"an address that is never fetched: {_FEED}", "hard"),
        FailureReason(
            "blocked_address", "in a network that must not be fetched from; NEWS_ALLOW_NETWORKS allows some", "hard"
        ),
        FailureReason("redirect_loop", f"leads back to itself: nothing, {_LATER}", "hard"),
        FailureReason("bad_redirect", f"leads nowhere: nothing, {_LATER}", "hard"),
        FailureReason("too_many_redirects", "raise NEWS_MAX_REDIRECTS, then `news retry`", "hard"),
        # Of statuses. 403 is temporary: mostly it is a bot wall that had a bad moment, or a rate limit by another name.
        FailureReason("http_401", f"only for readers with an account: {_TEXT}"),
        FailureReason("http_402", f"only for those who pay: {_TEXT}"),
        FailureReason("http_403", _ASK, is_temporary=True),
        FailureReason("http_404", f"not there: {_LATE}", is_gone=True),
        FailureReason("http_410", "taken down for good: nothing", is_gone=True),
        FailureReason("http_429", "asked too often: raise NEWS_HOST_DELAY, then `news retry`", is_temporary=True),
        FailureReason("http_451", "withheld for legal reasons: nothing"),
    )
}
"""All reasons but those of families (`FAMILIES`)."""

_REFUSED: Final = f"refused by the server: check the URL, {_LATER}"

FAMILIES: Final = (
    (re.compile(r"http_5\d\d"), FailureReason("http_5…", _RETRY, is_temporary=True)),
    # 206, 226 and 304 answer what we did not ask: part of a page, a delta, "not modified" to who has nothing.
    (
        re.compile(r"http_(?:206|226|304|408|425|[6-9]\d\d)"),
        FailureReason("http_206, 226, 304, 408, 425", _REFUSED, is_temporary=True),
    ),
    (re.compile(r"http_\d+"), FailureReason("http_…", _REFUSED)),
    (re.compile(r"blocked_"), FailureReason("blocked_…", f"an address that is never fetched: {_FEED}", "hard")),
)
"""Reasons that begin alike: statuses, and what the guard refuses. The first that fits counts."""

UNREACHED: Final = frozenset(reason.name for reason in REASONS.values() if reason.is_unreached)


def find_reason(name: str) -> FailureReason:
    """What is known of a reason; one that the table does not have is soft and final.

    >>> find_reason("http_503").is_temporary, find_reason("http_404").is_gone
    (True, True)
    """
    if name in REASONS:
        return REASONS[name]
    family = (reason for pattern, reason in FAMILIES if pattern.match(name))
    return next(family, FailureReason(name, "`news show URL` says more"))
