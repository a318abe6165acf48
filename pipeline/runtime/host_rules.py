"""What a host asks of programs, read before its first page: robots.txt (RFC 9309) and tdmrep.json (TDMRep)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_TEXT
from pipeline.model import Capture, Response
from pipeline.robots.opt_out import PATH, TdmRules, parse_tdm, tdm_text
from pipeline.robots.robots_txt import Robots, parse_robots, robots_text, robots_verdict
from pipeline.runtime.asking_parts import AskingParts
from pipeline.store.frontier.hosts import LeasedHost

ACCEPT_JSON = "application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class HostRules:
    """What a host asks of us."""

    robots: Robots
    tdm: TdmRules


class RulesGetter(Protocol):
    """Asks a host, and whatever others it redirects to, for one of its files of rules."""

    def __call__(self, url: str, accept: str, kept_since: datetime) -> Awaitable[Response]:
        """The answer; raises `FetchError`."""


class HostRuleBook:
    """The rules of one host, as remembered or read again; once for all who ask at the same time.

    Args:
        host: as it was when it was leased.
        set_delay: called with the crawl-delay of a robots.txt that was read.
    """

    def __init__(
        self, parts: AskingParts, host: LeasedHost, get: RulesGetter, set_delay: Callable[[timedelta], None]
    ) -> None:
        self._parts = parts
        self._host = host
        self._get = get
        self._set_delay = set_delay
        self._lock = asyncio.Lock()
        self._robots: Robots | None = None
        self._tdm: TdmRules | None = None

    async def robots(self, address: str) -> Robots:
        """The robots.txt for a URL of this host: the last one that was had where it cannot be had now.

        Raises:
            FetchError: it cannot be had and never was: nothing may be fetched until it can (2.3.1.4).
            SessionEnded: the host must not be asked any more.
        """
        async with self._lock:
            if self._robots is None:
                self._robots = await self._read_robots(f"{self._origin(address)}/robots.txt")
            return self._robots

    async def rules(self, address: str) -> HostRules:
        """Both files for a URL of this host; raises what `robots` does."""
        robots = await self.robots(address)
        async with self._lock:
            if self._tdm is None:
                self._tdm = await self._read_tdm(f"{self._origin(address)}{PATH}", robots)
            return HostRules(robots, self._tdm)

    def _origin(self, address: str) -> str:
        return f"{address.partition(':')[0]}://{self._host.name}"

    async def _read_robots(self, url: str) -> Robots:
        host = self._host
        if self._is_fresh(host.robots_fetched_at):
            return parse_robots(host.robots or "")
        try:
            response = await self._get(url, ACCEPT_TEXT, self._expires_from)
            text, status, captures = robots_text(response.body), response.status, response.captures
        except FetchError as error:
            if error.reason.startswith("blocked_") and error.url == url and error.status is None:
                raise  # neither robots.txt nor anything else may be asked for there, today or tomorrow
            if robots_verdict(error) != "allow_all":
                if host.robots_fetched_at is not None:
                    return parse_robots(host.robots or "")
                raise FetchError(
                    url, "robots_unreachable", str(error), retry_after=error.retry_after, captures=error.captures
                ) from error
            text, status, captures = "", error.status or 404, error.captures
        robots = parse_robots(text)
        delay = robots.crawl_delay(self._parts.settings.user_agent) or timedelta(0)
        self._set_delay(delay)
        await self._parts.ledger.keep_robots(host.name, self._parts.now(), text, status, delay)
        self._forget(captures)
        return robots

    async def _read_tdm(self, url: str, robots: Robots) -> TdmRules:
        """What the file says; nothing where it cannot be had, which is so on nearly all hosts."""
        host = self._host
        if self._parts.settings.tdm_file == "off":
            return TdmRules()
        if self._is_fresh(host.tdm_fetched_at):
            return parse_tdm(host.tdm or "")
        text = ""
        captures: tuple[Capture, ...] = ()
        if robots.may_fetch(url, self._parts.settings.user_agent):
            try:
                response = await self._get(url, ACCEPT_JSON, self._expires_from)
                text, captures = tdm_text(response.body), response.captures
            except FetchError as error:
                captures = error.captures
                # Today it says what it said last. To ask again before each turn is more than it is worth.
                text = (host.tdm or "") if robots_verdict(error) == "disallow_for_now" else ""
        await self._parts.ledger.keep_tdm(host.name, self._parts.now(), text)
        self._forget(captures)
        return parse_tdm(text)

    @property
    def _expires_from(self) -> datetime:
        """What is believed for so long may as well have come to a run that was killed."""
        return self._parts.now() - self._parts.settings.robots_ttl

    def _is_fresh(self, read_at: datetime | None) -> bool:
        return read_at is not None and read_at > self._expires_from

    def _forget(self, captures: tuple[Capture, ...]) -> None:
        if self._parts.journal is not None:
            self._parts.journal.forget(captures)
