"""Views of where news comes from and what became of it: feeds, sources day by day, the ledger of all URLs."""

import sqlalchemy as sa

from pipeline.tables import FeedRow, PageRow
from pipeline.views.pieces import announced
from pipeline.views.shape import Column, Source, View

f, p = Source("f", FeedRow), Source("p", PageRow)

_WORDS = "in the seven days up to the last poll"

FEED_HEALTH = View(
    "v_feed_health",
    "One row for each feed: how it does now, and what its polls of a week came to.",
    (
        f("id", "feed_id", "the feed"),
        *f.columns("url", "title", "host", "site_url", "language", "state", "created_at"),
        *f.columns("last_polled_at", "answered_at", "news_at", "next_poll_at", "interval", "rate"),
        *f.columns("failures", "last_outcome", "last_error", "missing_since"),
        Column("polls", "{polls_of_week}", sa.Integer(), f"polls {_WORDS}"),
        Column(
            "failed_polls",
            "{failed_of_week}",
            sa.Integer(),
            f"polls without an answer that could be read, {_WORDS}",
        ),
        Column(
            "new_entries",
            "{entries_of_week}",
            sa.Integer(),
            f"entries never seen before in the feed, {_WORDS}",
        ),
        Column(
            "gaps",
            "{gaps_of_week}",
            sa.Integer(),
            f"polls before which entries were missed, {_WORDS}",
        ),
    ),
    "FROM feed AS f{week}",
)


_FILED = "{source_of_e} = g.source AND {day_of_e} IN ({same_weekdays})"

SOURCE_DAILY = View(
    "v_source_daily",
    "One row for each source and UTC day, days without anything too, from the source's first day to the newest day of"
    " the archive: what was announced then, what became of it up to now, and what was to be expected.",
    (
        Column("source", "d.source", sa.Text(), "host name without www., as in v_article.site"),
        Column("day", "d.day", sa.Date(), "UTC day on which the pages were announced: first seen in a feed"),
        Column(
            "announced",
            "d.announced",
            sa.Integer(),
            "pages first seen on that day that a feed has; backfills do not count",
        ),
        Column("fetched", "d.fetched", sa.Integer(), "those of them that were asked for since"),
        Column("stored", "d.stored", sa.Integer(), "those of them that are in the archive, aliases included"),
        Column(
            "failed",
            "d.failed",
            sa.Integer(),
            "those of them without an article: failed, blocked, rejected or gone; what is left is queued",
        ),
        Column(
            "expected",
            "d.expected",
            sa.Float(),
            "mean of stored on the same weekday of the four weeks before, as far back as the source goes;"
            " null in its first week",
        ),
        Column(
            "deviation",
            "d.stored / nullif(d.expected, 0) - 1",
            sa.Float(),
            "stored beside expected: -1 where nothing came, 0 where all did; null where nothing was expected",
        ),
    ),
    "FROM (SELECT g.source, g.day,\n"
    "    {announced_of_day} AS announced,\n"
    "    {fetched_of_day} AS fetched,\n"
    "    {stored_of_day} AS stored,\n"
    "    {failed_of_day} AS failed,\n"
    "    (SELECT count(CASE WHEN e.state IN ('stored', 'alias') THEN 1 END) FROM page AS e\n"
    f"      WHERE {_FILED} AND {announced('e')}) * 1.0 / {{weeks_known}} AS expected\n"
    "  FROM (SELECT s.source, s.first_day, c.day\n"
    "    FROM {sources} AS s JOIN {calendar} AS c ON c.day >= s.first_day) AS g\n"
    "  {pages_of_day}{by_day}) AS d",
)

LEDGER = View(
    "v_ledger",
    "One row for each URL ever discovered: what became of it, and why.",
    (
        p("id", "page_id", "the page"),
        *p.columns("url", "host", "state", "outcome", "reason", "detail", "attempts", "status", "bytes"),
        *p.columns("robots", "opt_out", "published_at", "discovered_at", "fetched_at", "next_fetch_at", "gone_at"),
        Column("leads_to", "h.url", sa.Text(), "the canonical URL of an alias; null for any other"),
        Column(
            "article_id", "a.id", FeedRow.__table__.columns["id"].type, "the article that it leads to; null for none"
        ),
        Column(
            "feeds",
            "(SELECT count(DISTINCT e.feed_id) FROM entry AS e WHERE e.page_id = p.id)",
            sa.Integer(),
            "feeds that announced it",
        ),
    ),
    "FROM page AS p\n"
    "LEFT JOIN page AS h ON h.id = p.alias_of\n"
    "LEFT JOIN article AS a ON a.page_id = coalesce(p.alias_of, p.id)",
)
