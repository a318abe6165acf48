"""A publisher, a hub and a WebSub subscriber whose steps the test takes itself."""

import asyncio
import ipaddress
import threading
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.fetch import Fetcher
from pipeline.ingest import run_ingest
from pipeline.model import Subscription
from pipeline.runtime.asking_parts import AskingParts
from pipeline.runtime.context import Database, RunContext
from pipeline.runtime.events import Tally
from pipeline.runtime.host_ledger import SqlHostLedger
from pipeline.runtime.polite_client import PoliteClient
from pipeline.runtime.workers import Workers
from pipeline.store.connection.engine import open_engine, reading, write
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.frontier.due_work import Scope
from pipeline.store.schema.tables import SubscriptionRow
from pipeline.websub.server import Server
from pipeline.websub.service import Subscriber
from tests.support.stories import rss, title
from tests.support.web import page

RSS = "application/rss+xml"


class PushedNewsroom:
    """A publisher, a hub, and a subscriber whose steps the test takes itself, with a clock that can be put forward."""

    def __init__(self, web, hub, url):
        self.web, self.hub = web, hub
        self.engine = open_engine(url)
        self.ahead = timedelta(0)
        hub.clock = lambda: self.now().timestamp()
        self.settings = Settings(
            database_url=url,
            allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
            host_delay=timedelta(0),
            jobs=1,
        )
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)

    def now(self):
        return datetime.now(UTC) + self.ahead

    def __enter__(self):
        self.thread.start()
        self(self._open())
        return self

    def __exit__(self, *_):
        self(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.engine.dispose()

    def __call__(self, step):
        """Take a step of the subscriber, and let the hub come to rest."""
        done = asyncio.run_coroutine_threadsafe(step, self.loop).result(timeout=120)
        self.hub.settle()
        return done

    async def _open(self):
        self.database = Database(self.engine)
        self.fetcher = Fetcher(self.settings, clock=self.now)
        self.workers = Workers(1, self.settings.extract_timeout)
        ledger = SqlHostLedger(self.database, "nobody", self.settings.lease)
        client = PoliteClient(AskingParts(self.settings, self.fetcher, ledger, self.now))
        scope = Scope(until=self.now(), max_attempts=5)
        context = RunContext(self.settings, self.database, client, self.workers, scope, "nobody", Tally())
        self.errors = []
        self.server = Server(lambda call: self.subscriber.answer(call), 100_000, self.errors.append)
        port = await self.server.listen("127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{port}/hooks"
        self.subscriber = Subscriber(context, self.base)

    async def _close(self):
        await self.server.close()
        await self.fetcher.__aexit__(None, None, None)
        await self.workers.__aexit__(None, None, None)
        self.database.close()

    @property
    def topic(self):
        return self.web.url("/feed.xml")

    def announce(self, *numbers, links=True):
        """Serve a feed of these stories, with its hub in the headers."""
        body = rss({self.web.url(f"/{number}"): title(number) for number in numbers})
        headers = {"Link": f'<{self.hub.url}>; rel="hub", <{self.topic}>; rel="self"'} if links else {}
        self.web.routes["/feed.xml"] = page(body, RSS, **headers)
        return body.encode()

    def subscribe(self, *numbers):
        """A feed is added, polled, and subscribed to at its hub."""
        self.announce(*numbers)
        write(self.engine, add_feeds, [Subscription(url=self.topic)], self.now(), timedelta(hours=6))
        self.poll()
        self(self.subscriber.keep())

    def poll(self):
        return run_ingest(self.settings, kinds=frozenset({"poll"}), now=self.now)

    def rows(self, table):
        with reading(self.engine) as connection:
            return connection.execute(sa.select(table.__table__).order_by(sa.text("1"))).mappings().all()

    @property
    def subscription(self):
        (row,) = self.rows(SubscriptionRow)
        return row

    def change(self, table, **values):
        with self.engine.begin() as connection:
            connection.execute(sa.update(table).values(**values))
