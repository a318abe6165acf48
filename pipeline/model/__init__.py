"""The things of the pipeline, one type for each stage that a thing goes through.

::

    Feed ─fetch→ Response ─parse→ ParsedFeed ∋ Entry ─frontier→ Page ─fetch→ Response ─extract→ Article

All are frozen values. All times are zone-aware and in UTC; all durations are ``timedelta``; all URLs in a
field called ``url`` are canonical (`pipeline.urls.canonical_url`) unless said otherwise.
"""

from pipeline.model.article import (
    Access,
    Article,
    BodyBlock,
    Cause,
    Cleaned,
    Decision,
    Metadata,
    NoArticle,
    Precision,
    Provenance,
    Reference,
    Removed,
)
from pipeline.model.exchange import Capture, ChainCookie, FeedAccess, Fetched, Redirect, Response, Route, Validators
from pipeline.model.feed_types import (
    Entry,
    Feed,
    FeedFormat,
    FeedHints,
    HubSubscription,
    ParsedFeed,
    Rhythm,
    Subscription,
)
from pipeline.model.ledger_page import NEWS_SOURCES, WEAK_DATES, Address, Announcement, Page

__all__ = [
    "NEWS_SOURCES",
    "WEAK_DATES",
    "Access",
    "Address",
    "Announcement",
    "Article",
    "BodyBlock",
    "Capture",
    "Cause",
    "ChainCookie",
    "Cleaned",
    "Decision",
    "Entry",
    "Feed",
    "FeedAccess",
    "FeedFormat",
    "FeedHints",
    "Fetched",
    "HubSubscription",
    "Metadata",
    "NoArticle",
    "Page",
    "ParsedFeed",
    "Precision",
    "Provenance",
    "Redirect",
    "Reference",
    "Removed",
    "Response",
    "Rhythm",
    "Route",
    "Subscription",
    "Validators",
]  # fmt: skip
