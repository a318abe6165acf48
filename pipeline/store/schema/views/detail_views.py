"""Views of what stands behind an article: how feeds announced it, what cleaning took out, its answers as they came."""

import sqlalchemy as sa

from pipeline.store.schema.tables import ArticleRow, EntryRow, FeedRow, Key, PageRow, RawRow
from pipeline.store.schema.views.article_views import ARTICLE_ID
from pipeline.store.schema.views.view_shape import Column, View, ViewSource
from pipeline.text.shape import LETTERS

a, e, f = ViewSource("a", ArticleRow), ViewSource("e", EntryRow), ViewSource("f", FeedRow)
p, w = ViewSource("p", PageRow), ViewSource("w", RawRow)

_OF_ARTICLE = a.columns("url", "site", "language", "published_at", "first_seen_at")
_ARTICLE = Column("article_id", "a.id", Key, "the article that it leads to; null for none")
# Of a page that is there: who asks by the article asks by its pages then, and PostgreSQL has an index of those.
_HOME = "LEFT JOIN page AS p ON p.id = {key}\nLEFT JOIN article AS a ON a.page_id = {{home_of_p}} AND p.id IS NOT NULL"

ENTRY = View(
    "v_entry",
    "One row for each entry of a feed, as it was announced: which feed, under which title, with which tags.",
    (
        e("id", "entry_id", "the entry"),
        e("feed_id"),
        f("url", "feed_url", "address of the feed"),
        f("title", "feed_title", "title of the feed"),
        Column("feed_tags", "{tags_of_feed}", sa.Text(), "folders and labels of the feed, joined by ;"),
        *e.columns("guid", "page_id"),
        _ARTICLE,
        p("url", comment="canonical URL of the page announced"),
        *e.columns("title", "summary"),
        Column("authors", "{authors_of_entry}", sa.Text(), "authors as announced, joined by ;"),
        Column("tags", "{tags_of_entry}", sa.Text(), "tags and categories as announced, joined by ;"),
        *e.columns("published_at", "updated_at", "changes", "first_seen_at", "last_seen_at"),
    ),
    "FROM entry AS e\nJOIN feed AS f ON f.id = e.feed_id\n" + _HOME.format(key="e.page_id"),
)

REMOVED = View(
    "v_removed",
    "One row for each piece of an article's page that cleaning took out, with the reason, in the order of the page.",
    (
        ARTICLE_ID,
        Column("position", "{place_of_alternative}", sa.Integer(), "place among those of the article, from 1"),
        Column("text", "{removed_text}", sa.Text(), "what was taken out"),
        Column("reason", "{removed_reason}", sa.Text(), "why, such as teaser or phrase"),
        *_OF_ARTICLE,
    ),
    "FROM article AS a {each_removed}",
)


_ADDRESS, _WORDS = "{other_source}", "{other_value}"
"""Of a link or picture, which is a pair as the values of other sources are."""

ARTICLE_LINK = View(
    "v_article_link",
    "One row for each page or file that an article's text links to, in the order of the text. Articles that were stored"
    " before there were links have none: a revisit fills them in, or news reclean.",
    (
        ARTICLE_ID,
        Column("position", "{place_of_alternative}", sa.Integer(), "place among those of the article, from 1"),
        Column("target_url", _ADDRESS, sa.Text(), "where it leads to, as a canonical URL: v_article.url of articles"),
        Column("target_site", "{site_of_link}", sa.Text(), "host name of that without www., as in v_article.site"),
        Column("text", _WORDS, sa.Text(), "the words of the link, 200 characters at most"),
        *_OF_ARTICLE,
    ),
    "FROM article AS a {each_link}",
)

ARTICLE_PICTURE = View(
    "v_article_picture",
    "One row for each picture in an article's text and above it, in the order of the page, but for icons. The one that"
    " the page declares as the main one is v_article.image, which may be none of them or one in another size.",
    (
        ARTICLE_ID,
        Column("position", "{place_of_alternative}", sa.Integer(), "place among those of the article, from 1"),
        Column("picture_url", _ADDRESS, sa.Text(), "where it is, in one of its sizes"),
        Column("text", _WORDS, sa.Text(), "what the page gives in its stead, to be read out; empty for nothing"),
        *_OF_ARTICLE,
    ),
    "FROM article AS a {each_picture}",
)


def _told(index: int) -> str:
    """Kind (0) or level (1) of a paragraph by its letter."""
    values = {letter: meaning[index] for letter, meaning in LETTERS.items() if meaning[index] is not None}
    cases = " ".join(f"WHEN '{letter}' THEN {value!r}" for letter, value in values.items())
    return f"CASE substr(a.shape, {{place_of_alternative}}, 1) {cases} END"


ARTICLE_BLOCK = View(
    "v_article_block",
    "One row for each paragraph of an article's text, in order, with what the page has it as.",
    (
        ARTICLE_ID,
        Column("position", "{place_of_alternative}", sa.Integer(), "place in the text, from 1"),
        Column(
            "kind",
            _told(0),
            sa.Text(),
            f"{', '.join(dict.fromkeys(kind for kind, _ in LETTERS.values()))}; null"
            " where it is not known: of what feeds carried, and of articles that were stored before shapes were",
        ),
        Column(
            "level",
            _told(1),
            sa.Integer(),
            "of a heading 1 to 6, where the page says so; of an item how deep its"
            " list is nested, 3 for all beyond; else null",
        ),
        Column("text", "o.value", sa.Text(), "the paragraph; of a row its cells with | between"),
        *_OF_ARTICLE,
    ),
    "FROM article AS a {each_paragraph}",
)

RAW = View(
    "v_raw",
    "One row for each answer that is kept as it came: where in the raw archive it stands (docs/archive.md).",
    (
        w("id", "raw_id", "the answer"),
        *w.columns("kind", "page_id", "feed_id"),
        _ARTICLE,
        *w.columns(
            "url", "status", "fetched_at", "file", "file_offset", "file_length", "record_id", "digest", "refers_to"
        ),
    ),
    "FROM raw AS w\n" + _HOME.format(key="w.page_id") + "\nWHERE NOT w.dropped",
)

ARTICLE_LOCAL = View(
    "v_article_local",
    "One row for each article that is dated to the minute by a publisher whose distance from UTC is known: when it was"
    " published by the publisher's own clock.",
    (
        ARTICLE_ID,
        Column("utc_offset", "{offset}", sa.Text(), "the publisher's distance from UTC, such as +02:00"),
        Column("local_time", "{local_time}", sa.Text(), "publication by that clock, such as 2026-11-22 14:05"),
        Column("local_hour", "{local_hour}", sa.Integer(), "its hour, from 0 to 23"),
        *_OF_ARTICLE,
    ),
    "FROM article AS a\nWHERE {offset} IS NOT NULL AND a.published_at IS NOT NULL"
    " AND coalesce(a.published_precision, 'time') = 'time'",
)
