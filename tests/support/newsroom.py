"""A newsroom on loopback, the pipeline that reads it into an archive, and a clock that can be put forward."""

import ipaddress
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.ingest import plan_ingest, run_ingest
from pipeline.model import Subscription
from pipeline.store.connection.engine import open_engine, reading, write
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.schema.tables import PageRow
from tests.support.stories import article_page, paragraphs, rss, title
from tests.support.web import Web, page, validated

XML = "application/rss+xml"


class Pipeline:
    """A newsroom on loopback, an archive, and a clock that can be put forward."""

    def __init__(self, web: Web, url: str) -> None:
        self.web = web
        self.url = url
        self.ahead = timedelta(0)
        self.engine = open_engine(url)
        self.settings = Settings(
            database_url=url,
            allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
            host_delay=timedelta(0),
            retry_delay=timedelta(minutes=5),
            timeout=timedelta(seconds=10),
            jobs=1,
        )

    def now(self):
        return datetime.now(UTC) + self.ahead

    def subscribe(self, *paths, host=None):
        urls = [self.web.url(path, host=host) for path in paths]
        write(self.engine, add_feeds, [Subscription(url=url) for url in urls], self.now(), timedelta(minutes=30))

    def serve_stories(self, *numbers, feed="/feed.xml"):
        """Articles at /NUMBER and a feed that announces them, subscribed to."""
        for number in numbers:
            self.web.routes[f"/{number}"] = validated(article_page(number), f'"{number}"')
        self.web.routes[feed] = validated(self.feed_of(*numbers), f'"{numbers}"', XML)
        self.subscribe(feed)

    def feed_of(self, *numbers, **options):
        return rss({self.web.url(f"/{number}"): title(number) for number in numbers}, **options)

    def ingest(self, **options):
        poll_all = options.pop("poll_all", True)
        plan_ingest(self.settings, poll_all=poll_all, now=self.now)
        return run_ingest(self.settings, now=self.now, **options)

    def rows(self, table):
        with reading(self.engine) as connection:
            return connection.execute(sa.select(table.__table__).order_by(sa.text("1"))).mappings().all()

    def page(self, path):
        return next(row for row in self.rows(PageRow) if row["url"] == self.web.url(path))


def totals_of(totals, *names):
    return tuple(totals.as_dict()[name] for name in names)


CHALLENGE = "<title>Just a moment...</title><h1>Checking</h1><script>window._cf_chl_opt={cvId:'3'}</script>"


def serve_with_contents(newsroom, *numbers):
    """A feed that carries the whole text of its pages, with boilerplate below."""
    texts = {newsroom.web.url(f"/{number}"): [*paragraphs(number), "NOW WATCH: a film"] for number in numbers}
    newsroom.serve_stories(*numbers)
    newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(*numbers, contents=texts), XML)
