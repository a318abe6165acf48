"""Views of what was when: revisions, what was current at a time, and the stream of changes."""

import sqlalchemy as sa

from pipeline.store.schema.tables import ArticleCorrectionRow, ArticleRow, ChangeRow, RevisionRow, UtcDateTime
from pipeline.store.schema.views.view_shape import Column, View, ViewSource

a, r, c = ViewSource("a", ArticleRow), ViewSource("r", RevisionRow), ViewSource("c", ChangeRow)
k = ViewSource("k", ArticleCorrectionRow)

_NEXT = "LEFT JOIN revision AS n ON n.article_id = r.article_id AND n.number = r.number + 1"

CORRECTIONS = Column(
    "corrections",
    "{corrections_of_revision}",
    sa.Text(),
    f"{RevisionRow.__table__.columns['corrections'].comment}, joined by a blank line; null for none",
)

REVISION = View(
    "v_revision",
    "One row for each version of an article's text or title, with what changed since the one before.",
    (
        r("id", "revision_id", "the revision"),
        *r.columns("article_id", "number", "changed"),
        *a.columns("url", "site"),
        *r.columns("title", "text", "word_count", "content_hash"),
        Column("previous_title", "b.title", sa.Text(), "headline of the revision before; null for the first"),
        Column("previous_text", "b.text", sa.Text(), "text of the revision before; null for the first"),
        Column(
            "word_change",
            "r.word_count - b.word_count",
            sa.Integer(),
            "how many words the text grew by, negative where it shrank; null for the first revision",
        ),
        *r.columns("extractor", "extractor_version", "seen_at", "cause"),
        CORRECTIONS,
        r("shape"),
    ),
    # Numbers have no gaps: a revision is never removed but with its article.
    "FROM revision AS r\n"
    "LEFT JOIN article AS a ON a.id = r.article_id\n"
    "LEFT JOIN revision AS b ON b.article_id = r.article_id AND b.number = r.number - 1",
)

ARTICLE_VERSION = View(
    "v_article_version",
    "One row for each version of an article with the time for which it was current, to ask what was known at a time:"
    " valid_from <= :time AND (valid_to IS NULL OR valid_to > :time).",
    (
        *r.columns("article_id", "number"),
        r("seen_at", "valid_from", "from when on it was current: when we saw it first"),
        Column("valid_to", "n.seen_at", UtcDateTime(), "until when: when the next was seen; null for what is current"),
        *a.columns("url", "site"),
        *r.columns("title", "text", "word_count", "content_hash"),
        *(
            a(name, comment=f"{ArticleRow.__table__.columns[name].comment}; as of now: it has no history")
            for name in ("language", "published_at", "duplicate_of")
        ),
        CORRECTIONS,
        r("shape"),
    ),
    f"FROM revision AS r\nLEFT JOIN article AS a ON a.id = r.article_id\n{_NEXT}",
)

CORRECTION = View(
    "v_correction",
    "One row for each notice of a correction that an article has carried, as text, with the revision that it first"
    " stood beside; it stays where the page no longer has it.",
    (
        k("id", "correction_id", "the notice"),
        *k.columns("article_id", "revision", "notice", "seen_at"),
        *a.columns("url", "site", "title", "language", "published_at"),
    ),
    "FROM article_correction AS k LEFT JOIN article AS a ON a.id = k.article_id",
)

CHANGES = View(
    "v_changes",
    "One row for each change of the archive, in the order in which readers may take them up: who has read up to a"
    " cursor, and asks for cursor > :cursor ORDER BY cursor, misses none and gets none twice.",
    (
        *c.columns("cursor", "kind", "article_id", "revision"),
        Column("url", "coalesce(a.url, c.url)", sa.Text(), "canonical URL; of what was deleted, in that row only"),
        Column("site", "coalesce(a.site, c.site)", sa.Text(), "host name without www.; likewise"),
        *c.columns("changed_at"),
    ),
    "FROM change AS c LEFT JOIN article AS a ON a.id = c.article_id{settled}",
)

AS_OF = """CREATE FUNCTION v_article_as_of(at_time timestamptz) RETURNS SETOF v_article_version
LANGUAGE sql STABLE AS $$
  SELECT * FROM v_article_version AS v WHERE v.valid_from <= at_time AND (v.valid_to IS NULL OR v.valid_to > at_time)
$$"""
"""PostgreSQL only: SQLite has no functions that give tables. What it says runs by hand on both."""
