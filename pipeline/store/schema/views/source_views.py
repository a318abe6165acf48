"""Views of where news comes from and what became of it: feeds, sources day by day, the ledger of all URLs."""

import sqlalchemy as sa

from pipeline.store.schema.tables import FeedRow, Key, PageRow, UtcDateTime
from pipeline.store.schema.views.dialect_pieces import announced_sql
from pipeline.store.schema.views.view_shape import Column, View, ViewSource

f, p = ViewSource("f", FeedRow), ViewSource("p", PageRow)

_WORDS = "in the seven days up to the last poll"

FEED_HEALTH = View(
    "v_feed_health",
    "One row for each feed: how it does now, and what its polls of a week came to.",
    (
        f("id", "feed_id", "the feed"),
        *f.columns("url", "title", "host", "site_url", "language", "state", "created_at"),
        *f.columns("last_polled_at", "answered_at", "news_at", "next_poll_at", "interval", "rate"),
        *f.columns("failures", "last_outcome", "last_error", "missing_since"),
        Column("polls", "{polls_of_week}", Key, f"polls {_WORDS}"),
        Column("failed_polls", "{failed_of_week}", Key, f"polls without an answer that could be read, {_WORDS}"),
        Column("new_entries", "{entries_of_week}", Key, f"entries never seen before in the feed, {_WORDS}"),
        Column("gaps", "{gaps_of_week}", Key, f"polls before which entries were missed, {_WORDS}"),
        Column("tags", "{tags_of_feed}", sa.Text(), "folders and labels of the feed, joined by ;"),
    ),
    "FROM feed AS f{week}",
)


FEED_DELAY = View(
    "v_feed_delay",
    "One row for each feed that brought articles in the seven days up to its last poll: how long they took from their"
    " publication, as the feed dates it, to their row. What was published before it was subscribed to is left out.",
    (
        Column("feed_id", "d.feed_id", Key, "the feed"),
        f("url"),
        Column("articles", "max(d.total)", Key, "articles that are counted"),
        *(
            Column(
                name,
                f"max(CASE WHEN d.place = (d.total * {share} + 99) / 100 THEN d.seconds END)",
                sa.Double(),
                f"seconds that {share} of 100 articles took at most, from publication to row",
            )
            for name, share in (("median", 50), ("p95", 95))
        ),
        Column("newest", "max(d.first_seen_at)", UtcDateTime(), "when the last of them was stored"),
    ),
    "FROM feed AS f JOIN (SELECT e.feed_id, {delay} AS seconds, a.first_seen_at,\n"
    "    row_number() OVER (PARTITION BY e.feed_id ORDER BY {delay}) AS place,\n"
    "    count(*) OVER (PARTITION BY e.feed_id) AS total\n"
    "  FROM feed AS g JOIN entry AS e ON e.feed_id = g.id JOIN page AS p ON p.id = e.page_id\n"
    "  JOIN article AS a ON a.page_id = {home_of_p}\n"
    "  WHERE e.first_seen_at > {week_of_g} AND e.published_at >= g.created_at AND a.first_seen_at >= e.published_at)"
    " AS d ON d.feed_id = f.id\nGROUP BY d.feed_id, f.url",
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
            Key,
            "pages first seen on that day that a feed has; backfills do not count",
        ),
        Column("fetched", "d.fetched", Key, "those of them that were asked for since"),
        Column("stored", "d.stored", Key, "those of them that are in the archive, aliases included"),
        Column(
            "failed",
            "d.failed",
            Key,
            "those of them without an article: failed, blocked, rejected or gone; what is left is queued",
        ),
        Column(
            "expected",
            "d.expected",
            sa.Numeric(asdecimal=False),
            "mean of stored on the same weekday of the four weeks before, as far back as the source goes;"
            " null in its first week",
        ),
        Column(
            "deviation",
            "d.stored / nullif(d.expected, 0) - 1",
            sa.Numeric(asdecimal=False),
            "stored beside expected: -1 where nothing came, 0 where all did; null where nothing was expected",
        ),
    ),
    "FROM (SELECT g.source, g.day,\n"
    "    {announced_of_day} AS announced,\n"
    "    {fetched_of_day} AS fetched,\n"
    "    {stored_of_day} AS stored,\n"
    "    {failed_of_day} AS failed,\n"
    "    (SELECT count(CASE WHEN e.state IN ('stored', 'alias') THEN 1 END) FROM page AS e\n"
    f"      WHERE {_FILED} AND {announced_sql('e')}) * 1.0 / {{weeks_known}} AS expected\n"
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
            Key,
            "feeds that announced it",
        ),
    ),
    "FROM page AS p\nLEFT JOIN page AS h ON h.id = p.alias_of\nLEFT JOIN article AS a ON a.page_id = {home_of_p}",
)
