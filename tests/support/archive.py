"""An archive in SQL for tests, with what a worker does with it in short words, and rows to fill it with."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.model import Address, Article, Entry, Fetched, ParsedFeed, Removed, Subscription, Validators
from pipeline.schedule.feeds import PollPolicy
from pipeline.schedule.pages import PagePolicy
from pipeline.store.articles.saving import save_articles
from pipeline.store.articles.version_values import Finding
from pipeline.store.connection.engine import reading, write
from pipeline.store.feeds.feed_claims import claim_feeds
from pipeline.store.feeds.polls import Poll, record_polls
from pipeline.store.feeds.subscriptions import add_feeds, make_feeds_due
from pipeline.store.frontier.discovery import bring_forward, page_row, put_pages
from pipeline.store.frontier.due_work import Scope
from pipeline.store.frontier.page_claims import claim_pages
from pipeline.store.schema.tables import PageRow
from pipeline.text.duplicates import content_hash

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, LEASE = timedelta(minutes=1), timedelta(hours=1), timedelta(minutes=5)
POLICY = PagePolicy(max_attempts=3, retry_delay=MINUTE, revisits=(HOUR,))
POLLING = PollPolicy(start=HOUR, shortest=5 * MINUTE, longest=24 * HOUR)
FEED = "https://feeds.news.example/all.xml"
FETCHED = Fetched(200, Validators('"1"', "yesterday"), 1234)


def scope(until=NOW, **kinds):
    return Scope(until=until, max_attempts=POLICY.max_attempts, **kinds)


def claim_feed(connection, scope, host, owner, now, lease):
    """The feed of this host that is due longest; None where none is due."""
    return next(iter(claim_feeds(connection, scope, host, owner, now, lease, 1)), None)


def claim_page(connection, scope, host, owner, now, lease):
    return next(iter(claim_pages(connection, scope, host, owner, now, lease, 1)), None)


def record_poll(connection, poll, policy):
    return record_polls(connection, [poll], policy)[0]


def save_article(connection, page, owner, article, fetched, now, policy):
    return save_articles(connection, [Finding(page, article, fetched)], owner, now, policy)[0]


def entry(number=1, *, host="news.example", hash_="h", guid=None, **fields):
    url = f"https://{host}/{number}"
    return Entry(guid=guid or url, url=url, title=f"Title {number}", hash=hash_, **fields)


def parsed(*entries, **fields):
    return ParsedFeed("News", "https://news.example/", "en", "rss", tuple(entries), **fields)


def article(url="https://news.example/1", text="One two three four.", **fields):
    values = {"title": "Headline", "authors": ("Ada Ruiz",), "tags": ("port", "tides"), "site": "news.example"} | fields
    values = {"removed": (Removed("NOW WATCH: boats", "teaser"),)} | values
    return Article(
        url=url,
        text=text,
        content_hash=content_hash(text),
        word_count=len(text.split()),
        extractor="test",
        extractor_version="1",
        **values,
    )


class Archive:
    """What a worker does with the database, in short words."""

    def __init__(self, engine):
        self.engine = engine

    def __call__(self, function, *args, **kwargs):
        return write(self.engine, function, *args, **kwargs)

    def rows(self, table, *columns):
        with reading(self.engine) as connection:
            query = sa.select(*(columns or table.__table__.columns)).order_by(table.__table__.primary_key.columns[0])
            return connection.execute(query).mappings().all()

    def page(self, url="https://news.example/1"):
        return next(row for row in self.rows(PageRow) if row["url"] == url)

    def poll(self, *entries, now=NOW, url=FEED):
        self(add_feeds, [Subscription(url=url)], now, HOUR)
        self(make_feeds_due, now)
        feed = self(claim_feed, scope(now), url.split("/")[2], "w", now, LEASE)
        return self(record_poll, Poll(feed, now, "read", parsed=parsed(*entries)), POLLING)

    def claim(self, owner="w", now=NOW, host="news.example"):
        return self(claim_page, scope(now), host, owner, now, LEASE)

    def save(self, page, extracted, owner="w", now=NOW):
        return self(save_article, page, owner, extracted, FETCHED, now, POLICY)

    def store(self, url="https://news.example/1", now=NOW, **fields):
        """Poll an entry of this page, claim it, and save an article."""
        self.poll(Entry(guid=url, url=url, hash=str(now)), now=now)
        page = self.claim(now=now, host=url.split("/")[2])
        return self.save(page, article(url, **fields), now=now)


def discover_pages(connection, entries, now, due_at):
    """Put the pages of these entries into the frontier; returns the ids of all, also of those there already."""
    addresses = [Address(entry.url, entry.published_at, "feed") for entry in entries if entry.url is not None]
    ids, new = put_pages(connection, {address.url: page_row(address, now, due_at) for address in addresses})
    bring_forward(connection, [page_id for url, page_id in ids.items() if url not in new])
    return ids
