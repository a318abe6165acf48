"""What can go wrong on the wire, put into the pipeline's words: the one place that knows foreign exceptions."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import h2.exceptions
import httpcore

from pipeline.errors import FetchError


class Refusal(Exception):  # noqa: N818  # not an error: our decision
    """We end the exchange ourselves; becomes a `FetchError` as soon as the URL is known."""

    def __init__(self, reason: str, message: str, *, temporary: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.temporary = temporary


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
def translated(url: str, progress: Progress) -> Iterator[None]:
    """Turn whatever a network library raises inside into a `FetchError`; cancellation passes."""
    try:
        yield
    except FetchError:
        raise
    except Refusal as error:
        raise FetchError(url, error.reason, str(error), temporary=error.temporary) from error
    except Exception as error:  # httpcore, h11 and h2 eat hostile bytes, and let KeyError and the like through
        reason = reason_of(error, progress)
        message = str(error) or type(error).__name__
        raise FetchError(url, reason, message, temporary=True) from error


def reason_of(error: Exception, progress: Progress) -> str:
    """The word for a foreign exception."""
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
