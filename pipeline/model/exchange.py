"""Requests and answers over HTTP, and what is kept of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional GET sends back to the server (RFC 9110, 13.1)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class FeedAccess:
    """What the user gave to ask one origin with; any value of it may be a secret, and none is shown in a repr.

    Attributes:
        origin: scheme, host and port that it is for (`pipeline.http.credentials.origin_of`); nobody else is sent it.
        user_agent: in place of our own.
        auth: ``user:password`` of Basic authentication.
        pages: whether pages of this origin are asked for with it too, and not the feed alone.
    """

    origin: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    user_agent: str | None = field(default=None, repr=False)
    auth: str | None = field(default=None, repr=False)
    pages: bool = False


@dataclass(frozen=True, slots=True)
class ChainCookie:
    """A cookie that lives for one chain of redirects (`pipeline.http.redirect_chains`).

    Attributes:
        domain: the host that set it, or the domain that it is for with all hosts below.
        is_wide: whether it is for the hosts below, too.
        path: where it is sent to, and to all below.
        is_secure: whether it is for https alone.
    """

    name: str
    value: str = field(repr=False)
    domain: str
    is_wide: bool = False
    path: str = "/"
    is_secure: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Where a redirect to another host leads: it is asked for there under that host's lease and rules.

    Attributes:
        url: to ask for next, as the redirect gave it.
        hops: the URLs before, in order, each with its status.
        cookies: set on the way, for as long as the chain goes on.
    """

    url: str
    hops: tuple[tuple[str, int], ...] = ()
    cookies: tuple[ChainCookie, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the ledger keeps of a response.

    Attributes:
        opt_out: signals by which rights are reserved.
        at: when it was had, where that was long before it is stored: a record of an archive.
        is_cut: whether the body broke off before the end that was announced, and was taken as complete in itself.
    """

    status: int
    validators: Validators
    bytes: int
    opt_out: tuple[str, ...] = ()
    at: datetime | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """One request and its answer as they went over the wire, to be kept.

    Attributes:
        url: as requested, ASCII.
        version: ``HTTP/1.1`` or ``HTTP/2``.
        headers: of the answer as sent, in order.
        body: as sent, in its content codings; the chunks of HTTP/1.1 and the frames of HTTP/2 are put together.
        is_whole: whether the body is all that was sent; errors and redirects are read as far as comes at once.
        request: headers of the request that are no secret.
        address: the IP address that answered.
        receipt: where it waits until what it came to is stored (`pipeline.fetch.response_journal`); None where it
        does not. is_again: whether a run had it that was killed, and it may be in the raw archive already.
    """

    url: str
    status: int
    phrase: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    fetched_at: datetime
    version: str = "HTTP/1.1"
    is_whole: bool = True
    request: tuple[tuple[bytes, bytes], ...] = ()
    address: str | None = None
    receipt: str | None = None
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered, whole.

    Attributes:
        url: the final URL after redirects, as it was requested.
        status: 2xx, or 304 with validators; every other status is a `FetchError`.
        headers: names in lower case.
        body: decompressed bytes; empty for a 304.
        redirects: the URLs before the last, in order, each with its status.
        elapsed: from the first request to the last byte.
        captures: the answers as they came, those of redirects first; empty where they are not to be kept.
        is_cut: as of `Fetched`.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    elapsed: timedelta
    redirects: tuple[tuple[str, int], ...] = ()
    captures: tuple[Capture, ...] = ()
    is_cut: bool = False

    @property
    def is_delta(self) -> bool:
        """Whether it holds what is new since the copy that we have, and not all of it (226, RFC 3229)."""
        return self.status == 226

    @property
    def validators(self) -> Validators:
        """The validators to send with the next request of the same URL; none where what came was cut short."""
        return Validators() if self.is_cut else Validators(self.headers.get("etag"), self.headers.get("last-modified"))

    @property
    def fetched(self) -> Fetched:
        """What the ledger keeps of it."""
        return Fetched(self.status, self.validators, len(self.body), is_cut=self.is_cut)

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; empty when there is none, the last one of several."""
        types = [part.partition(";")[0].strip(" \t\"'") for part in self.headers.get("content-type", "").split(",")]
        return next((kind for kind in reversed(types) if "/" in kind), "").lower()

    @property
    def charset(self) -> str | None:
        """The charset parameter of the content type, as sent."""
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                return value.strip().strip("\"'") or None
        return None


@dataclass(frozen=True, slots=True)
class Redirect:
    """What a server answered where that leads elsewhere, and was not followed.

    Attributes:
        route: where it leads, and how we came there.
        elapsed: from the request to the end of the answer.
        captures: as of `Response`.
    """

    route: Route
    elapsed: timedelta
    captures: tuple[Capture, ...] = ()
