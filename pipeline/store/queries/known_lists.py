"""The lists that there are: of articles, feeds, polls, sources, the ledger, learned boilerplate, backfills."""

from typing import Final

from pipeline.store.queries.list_filters import (
    contains,
    equals,
    has_tag,
    is_page,
    is_since,
    is_until,
    of_class,
    of_language,
    of_story,
)
from pipeline.store.queries.view_lists import ViewList

ARTICLES: Final = ViewList(
    "v_article",
    (
        *("article_id", "published_at", "site", "title", "authors", "language", "section", "word_count"),
        *("page_class", "story_role", "access", "url", "first_seen_at"),
    ),
    ("article_id",),
    {
        "site": equals("site"),
        "language": equals("language"),
        "since": is_since("published_at"),
        "until": is_until("published_at"),
        "page_class": of_class,
        "story": of_story,
    },
    alone={"language": of_language},
    keys=dict.fromkeys(("since", "until"), ("published_at", "article_id")),
    unique="article_id",
)
LEDGER: Final = ViewList(
    "v_ledger",
    (
        *("page_id", "url", "host", "state", "outcome", "reason", "detail", "status", "attempts"),
        *("discovered_at", "fetched_at", "next_fetch_at", "leads_to", "article_id"),
    ),
    ("page_id",),
    {
        "url": is_page("url"),
        "host": equals("host"),
        "state": equals("state"),
        "reason": equals("reason"),
        "since": is_since("discovered_at"),
        "until": is_until("discovered_at"),
    },
    unique="page_id",
)
FEEDS: Final = ViewList(
    "v_feed_health",
    (
        *("feed_id", "title", "url", "tags", "state", "last_polled_at", "answered_at", "news_at", "next_poll_at"),
        *("interval", "rate", "failures", "last_outcome", "last_error", "polls", "failed_polls", "new_entries", "gaps"),
    ),
    ("feed_id",),
    {
        "feed": equals("feed_id"),
        "words": contains("title", "url"),
        "state": equals("state"),
        "tag": has_tag("tags"),
        "host": equals("host"),
    },
    {name: (name, "feed_id") for name in ("url", "state", "next_poll_at", "interval", "failures")},
    unique="feed_id",
)
ENTRIES: Final = ViewList(
    "v_entry",
    ("entry_id", "feed_id", "title", "url", "published_at", "first_seen_at", "changes", "article_id"),
    ("entry_id",),
    {"feed": equals("feed_id")},
    keys={"feed": ("first_seen_at", "entry_id")},
    unique="entry_id",
)
POLLS: Final = ViewList(
    "poll",
    (
        *("id", "feed_id", "polled_at", "status", "outcome", "entries_seen", "entries_new", "entries_changed"),
        *("missed", "bytes", "duration", "error"),
    ),
    ("id",),
    {"feed": equals("feed_id")},
    keys={"feed": ("polled_at", "id")},
)
SOURCES: Final = ViewList(
    "v_source_daily",
    ("source", "day", "announced", "fetched", "stored", "failed", "expected", "deviation"),
    ("day", "source"),
    {"source": equals("source"), "day": equals("day"), "since": is_since("day"), "until": is_until("day")},
    {"source": ("source", "day")},
)
SITES: Final = ViewList("site", ("name", "articles"), ("name",), sorts={"name": ("name",)})
BLOCKS: Final = ViewList(
    "site_block",
    ("site", "key", "articles", "verdict", "sample"),
    ("articles", "key"),
    {"site": equals("site")},
)
BACKFILLS: Final = ViewList(
    "backfill_job",
    ("id", "source", "targets", "since", "until", "options", "created_at", "finished_at"),
    ("id",),
)
