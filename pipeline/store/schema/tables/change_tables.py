"""The log of changes to the archive, which triggers write."""

from datetime import datetime

from sqlalchemy import BigInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.schema.tables.column_types import Key, Table, check_words

CHANGE_KINDS = ("new", "revised", "updated", "duplicate", "story", "gone", "back", "deleted")


class ChangeRow(Table):
    """The log of what changed in the archive, written by triggers; v_changes shows what may be read of it."""

    __tablename__ = "change"

    cursor: Mapped[str] = mapped_column(
        String(28),
        primary_key=True,
        comment="place in the order of changes: 14 digits of the transaction (0 on SQLite), 14 of the change itself",
    )
    kind: Mapped[str] = mapped_column(
        String(16),
        comment="new, revised (text or title), updated (other fields), duplicate (a copy of another article, or no"
        " longer one), story (belongs to another one), gone (the page went), back (it returned), deleted (taken down)",
    )
    article_id: Mapped[int] = mapped_column(BigInteger, index=True, comment="the article; when deleted, its former id")
    revision: Mapped[int | None] = mapped_column(comment="number of the revision, of the kinds new and revised")
    url: Mapped[str | None] = mapped_column(comment="canonical URL that it had; only of kind deleted")
    site: Mapped[str | None] = mapped_column(comment="site that it was of; only of kind deleted")
    changed_at: Mapped[datetime] = mapped_column(
        index=True, comment="when the change was written, by the database's clock"
    )

    __table_args__ = (check_words("kind", CHANGE_KINDS),)


class ChangeClockRow(Table):
    """One row: what makes the numbers of transactions go on where a database is moved to another PostgreSQL server."""

    __tablename__ = "change_clock"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    shift: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="what is added to the server's transaction numbers"
    )
    server: Mapped[str | None] = mapped_column(
        String(40), comment="the server that the shift is for: its system identifier"
    )
