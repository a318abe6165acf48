"""What is kept of one exchange: the request without its secrets, and the answer as it came."""

from collections.abc import Sequence
from datetime import datetime

import httpx

from pipeline.fetch.wire import Exchange, Header
from pipeline.model import Capture

TELLING = frozenset(
    {
        b"a-im",
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"host",
        b"if-modified-since",
        b"if-none-match",
        b"range",
        b"user-agent",
    }
)
"""The request headers that are kept. Not a list of what is secret: a header of an unknown name may well be a key."""


def capture_of(exchange: Exchange, target: httpx.URL, headers: Sequence[Header], at: datetime) -> Capture | None:
    """The exchange, to be kept; None where a good answer broke off: part of a page is not the page.

    Of errors and redirects the body is left out where it could not be had at once.
    """
    answer = exchange.response
    if exchange.sent is None and 200 <= answer.status_code < 300:
        return None
    request = [(name, value) for name, value in headers if name.lower() in TELLING]
    if target.netloc and not any(name.lower() == b"host" for name, _ in request):
        request.insert(0, (b"Host", target.netloc))
    # Who was let in by a secret is given secrets in return.
    is_secret = any(name.lower() not in TELLING for name, _ in headers)
    return Capture(
        url=str(target),
        status=answer.status_code,
        phrase=answer.reason_phrase,
        headers=tuple(
            (name, value) for name, value in answer.headers.raw if not (is_secret and name.lower() == b"set-cookie")
        ),
        body=exchange.sent or b"",
        fetched_at=at,
        version=answer.http_version,
        is_whole=exchange.sent is not None,
        request=tuple(request),
        address=_address(answer),
    )


def _address(answer: httpx.Response) -> str | None:
    try:
        address = answer.extensions["network_stream"].get_extra_info("server_addr")
        return str(address[0]) if address else None
    except Exception:  # noqa: BLE001  # a socket that is closed already tells nothing, each library in its own way
        return None
