"""Every exception of the pipeline.

::

    NewsError
    ├── ConfigError          the user's: a setting or an argument is wrong
    ├── ArchiveError         ours: a archived response that is not where it should be, or cannot be read
    ├── FetchError           a source's: one request came to nothing
    ├── FeedError            a source's: a document that is no feed
    └── ExtractError         a source's: a page that no parser survives

What goes wrong with one source is caught by the flow and stored as an outcome; only what goes wrong
with us (the database away, a bug) leaves it as an exception. ``reason`` is one short word of a fixed
vocabulary, made to be grouped by in SQL; the message is for people.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pipeline.errors.failure_reasons import find_reason


class NewsError(Exception):
    """Root of all exceptions that this package raises on purpose."""


class ConfigError(NewsError):
    """A setting, an argument or an input file of the user cannot be used; the message says what to do."""


class ArchiveError(NewsError):
    """A archived response cannot be read, or the raw archive cannot be written to."""


class SourceError(NewsError):
    """Something about one URL went wrong.

    Attributes:
        url: the URL that was asked for.
        reason: one word to group by, such as ``timeout`` or ``http_503`` (`pipeline.errors.failure_reasons`).
        temporary: whether trying again later can help; as the table of reasons has it where that is not said.
    """

    def __init__(self, url: str, reason: str, message: str = "", *, temporary: bool | None = None) -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.url = url
        self.reason = reason
        self.temporary = find_reason(reason).is_temporary if temporary is None else temporary

    def __reduce__(self) -> tuple[object, ...]:
        """How it travels between processes; the way of `Exception` would call the constructor without its words."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[SourceError], args: tuple[object, ...], state: dict[str, object]) -> SourceError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class FetchError(SourceError):
    """One request came to nothing.

    Attributes:
        status: the HTTP status, when there was an answer.
        retry_after: how long the server asked us to wait (RFC 9110, 10.2.3), when it did.
        headers: of an answer whose status is an error, names in lower case.
        body: of such an answer, as far as it could be had at once.
        captures: the answers on the way here as they came (`pipeline.model.Capture`), where they are to be kept.
    """

    def __init__(
        self,
        url: str,
        reason: str,
        message: str = "",
        *,
        temporary: bool | None = None,
        status: int | None = None,
        retry_after: timedelta | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        captures: tuple[Any, ...] = (),  # of `pipeline.model`, which this module does not know
    ) -> None:
        super().__init__(url, reason, message, temporary=temporary)
        self.status = status
        self.retry_after = retry_after
        self.headers = headers or {}
        self.body = body
        self.captures = captures


class FeedError(SourceError):
    """The document holds no feed; the feed at this address may well recover."""

    def __init__(self, url: str, reason: str, message: str = "") -> None:
        super().__init__(url, reason, message, temporary=True)


class ExtractError(SourceError):
    """No parser survived the page, or it took too long or too much memory."""


@contextmanager
def ungrouped() -> Iterator[None]:
    """Let the first exception of a task group out by itself: callers know kinds of errors, not groups of them."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise first_of(group) from group


def first_of(error: BaseException) -> BaseException:
    """The first exception of a group, or of a group in it; any other is itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
