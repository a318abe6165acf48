"""What articles share: stories (copies of one text) with the sketches they are found by, and blocks that recur."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.schema.tables.column_types import Key, Table, check_words, filled_column

STORY_ROLES = ("first", "copy", "edited", "shortened", "extended")


class ArticleStoryRow(Table):
    """Which story each article belongs to: articles of one text, or nearly so, share it."""

    __tablename__ = "article_story"

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, comment="the article"
    )
    story_id: Mapped[int | None] = mapped_column(
        ForeignKey("article.id", ondelete="SET NULL"),
        index=True,
        comment="the first article of its story, its own id where it is that; null until it is settled anew",
    )
    role: Mapped[str] = filled_column(
        "first",
        String(16),
        comment="beside the first article: first, copy (same text), edited, shortened (a third and more is missing)"
        " or extended",
    )
    similarity: Mapped[float | None] = mapped_column(
        comment="share of the shorter text that also stands in the first's; 1 for a copy"
    )

    __table_args__ = (
        check_words("role", STORY_ROLES),
        Index(
            "ix_article_story_copies",
            "story_id",
            sqlite_where=text("story_id <> article_id"),
            postgresql_where=text("story_id <> article_id"),
        ),
    )


class SketchRow(Table):
    """A few runs of words of each article's text, by which articles that share text are found.

    Keyed by the hash alone: rows of an article that is gone are harmless, and are found by its text.
    """

    __tablename__ = "article_sketch"

    hash: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="of a run of words in its text"
    )
    article_id: Mapped[int] = mapped_column(
        Key, primary_key=True, autoincrement=False, comment="an article that has it"
    )

    __table_args__ = ({"sqlite_with_rowid": False},)


BLOCK_VERDICTS = ("kept", "dropped")


class SiteRow(Table):
    """A site whose recurring blocks are counted."""

    __tablename__ = "site"

    name: Mapped[str] = mapped_column(primary_key=True, comment="as in article.site")
    articles: Mapped[int] = mapped_column(comment="articles whose blocks were counted")


class SiteBlockRow(Table):
    """A block of text that was seen in articles of a site; those that recur by rule are boilerplate.

    At most 2,000 of a site; those least often and longest ago seen go first.
    """

    __tablename__ = "site_block"

    site: Mapped[str] = mapped_column(primary_key=True, comment="as in article.site")
    key: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="hash of its folded words: numbers and dates are one"
    )
    band_1: Mapped[int] = mapped_column(comment="hash of a pair of its words, by which variants are found")
    band_2: Mapped[int] = mapped_column(comment="another")
    band_3: Mapped[int] = mapped_column(comment="another")
    band_4: Mapped[int] = mapped_column(comment="another")
    words: Mapped[int] = mapped_column(comment="words in it")
    sample: Mapped[str | None] = mapped_column(comment="its text; null where it was seen but once, or is too long")
    articles: Mapped[int] = mapped_column(comment="different articles that it stood in, copies left out")
    days: Mapped[int] = mapped_column(
        BigInteger, comment="days on which those were published, a bit each (days since year 1, modulo 63)"
    )
    first_number: Mapped[int] = mapped_column(comment="site.articles when it was first seen")
    last_number: Mapped[int] = mapped_column(comment="site.articles when it was last seen")
    first_article: Mapped[int] = mapped_column(BigInteger, comment="the article that it was first seen in")
    last_article: Mapped[int] = mapped_column(BigInteger, comment="the article that it was last seen in")
    above: Mapped[int] = mapped_column(comment="sum over articles of the paragraphs of text before it")
    below: Mapped[int] = mapped_column(comment="sum over articles of the paragraphs of text after it")
    first_seen_at: Mapped[datetime] = mapped_column(comment="when it was first seen")
    last_seen_at: Mapped[datetime] = mapped_column(comment="when it was last seen")
    verdict: Mapped[str | None] = mapped_column(
        String(16), comment="what the user said: kept (it is text) or dropped; null where the rule decides"
    )

    __table_args__ = (
        check_words("verdict", BLOCK_VERDICTS),
        Index(
            "ix_site_block_recurring",
            "site",
            sqlite_where=text("articles >= 5 OR verdict IS NOT NULL"),
            postgresql_where=text("articles >= 5 OR verdict IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )
