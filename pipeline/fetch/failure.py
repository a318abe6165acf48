"""What can go wrong on the wire, put into the pipeline's words: the one place that knows foreign exceptions."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import h2.exceptions
import httpcore


class Failure(Exception):  # noqa: N818  # never leaves the package: `Fetcher.get` makes a `FetchError` of it
    """One request comes to nothing; a `FetchError` that does not know its URL yet."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        temporary: bool,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.temporary = temporary
        self.status = status
        self.retry_after = retry_after


@dataclass(slots=True)
class Progress:
    """How far one request has come; httpcore's trace hook calls it at each step.

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
def translated(progress: Progress) -> Iterator[None]:
    """Turn whatever a network library raises inside into a `Failure`; cancellation passes."""
    try:
        yield
    except Failure:
        raise
    except Exception as error:  # httpcore, h11 and h2 eat hostile bytes, and let KeyError and the like through
        raise Failure(_reason(error, progress), str(error) or type(error).__name__, temporary=True) from error


def _reason(error: Exception, progress: Progress) -> str:
    match error:
        case httpcore.TimeoutException():
            return "timeout"
        case httpcore.ConnectError():
            return "tls" if progress.step == "connection.start_tls" else "connect"
        case h2.exceptions.InvalidBodyLengthError():
            return "truncated"
        case httpcore.RemoteProtocolError() if "peer closed connection" in str(error):
            return "truncated"  # h11's words for a body shorter than announced
        case httpcore.RemoteProtocolError() if "disconnected" in str(error):
            return "reset"
        case ssl.SSLError():
            return "tls"
        case httpcore.NetworkError() | OSError():
            return "reset"
        case _:
            return "protocol"
