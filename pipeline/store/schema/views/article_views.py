"""Views of what the archive holds now: articles, their authors and tags."""

import sqlalchemy as sa

from pipeline.tables import ArticleAuthorRow, ArticleRow, ArticleStoryRow, ArticleTagRow, Key, PageRow
from pipeline.views.shape import Column, Source, View

a, p, s = Source("a", ArticleRow), Source("p", PageRow), Source("s", ArticleStoryRow)
w, t = Source("w", ArticleAuthorRow), Source("t", ArticleTagRow)

ARTICLE_ID = a("id", "article_id", "the article; the same in all views")


def _told(name: str) -> str:
    return str(ArticleRow.__table__.columns[name].comment)


ARTICLE = View(
    "v_article",
    "One row for each article: what it says now, where it stands, which story it belongs to.",
    (
        ARTICLE_ID,
        *a.columns("page_id", "url", "site", "title", "text"),
        Column("authors", "{authors}", sa.Text(), "names in the order of the by-line, joined by '; '; null for none"),
        Column("tags", "{tags}", sa.Text(), "tags as the page has them, joined by '; '; null for none"),
        *a.columns("published_at", "published_from", "modified_at", "language", "section", "description", "image"),
        *a.columns("word_count", "content_hash", "duplicate_of"),
        Column(
            "story_id",
            "coalesce(s.story_id, a.duplicate_of, a.id)",
            Key,
            "the first article of its story, itself where it stands alone; v_story has those with more than one",
        ),
        s("role", "story_role"),
        *a.columns("agency", "page_class", "source", "extractor", "extractor_version", "first_seen_at", "updated_at"),
        p("gone_at"),
        *a.columns("published_precision", "site_name", "publisher", "access", "kind"),
        Column("captions", "{captions}", sa.Text(), f"{_told('captions')}, joined by a blank line; null for none"),
        Column(
            "corrections",
            "{corrections}",
            sa.Text(),
            f"{_told('corrections')}, as the page has them now, joined by a blank line; null for none",
        ),
    ),
    # A left join by key costs nothing where no column of it is asked for: both databases leave it out then.
    "FROM article AS a\nLEFT JOIN page AS p ON p.id = a.page_id\nLEFT JOIN article_story AS s ON s.article_id = a.id",
)

_OF_ARTICLE = a.columns("url", "site", "language", "published_at", "first_seen_at")

ARTICLE_AUTHOR = View(
    "v_article_author",
    "One row for each author of an article, with what one groups by.",
    (
        w("article_id", comment="the article"),
        w("position"),
        w("name", "author"),
        *_OF_ARTICLE,
    ),
    "FROM article_author AS w LEFT JOIN article AS a ON a.id = w.article_id",
)

ARTICLE_TAG = View(
    "v_article_tag",
    "One row for each tag of an article, with what one groups by.",
    (t("article_id", comment="the article"), t("tag"), *_OF_ARTICLE),
    "FROM article_tag AS t LEFT JOIN article AS a ON a.id = t.article_id",
)
