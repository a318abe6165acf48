"""What every kind of request is made with, and what goes wrong with one, told in one way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx

from pipeline.config import Settings
from pipeline.errors import FetchError
from pipeline.fetch.response_journal import ResponseJournal
from pipeline.fetch.wire import Wire
from pipeline.http.answers import parse_url, redirect_target, retry_after
from pipeline.http.failure import WireFailure
from pipeline.http.ssrf_guard import SsrfGuard
from pipeline.model import Capture

_WAITING = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class FetchParts:
    """What requests are made with.

    Attributes:
        slots: one for each request that may be under way at once.
        keep: whether responses and errors carry the answers as they came.
        journal: where answers wait for what is made of them.
    """

    settings: Settings
    clock: Callable[[], datetime]
    guard: SsrfGuard
    wire: Wire
    slots: asyncio.Semaphore
    keep: bool = False
    journal: ResponseJournal | None = None

    def check(self, target: httpx.URL) -> None:
        """Ask the guard about the URL in the very form in which it is sent: no two parsers to play off.

        Raises WireFailure: it must not be asked for.
        """
        try:
            self.guard.check_url(str(target))
        except FetchError as error:
            raise WireFailure(error.reason, str(error).removeprefix(f"{error.reason}: ")) from error

    def follow(self, target: httpx.URL, location: str | None, trail: Sequence[str], *, may_return: bool) -> httpx.URL:
        """Where a redirect leads.

        One of the URLs of the trail may be asked once more where a cookie was set meanwhile (``may_return``).

        Raises WireFailure: nowhere, back, or too far.
        """
        try:
            target = redirect_target(target, location)
        except ValueError as error:
            raise WireFailure("bad_redirect", f"{(location or '')[:200]!r}: {error}") from error
        if trail.count(str(target)) > may_return:
            raise WireFailure("redirect_loop", f"back to {target}")
        if len(trail) > self.settings.max_redirects:
            raise WireFailure("too_many_redirects", f"more than {self.settings.max_redirects}")
        return target

    def refusal(self, answer: httpx.Response, message: str = "") -> WireFailure:
        """The failure that an answer with the status of an error is."""
        status = answer.status_code
        wait = answer.headers.get("retry-after") if status in _WAITING else None
        return WireFailure(
            f"http_{status}",
            message or answer.reason_phrase,
            status=status,
            retry_after=retry_after(wait, self.clock()),
        )

    @asynccontextmanager
    async def in_time(self, url: str, trail: list[str], captures: Sequence[Capture] = ()) -> AsyncIterator[None]:
        """Hold a request to the deadline, and make a `FetchError` of what goes wrong."""
        deadline = self.settings.deadline.total_seconds()
        async with self.slots:  # so that waiting in our own queue is not held against the server
            try:
                async with asyncio.timeout(deadline):
                    with naming_url(url, trail, captures):
                        yield
            except TimeoutError as error:
                limit = f"not done in {deadline:g} s{_last_hop(trail)}"
                raise FetchError(url, "deadline", limit, captures=tuple(captures)) from error


@contextmanager
def naming_url(url: str, trail: list[str], captures: Sequence[Capture] = ()) -> Iterator[None]:
    """Make a `FetchError` of this URL out of what goes wrong on the wire."""
    try:
        yield
    except WireFailure as error:
        raise FetchError(
            url,
            error.reason,
            f"{error}{_last_hop(trail)}",
            temporary=error.temporary,
            status=error.status,
            retry_after=error.retry_after,
            headers=error.headers,
            body=error.body,
            captures=tuple(captures),
        ) from error


def parse_target(url: str) -> httpx.URL:
    """The URL as it is sent. Raises WireFailure when it cannot be asked for."""
    try:
        return parse_url(url)
    except ValueError as error:
        raise WireFailure("bad_url", str(error)) from error


def readable_headers(headers: httpx.Headers) -> dict[str, str]:
    """The headers without those whose value cannot be stored or sent back: HTTP/2 lets NUL and line ends through."""
    return {name: value for name, value in headers.items() if not any(mark in value for mark in "\0\r\n")}


def _last_hop(trail: list[str]) -> str:
    return f" (redirected to {trail[-1]})" if len(trail) > 1 else ""
