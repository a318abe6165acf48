"""What a request says besides its URL."""

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.fetch.wire import Header
from pipeline.http.codings import ACCEPT_ENCODING
from pipeline.http.credentials import is_sent_to, request_headers
from pipeline.model import FeedAccess, Validators

ACCEPT_PAGE = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"
ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json;q=0.9, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
ACCEPT_TEXT = "text/plain, */*;q=0.5"

NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What is asked for, and how.

    Attributes:
        accept: value of the ``Accept`` header.
        validators: of the copy that we have.
        access: what the user gave for one origin.
        delta: whether the entries that are new since that copy will do (RFC 3229, for feeds).
        kept_since: an answer that a run which was killed has left will do, if it came after this time; None: none
            will, and none is left.
        takes_cut: whether a body that is cut short on the way will do where it is complete in itself.
    """

    accept: str
    validators: Validators = NO_VALIDATORS
    access: FeedAccess | None = None
    delta: bool = False
    kept_since: datetime | None = None
    takes_cut: bool = False

    @property
    def follows_refresh(self) -> bool:
        """Whether a page that sends its readers on is followed: where pages or feeds are asked for."""
        return self.accept in {ACCEPT_PAGE, ACCEPT_FEED}

    @property
    def takes_delta(self) -> bool:
        """Whether a delta can be asked for: it is one to the instance that an ETag names (RFC 3229, 10.4.1)."""
        return self.delta and _is_sendable(self.validators.etag)

    def headers(self, agent: str, url: str, cookies: str = "") -> list[Header]:
        """The headers of a request for this URL, which may be one that a redirect led to.

        What the user gave goes to its origin alone, and before our own headers of the same name; ``cookies`` were set
        on the way.
        """
        given = request_headers(self.access) if self.access is not None and is_sent_to(self.access, url) else {}
        own = {"User-Agent": agent, "Accept": self.accept, "Accept-Encoding": ACCEPT_ENCODING}
        for name, value in (
            ("If-None-Match", self.validators.etag),
            ("If-Modified-Since", self.validators.last_modified),
        ):
            if _is_sendable(value):
                own[name] = value or ""
        if self.takes_delta:
            own["A-IM"] = "feed"
        if cookies:
            cookie_name = next((name for name in given if name.lower() == "cookie"), "Cookie")
            given[cookie_name] = "; ".join(filter(None, (given.get(cookie_name), cookies)))
        taken = {name.lower() for name in given}
        sent = {name: value for name, value in own.items() if name.lower() not in taken} | given
        return [(name.encode(), value.encode("utf-8", "ignore")) for name, value in sent.items()]

    def shown(self, headers: list[Header], agent: str) -> list[Header]:
        """These headers as they may be kept: where the user's value takes the place of ours, neither is told."""
        own = replace(self, access=None).headers(agent, "")
        names = {name.lower() for name, _ in own}
        return [header for header in headers if header in own or header[0].lower() not in names]

    def is_answered(self, status: int, manipulations: str) -> bool:
        """Whether an answer with this status has what was asked for.

        206 answers a Range, and we sent none: part of a page. 226 is a delta: it must have been asked for, and be of
        the only kind that was (``manipulations`` is the value of its ``IM`` header).
        """
        if status == 226:
            return self.takes_delta and {word.strip().lower() for word in manipulations.split(",")} <= {"feed", ""}
        return 200 <= status < 300 and status != 206


def _is_sendable(value: str | None) -> bool:
    # What a server once sent may be anything; what cannot stand in a header is as good as absent.
    return value is not None and value != "" and value.isprintable()
