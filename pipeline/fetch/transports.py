"""Connections kept open between requests: a transport of httpx, with its own small pool, for each origin.

A pool of httpx looks at every connection twice for each request, and counts all of them for each idle one: with
64 hosts waiting out their delays that took more processor time than all else. A crawler asks many hosts, each
seldom, so here a host's connections are found by its name.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx

KEEP_ALIVE_SECONDS = 15.0  # a host is asked again after its delay of some seconds; idle sockets cost little

Origin = tuple[str, str, int | None]


@dataclass(slots=True)
class _Kept:
    transport: httpx.AsyncBaseTransport
    users: int = 0
    left_at: float = 0.0


class Transports:
    """Gives each origin its transport, and closes those that are no longer used.

    Args:
        most: how many are kept, as long as some have no user.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        make: Callable[[], httpx.AsyncBaseTransport],
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[Origin, _Kept] = OrderedDict()  # least recently left first

    @asynccontextmanager
    async def of(self, url: httpx.URL) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """The transport of the URL's origin; it stays open at least until the context ends."""
        origin = (url.scheme, url.host, url.port)
        kept = self._kept.get(origin)
        if kept is None:
            kept = self._kept[origin] = _Kept(self._make())
        kept.users += 1
        try:
            yield kept.transport
        finally:
            kept.users -= 1
            kept.left_at = self._clock()
            self._kept.move_to_end(origin)
            await self._close_some()

    async def close(self) -> None:
        """Close everything."""
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.transport.aclose()

    async def _close_some(self) -> None:
        old = self._clock() - KEEP_ALIVE_SECONDS
        if len(self._kept) <= self._most and next(iter(self._kept.values())).left_at > old:
            return
        for origin, kept in list(self._kept.items()):
            if kept.users or self._kept.get(origin) is not kept:  # the latter: while we waited for another to close
                continue
            if len(self._kept) <= self._most and kept.left_at > old:
                return
            del self._kept[origin]
            with suppress(Exception):  # nobody waits for what these connections might still say
                await kept.transport.aclose()
