"""What can go wrong on the wire, put into the pipeline's words: the one place that knows foreign exceptions."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

import h2.errors
import h2.events
import h2.exceptions
import httpx

from pipeline.errors.failure_reasons import find_reason


class WireFailure(Exception):  # noqa: N818  # never leaves the package: `Fetcher.step` makes a `FetchError` of it
    """One request comes to nothing; a `FetchError` that does not know its URL yet.

    Attributes:
        lost: the connection went away, as against an answer that is wrong.
        headers: of an answer whose status is an error.
        body: the same answer's, as far as it could be had at once.
    """

    lost = False
    headers: Mapping[str, str] = MappingProxyType({})
    body = b""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        temporary: bool | None = None,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.temporary = find_reason(reason).is_temporary if temporary is None else temporary
        self.status = status
        self.retry_after = retry_after


@dataclass(slots=True)
class RequestProgress:
    """How far one request has come; the trace hook of a request calls it at each step.

    Attributes:
        connected: whether a connection was opened for it, as against one used again.
        step: the step that began last, in httpcore's names.
    """

    connected: bool = False
    step: str = ""

    async def __call__(self, event: str, _info: object) -> None:
        """Note the event."""
        if event.endswith(".started"):
            self.step = event.removesuffix(".started")
            self.connected = self.connected or self.step == "connection.connect_tcp"


@contextmanager
def translate_errors(progress: RequestProgress) -> Iterator[None]:
    """Turn whatever a network library raises inside into a `WireFailure`; cancellation passes."""
    try:
        yield
    except WireFailure:
        raise
    except Exception as error:  # httpx and what it stands on eat hostile bytes, and let KeyError and the like through
        reason, lost = _reason(error, progress)
        failure = WireFailure(reason, str(error) or type(error).__name__)
        failure.lost = lost
        raise failure from error


def _reason(error: Exception, progress: RequestProgress) -> tuple[str, bool]:
    """The word for a foreign exception, and whether it means that the connection is gone."""
    # The cause is httpcore's, which wraps what h2 raised or saw without chaining it.
    cause = error.__cause__ if isinstance(error, httpx.ProtocolError) else None
    inner = cause.args[0] if cause and cause.args else None
    match error:
        case httpx.TimeoutException():
            return "timeout", False
        case httpx.ConnectError():
            return ("tls" if progress.step.endswith(".start_tls") else "connect"), False
        case httpx.ProxyError():  # the answer to CONNECT: 502 to 504 speak of the site, all others of us and the proxy
            return ("connect" if str(error)[:3] in {"502", "503", "504"} else "proxy"), False
        case httpx.ProtocolError() if isinstance(inner, h2.exceptions.InvalidBodyLengthError):
            return "truncated", False
        case httpx.RemoteProtocolError() if "peer closed connection" in str(error):
            return "truncated", False  # h11's words for a body shorter than announced
        case httpx.RemoteProtocolError() if isinstance(inner, h2.events.ConnectionTerminated):
            return "reset", True
        case httpx.RemoteProtocolError() if isinstance(inner, h2.events.StreamReset):
            return "reset", inner.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
        case httpx.RemoteProtocolError() if "disconnected" in str(error):
            return "reset", True
        case ssl.SSLError():
            return "tls", False
        case httpx.NetworkError() | OSError():
            return "reset", True
        case _:
            return "protocol", False
