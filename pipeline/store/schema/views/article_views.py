"""Views of what the archive holds now: articles, their authors and tags."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import sqlalchemy as sa

from pipeline.store.schema.article_columns import SEPARATORS, SHOWN, comment_of
from pipeline.store.schema.tables import ArticleAuthorRow, ArticleRow, ArticleStoryRow, ArticleTagRow, Key, PageRow
from pipeline.store.schema.views.view_shape import Column, View, ViewSource

a, p, s = ViewSource("a", ArticleRow), ViewSource("p", PageRow), ViewSource("s", ArticleStoryRow)
w, t = ViewSource("w", ArticleAuthorRow), ViewSource("t", ArticleTagRow)

ARTICLE_ID = a("id", "article_id", "the article; the same in all views")


_BEFORE_STORY = (
    *("page_id", "url", "site", "title", "text", "authors", "tags", "published_at", "published_from", "modified_at"),
    *("language", "section", "description", "image", "word_count", "content_hash", "duplicate_of"),
)
_BEFORE_GONE = ("agency", "page_class", "source", "extractor", "extractor_version", "first_seen_at", "updated_at")
# What came later stands at the end, in the order of the table: the place of a column is part of the contract.
_LATER = tuple(name for name in SHOWN if name not in _BEFORE_STORY + _BEFORE_GONE)


def _of_article(names: Iterable[str]) -> Iterator[Column]:
    for name in names:
        shown = a(name, comment=comment_of(name))
        yield replace(shown, expression=f"{{{name}}}", type=sa.Text()) if name in SEPARATORS else shown


ARTICLE = View(
    "v_article",
    "One row for each article: what it says now, where it stands, which story it belongs to.",
    (
        ARTICLE_ID,
        *_of_article(_BEFORE_STORY),
        Column(
            "story_id",
            "coalesce(s.story_id, a.duplicate_of, a.id)",
            Key,
            "the first article of its story, itself where it stands alone; v_story has those with more than one",
        ),
        s("role", "story_role"),
        *_of_article(_BEFORE_GONE),
        p("gone_at"),
        *_of_article(_LATER),
    ),
    # A left join by key costs nothing where no column of it is asked for: both databases leave it out then.
    "FROM article AS a\nLEFT JOIN page AS p ON p.id = a.page_id\nLEFT JOIN article_story AS s ON s.article_id = a.id",
)

_OF_ARTICLE = a.columns("url", "site", "language", "published_at", "first_seen_at")

ARTICLE_AUTHOR = View(
    "v_article_author",
    "One row for each author of an article, with what one groups by.",
    (w("article_id", comment="the article"), w("position"), w("name", "author"), *_OF_ARTICLE),
    "FROM article_author AS w LEFT JOIN article AS a ON a.id = w.article_id",
)

ARTICLE_TAG = View(
    "v_article_tag",
    "One row for each tag of an article, with what one groups by.",
    (t("article_id", comment="the article"), t("tag"), *_OF_ARTICLE),
    "FROM article_tag AS t LEFT JOIN article AS a ON a.id = t.article_id",
)
