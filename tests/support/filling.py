"""Backfills for tests: an archive, a newsroom with a past on loopback, and a clock."""

import ipaddress
from datetime import UTC, datetime, timedelta
from html import escape

import sqlalchemy as sa

from pipeline.backfill import BackfillRequest, begin_job, run_job
from pipeline.config import Settings
from pipeline.periods import read_period
from pipeline.store.connection.engine import open_engine, reading
from tests.support.stories import article_page
from tests.support.web import Web, page

XML = "application/xml"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def urlset(rows: dict[str, str | None], *, news: dict[str, str] | None = None) -> str:
    """A sitemap of these pages with their lastmod; ``news`` gives some of them a publication date."""
    entries = "".join(
        f"<url><loc>{escape(url)}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}{_news((news or {}).get(url))}</url>"
        for url, at in rows.items()
    )
    return f'<?xml version="1.0"?><urlset xmlns="{SITEMAPS}" xmlns:news="{NEWS}">{entries}</urlset>'


def _news(at: str | None) -> str:
    return f"<news:news><news:publication_date>{at}</news:publication_date></news:news>" if at else ""


def index(rows: dict[str, str | None]) -> str:
    """A sitemap index of these sitemaps with their lastmod."""
    entries = "".join(
        f"<sitemap><loc>{escape(url)}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</sitemap>"
        for url, at in rows.items()
    )
    return f'<?xml version="1.0"?><sitemapindex xmlns="{SITEMAPS}">{entries}</sitemapindex>'


class Filling:
    """An archive that is filled backwards from a newsroom on loopback."""

    def __init__(self, web: Web, url: str) -> None:
        self.web = web
        self.ahead = timedelta(0)
        self.engine = open_engine(url)
        self.settings = Settings(
            database_url=url,
            allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
            host_delay=timedelta(0),
            timeout=timedelta(seconds=10),
            jobs=1,
        )

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def serve(self, paths: dict[str, int]) -> None:
        """Articles at these paths, by their numbers."""
        for path, number in paths.items():
            self.web.routes[path] = page(article_page(number))

    def fill(self, source, units, *, since=None, until=None, rate=None, listener=None, **options):
        """Begin a backfill, or go on with it, and run it."""
        wanted = BackfillRequest(source, tuple(address for _, address in units), read_period(since, until), **options)
        job = begin_job(self.settings, wanted, units, now=self.now)
        return run_job(self.settings, job.id, rate=rate, listener=listener, now=self.now)

    def rows(self, table):
        with reading(self.engine) as connection:
            return connection.execute(sa.select(table.__table__).order_by(sa.text("1"))).mappings().all()
