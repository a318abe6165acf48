"""What a host asks of programs, read before its first page: robots.txt (RFC 9309) and tdmrep.json (TDMRep)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_TEXT
from pipeline.ingest.context import Context
from pipeline.ingest.tour import Tour
from pipeline.ingest.visit import Visit
from pipeline.model import Capture, Response
from pipeline.robots import Robots, parse_robots, robots_text, robots_verdict
from pipeline.store.frontier import record_robots, record_tdm
from pipeline.tdm import PATH, TdmRules, parse_tdm, tdm_text

PATIENCE = timedelta(seconds=60)
"""How long to wait for another host that a robots.txt redirects to: about as long as for an answer."""

ACCEPT_JSON = "application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host asks of us."""

    robots: Robots
    tdm: TdmRules


class RuleBook:
    """The rules of the host of a visit, as remembered or read anew; once for all who ask at the same time."""

    def __init__(self, context: Context, visit: Visit) -> None:
        self._context = context
        self._visit = visit
        self._lock = asyncio.Lock()
        self._rules: Rules | None = None

    async def read(self, address: str) -> Rules:
        """The rules for a URL of this host.

        Raises:
            FetchError: robots.txt cannot be had and never was: nothing may be fetched until it can (2.3.1.4).
            VisitOver: the host must not be asked any more.
        """
        async with self._lock:
            if self._rules is None:
                origin = f"{address.partition(':')[0]}://{self._visit.host.name}"
                robots = await self._robots(f"{origin}/robots.txt")
                self._rules = Rules(robots, await self._tdm(f"{origin}{PATH}", robots))
            return self._rules

    async def _robots(self, url: str) -> Robots:
        context, host = self._context, self._visit.host
        if self._is_fresh(host.robots_fetched_at):
            return parse_robots(host.robots or "")
        try:
            response = await self._get(url, ACCEPT_TEXT)
            text, status, captures = robots_text(response.body), response.status, response.captures
        except FetchError as error:
            if error.reason.startswith("blocked_") and error.url == url and error.status is None:
                raise  # neither robots.txt nor anything else may be asked for there, today or tomorrow
            if robots_verdict(error) != "allow_all":
                if host.robots_fetched_at is not None:
                    return parse_robots(host.robots or "")
                self._visit.over = self._visit.is_in_vain = True
                raise FetchError(url, "robots_unreachable", str(error), temporary=True) from error
            text, status, captures = "", error.status or 404, error.captures
        robots = parse_robots(text)
        delay = robots.crawl_delay(context.settings.user_agent) or timedelta(0)
        self._visit.set_crawl_delay(delay)
        await context.database.write(record_robots, host.name, context.now(), text=text, status=status, delay=delay)
        context.forget(captures)
        return robots

    async def _tdm(self, url: str, robots: Robots) -> TdmRules:
        """What the file says; nothing where it cannot be had, which is so on nearly all hosts."""
        context, host = self._context, self._visit.host
        if context.settings.tdm_file == "off":
            return TdmRules()
        if self._is_fresh(host.tdm_fetched_at):
            return parse_tdm(host.tdm or "")
        text = ""
        captures: tuple[Capture, ...] = ()
        if robots.may_fetch(url, context.settings.user_agent):
            try:
                response = await self._get(url, ACCEPT_JSON)
                text, captures = tdm_text(response.body), response.captures
            except FetchError as error:
                captures = error.captures
                # Today it says what it said last. To ask again before each turn is more than it is worth.
                text = (host.tdm or "") if robots_verdict(error) == "disallow_for_now" else ""
        await context.database.write(record_tdm, host.name, context.now(), text)
        context.forget(captures)
        return parse_tdm(text)

    async def _get(self, url: str, accept: str) -> Response:
        tour = Tour(self._context, self._visit, PATIENCE)
        try:
            # What is believed for so long may as well have come to a run that was killed.
            since = self._context.now() - self._context.settings.robots_ttl
            return await tour.get(url, accept=accept, kept_since=since)
        finally:
            await tour.end()

    def _is_fresh(self, read_at: datetime | None) -> bool:
        return read_at is not None and self._context.now() - read_at < self._context.settings.robots_ttl
