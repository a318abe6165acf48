"""The archive: articles with their authors, tags and corrections, and every version of their text."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.schema.tables.column_types import JsonOrNull, Key, Table, check_words, filled_column

HIDDEN_COLUMN = {"is_shown": False}
"""``info`` of a column that v_article does not show."""

REVISED_COLUMN = {"told_by": "revised"}
"""``info`` of a column that only a revision changes."""

FIXED_COLUMN = {"told_by": None}
"""``info`` of a column of which a change is no news: it never changes, or with each change of another."""

SHAPE = "one letter for each paragraph of the text: p paragraph, 1 to 6 heading, i item … (docs/schema.md)"


class ArticleRow(Table):
    """The archive: the current text and metadata of each page that holds an article.

    This is the one list of what an article consists of (`pipeline.store.schema.article_columns`): a column is shown by
    v_article, exported, and logged as ``updated`` where it changes, unless its ``info`` says otherwise.
    """

    __tablename__ = "article"

    id: Mapped[int] = mapped_column(Key, primary_key=True, info=HIDDEN_COLUMN | FIXED_COLUMN)
    page_id: Mapped[int] = mapped_column(
        ForeignKey("page.id"), unique=True, comment="the page that it is on", info=FIXED_COLUMN
    )
    url: Mapped[str] = mapped_column(index=True, comment="canonical URL")
    site: Mapped[str] = mapped_column(index=True, comment="host name without www., to group by")
    title: Mapped[str | None] = mapped_column(comment="headline", info=REVISED_COLUMN)
    text: Mapped[str] = mapped_column(comment="cleaned text, paragraphs joined by a blank line", info=REVISED_COLUMN)
    authors: Mapped[list[Any]] = mapped_column(
        comment="names in order (article_author has a row for each)",
        info={"joined_by": "; ", "shown_as": "names in the order of the byline"},
    )
    tags: Mapped[list[Any]] = mapped_column(
        comment="as the page has them (article_tag has a row for each)",
        info={"joined_by": "; ", "shown_as": "tags as the page has them"},
    )
    published_at: Mapped[datetime | None] = mapped_column(index=True, comment="publication, as the page or feed says")
    published_from: Mapped[str | None] = mapped_column(
        String(40),
        comment="what says published_at: json-ld, url … of the page, or what announced it (page.published_from)",
    )
    modified_at: Mapped[datetime | None] = mapped_column(comment="last change, as the page says")
    language: Mapped[str | None] = mapped_column(String(16), comment="ISO 639-1")
    section: Mapped[str | None] = mapped_column(comment="section or desk")
    description: Mapped[str | None] = mapped_column(comment="the page's own summary")
    image: Mapped[str | None] = mapped_column(comment="URL of the main picture")
    word_count: Mapped[int] = mapped_column(comment="words in the text", info=REVISED_COLUMN)
    content_hash: Mapped[str] = mapped_column(
        String(64), index=True, comment="SHA-256 of the normalised text", info=REVISED_COLUMN
    )
    duplicate_of: Mapped[int | None] = mapped_column(
        ForeignKey("article.id"),
        comment="the first article with the same text; null for the first itself",
        info={"told_by": "duplicate"},
    )
    removed: Mapped[list[Any]] = mapped_column(
        comment='what cleaning took out: [{"text": …, "reason": …}]', info=HIDDEN_COLUMN | REVISED_COLUMN
    )
    extractor: Mapped[str] = mapped_column(String(40), comment="what made the text", info=REVISED_COLUMN)
    extractor_version: Mapped[str] = mapped_column(String(40), comment="its version", info=REVISED_COLUMN)
    page_class: Mapped[str] = filled_column(
        "article",
        String(16),
        comment="article, paywall (only the beginning of it), live_blog, or a type that is stored (docs/reasons.md)",
    )
    source: Mapped[str] = filled_column(
        "page", String(16), comment="page, or feed where the page cannot be had and the feed carried the text"
    )
    agency: Mapped[str | None] = mapped_column(comment="the news agency that it is from, where known")
    published_precision: Mapped[str | None] = mapped_column(
        String(8), comment="time, or day where published_at knows but that"
    )
    site_name: Mapped[str | None] = mapped_column(comment="what the site calls itself")
    publisher: Mapped[str | None] = mapped_column(comment="who publishes it, as the page says")
    access: Mapped[str] = filled_column(
        "unknown", String(16), comment="free, metered, paid or unknown, as the page declares"
    )
    kind: Mapped[str | None] = mapped_column(
        comment="type of article by schema.org, without article: news, opinionnews, blogposting …"
    )
    captions: Mapped[list[Any]] = filled_column(
        list, comment="captions of its figures, which are no part of the text", info={"joined_by": "\n\n"}
    )
    corrections: Mapped[list[Any]] = filled_column(
        list,
        comment="notices of corrections and changes, apart from the text",
        info={
            "joined_by": "\n\n",
            "shown_as": "notices of corrections and changes, apart from the text, as the page has them now",
        },
    )
    provenance: Mapped[dict[str, Any]] = filled_column(
        dict,
        comment='for each field where it came from: {"title": {"from": …, "sure": 0–1, "others": [[source, value]]}}',
        info=HIDDEN_COLUMN | FIXED_COLUMN,
    )
    shape: Mapped[str | None] = mapped_column(comment=SHAPE)
    # No rows of a table: their keys would take as much room again. Addresses of pictures change with sizes and servers,
    # which is no news.
    links: Mapped[list[Any] | None] = mapped_column(
        JsonOrNull,
        comment="what its text links to, each address once: [[URL, words]]; null where it is not known",
        info=HIDDEN_COLUMN | FIXED_COLUMN,
    )
    pictures: Mapped[list[Any] | None] = mapped_column(
        JsonOrNull,
        comment="pictures in its text and above it: [[URL, words in their stead]]; null where it is not known",
        info=HIDDEN_COLUMN | FIXED_COLUMN,
    )
    first_seen_at: Mapped[datetime] = mapped_column(index=True, comment="when it was first stored", info=FIXED_COLUMN)
    updated_at: Mapped[datetime] = mapped_column(
        index=True, comment="when anything of it last changed", info=FIXED_COLUMN
    )


# Of copies alone: SQLite would take an index of all articles for a quick way to those that are none.
Index(
    "ix_article_copies",
    ArticleRow.duplicate_of,
    sqlite_where=ArticleRow.duplicate_of.is_not(None),
    postgresql_where=ArticleRow.duplicate_of.is_not(None),
)
# For v_ledger, which asks for the article of each page: without reading that.
Index("ix_article_page_id_id", ArticleRow.page_id, ArticleRow.id)
Index(
    "ix_article_agency",
    ArticleRow.agency,
    sqlite_where=ArticleRow.agency.is_not(None),
    postgresql_where=ArticleRow.agency.is_not(None),
)
# For lists of articles (`pipeline.store.queries.known_lists`), which ask in these forms. Nobody else does: SQLite takes
# any value for a rare one, and would look for the English articles of a day among all that are English.
Index("ix_article_known_language", func.coalesce(ArticleRow.language, text("''")), ArticleRow.id)
Index(
    "ix_article_rare_class",
    ArticleRow.page_class,
    ArticleRow.id,
    sqlite_where=text("page_class <> 'article'"),
    postgresql_where=text("page_class <> 'article'"),
)
Index("ix_article_site_at", ArticleRow.site, func.coalesce(ArticleRow.published_at, ArticleRow.first_seen_at))


class ArticleAuthorRow(Table):
    """One row for each author of an article."""

    __tablename__ = "article_author"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, comment="place in the by-line, from 0")
    name: Mapped[str] = mapped_column(index=True, comment="the person's name")


class ArticleTagRow(Table):
    """One row for each tag of an article."""

    __tablename__ = "article_tag"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True, index=True, comment="as the page or the feed has it")


class ArticleCorrectionRow(Table):
    """One row for each notice of a correction that an article has carried; it stays where the notice goes."""

    __tablename__ = "article_correction"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True, comment="the article"
    )
    revision: Mapped[int] = mapped_column(comment="number of the revision that it first stood beside")
    notice: Mapped[str] = mapped_column(comment="what the publisher says of the error or change")
    seen_at: Mapped[datetime] = mapped_column(index=True, comment="when the page was fetched that first had it")


REVISION_KINDS = ("first", "title", "text", "both")


class RevisionRow(Table):
    """Append-only: what an article said, a new row only when its cleaned text or title changed."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), comment="the article")
    number: Mapped[int] = mapped_column(comment="1 for what was first stored")
    changed: Mapped[str] = mapped_column(String(16), comment="first, title, text or both")
    title: Mapped[str | None] = mapped_column(comment="headline as of this revision")
    text: Mapped[str] = mapped_column(comment="cleaned text as of this revision")
    word_count: Mapped[int] = mapped_column(comment="words in the text")
    content_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the normalised text")
    removed: Mapped[list[Any]] = mapped_column(comment="what cleaning took out then")
    corrections: Mapped[list[Any]] = filled_column(list, comment="notices of corrections and changes that it carried")
    extractor: Mapped[str] = mapped_column(String(40), comment="what made the text")
    extractor_version: Mapped[str] = mapped_column(String(40), comment="its version")
    shape: Mapped[str | None] = mapped_column(comment=SHAPE)
    cause: Mapped[str] = filled_column(
        "publisher",
        String(16),
        comment="who changed it: publisher, or reclean where our rules read the same page otherwise",
    )
    seen_at: Mapped[datetime] = mapped_column(index=True, comment="when this revision was fetched")

    __table_args__ = (UniqueConstraint("article_id", "number"), check_words("changed", REVISION_KINDS))
