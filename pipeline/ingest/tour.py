"""Asking whatever host an answer leads to, each under a lease of its own: for robots.txt, and for searches.

Pages and feeds do not travel so: they wait at the other host until it is its turn (`pipeline.store.routes`). What must
be known at once cannot wait, so it holds the other host for a moment, if that is free.
"""

from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_PAGE
from pipeline.fetch.asked import Asked
from pipeline.ingest.context import Context
from pipeline.ingest.visit import Visit, VisitOver
from pipeline.model import Response, Route, Validators
from pipeline.store.frontier import lease_host
from pipeline.urls import host_of

STEP = timedelta(milliseconds=250)
"""How often a host that another worker, or another turn, holds is tried again."""

_NONE = Validators()


class Tour:
    """Asks any host, starting from one that is held.

    Args:
        context: of the run.
        visit: to the host that is held.
        patience: how long to wait for another host.
    """

    def __init__(self, context: Context, visit: Visit, patience: timedelta = timedelta(0)) -> None:
        self._context = context
        self._patience = patience
        self._visits = {visit.host.name: visit}
        self._own = visit

    async def get(
        self,
        url: str,
        *,
        validators: Validators = _NONE,
        accept: str = ACCEPT_PAGE,
        kept_since: datetime | None = None,
    ) -> Response:
        """Ask for a URL, following redirects; as `Fetcher.get`.

        Raises:
            VisitOver: the run is to end.
            FetchError: it came to nothing; ``host_busy`` where a host is held by others, or wants to be left alone.
        """
        route, asked = Route(url), Asked(accept, validators, kept_since=kept_since)
        while True:
            visit = await self._visit(route.url)
            try:
                answer = await visit.ask(route, asked)
            except VisitOver:
                if self._context.stop.is_asked:
                    raise
                raise FetchError(route.url, "host_busy", "it wants to be left alone", temporary=True) from None
            if isinstance(answer, Response):
                return answer
            route = answer.route

    async def end(self) -> None:
        """Give back the hosts that were taken on the way."""
        for visit in self._visits.values():
            if visit is not self._own:
                await visit.end()

    async def _visit(self, url: str) -> Visit:
        context = self._context
        try:
            name = host_of(url)
        except ValueError as error:
            raise FetchError(url, "bad_url", str(error), temporary=False) from error
        until = context.now() + self._patience
        while name not in self._visits:
            host = await context.database.write(lease_host, name, context.owner, context.now(), context.settings.lease)
            if host is not None:
                self._visits[name] = Visit(context, host)
            elif context.stop.is_asked:
                raise VisitOver
            elif context.now() >= until:
                raise FetchError(url, "host_busy", "another worker talks to this host", temporary=True)
            else:
                await context.pause_until(context.now() + STEP)
        return self._visits[name]
