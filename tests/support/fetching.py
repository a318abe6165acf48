"""Single requests against a server on loopback, and what they come to."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.config import Settings
from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_PAGE, Fetcher
from pipeline.fetch.request_options import NO_VALIDATORS, RequestOptions
from pipeline.model import Redirect, Response, Route, Validators
from tests.support.http2 import trusting_context

LOOPBACK = Settings(
    allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
    resolve=(("news.test", "127.0.0.1"), ("*.news.test", "127.0.0.1"), ("other.example", "127.0.0.1")),
    user_agent="tester/1.0",
    contact="https://example.org/bot",
    timeout=timedelta(seconds=10),
    deadline=timedelta(seconds=30),
    max_bytes=100_000,
)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FollowingFetcher(Fetcher):
    """A fetcher that follows redirects at once, wherever they lead, as `HostSession.ask` does on one host."""

    async def get(
        self, url: str, *, accept: str = ACCEPT_PAGE, validators: Validators = NO_VALIDATORS, **options: object
    ) -> Response:
        asked = RequestOptions(accept, validators, **options)
        answer, captures, elapsed = Redirect(Route(url), timedelta(0)), (), timedelta(0)
        while isinstance(answer, Redirect):
            url = answer.route.url
            try:
                answer = await self.step(answer.route, asked)
            except FetchError as error:
                if error.url != url:
                    raise AssertionError(f"{error.url} is named, {url} was asked for") from error
                raise
            captures, elapsed = captures + answer.captures, elapsed + answer.elapsed
        return replace(answer, captures=captures, elapsed=elapsed)


def run(work: Callable[[FollowingFetcher], Awaitable[object]], limits: Settings = LOOPBACK) -> None:
    async def within() -> None:
        async with FollowingFetcher(limits, trust=trusting_context(), clock=lambda: NOW) as fetcher:
            await work(fetcher)

    asyncio.run(within())


def get(url: str, limits: Settings = LOOPBACK, **options: object) -> Response:
    answers: list[Response] = []

    async def work(fetcher: FollowingFetcher) -> None:
        answers.append(await fetcher.get(url, **options))

    run(work, limits)
    return answers[0]


def failure(url: str, limits: Settings = LOOPBACK, **options: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        get(url, limits, **options)
    return caught.value
