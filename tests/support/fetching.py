"""Single requests against a server on loopback, and what they come to."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.config import Settings
from pipeline.errors import FetchError
from pipeline.fetch import Fetcher
from pipeline.model import Response
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


def run(work: Callable[[Fetcher], Awaitable[object]], limits: Settings = LOOPBACK) -> None:
    async def within() -> None:
        async with Fetcher(limits, trust=trusting_context(), clock=lambda: NOW) as fetcher:
            await work(fetcher)

    asyncio.run(within())


def get(url: str, limits: Settings = LOOPBACK, **options: object) -> Response:
    answers: list[Response] = []

    async def work(fetcher: Fetcher) -> None:
        answers.append(await fetcher.get(url, **options))

    run(work, limits)
    return answers[0]


def failure(url: str, limits: Settings = LOOPBACK, **options: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        get(url, limits, **options)
    assert caught.value.url == url
    return caught.value
