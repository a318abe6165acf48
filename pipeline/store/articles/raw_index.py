"""Which raw copies there are, and where they stand; the files themselves are no business of this module."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.rows import batches, storable
from pipeline.tables import FeedRow, PageRow, RawRow
from pipeline.urls import canonical_url


@dataclass(frozen=True, slots=True)
class Of:
    """Whose copy it is: a page's or a feed's; nobody's where its address is not known (any more)."""

    page_id: int | None = None
    feed_id: int | None = None

    @property
    def kind(self) -> str:
        """``page`` or ``feed``."""
        return "page" if self.feed_id is None else "feed"

    @property
    def is_it(self) -> sa.ColumnElement[bool]:
        """The row is of a copy of it."""
        if self.feed_id is not None:
            return RawRow.feed_id == self.feed_id
        return RawRow.page_id == self.page_id


@dataclass(frozen=True, slots=True)
class RawCopy:
    """One answer, and where it stands."""

    of: Of
    url: str
    status: int
    fetched_at: datetime
    file: str
    file_offset: int
    file_length: int
    record_id: str
    digest: str
    refers_to: int | None = None


def find_original(connection: Connection, of: Of, digest: str | None) -> sa.RowMapping | None:
    """The last copy of it that has this body; with None the last good one, which a 304 speaks of."""
    query = sa.select(RawRow.id, RawRow.record_id, RawRow.url, RawRow.fetched_at).where(
        of.is_it, ~RawRow.dropped, RawRow.refers_to.is_(None)
    )
    query = query.where(RawRow.digest == digest) if digest else query.where(RawRow.status.between(200, 299))
    return connection.execute(query.order_by(RawRow.id.desc()).limit(1)).mappings().first()


def record_copies(connection: Connection, copies: Iterable[RawCopy]) -> None:
    """Note where copies stand."""
    for copy in copies:
        original = None
        if copy.refers_to is not None:  # it may just have been pruned; the lock makes whoever does that wait
            named = sa.select(RawRow.id).where(RawRow.id == copy.refers_to, ~RawRow.dropped)
            original = connection.scalar(named.with_for_update(read=True, key_share=True))
        values = {name: getattr(copy, name) for name in _COPIED}
        owner = {"kind": copy.of.kind, "page_id": copy.of.page_id, "feed_id": copy.of.feed_id}
        values |= owner | {"url": storable(copy.url), "refers_to": original, "dropped": False}
        connection.execute(sa.insert(RawRow).values(values))


def adopt_copy(connection: Connection, of: Of, url: str, fetched_at: datetime) -> sa.RowMapping | None:
    """The copy of the answer that came from there at this time, noted as one of this page or feed; None for none."""
    same = sa.select(RawRow.id, RawRow.refers_to).where(RawRow.fetched_at == fetched_at, RawRow.url == storable(url))
    row = connection.execute(same).mappings().first()
    if row is not None:
        owner = {"kind": of.kind, "page_id": of.page_id, "feed_id": of.feed_id}
        connection.execute(sa.update(RawRow).where(RawRow.id == row["id"]).values(owner))
    return row


_COPIED = ("status", "fetched_at", "file", "file_offset", "file_length", "record_id", "digest")


def known_records(connection: Connection, file: str) -> dict[str, tuple[int, int]]:
    """Where the records of a file stand by what is noted: offset and length by UUID."""
    query = sa.select(RawRow.record_id, RawRow.file_offset, RawRow.file_length).where(RawRow.file == file)
    return {row.record_id: (row.file_offset, row.file_length) for row in connection.execute(query)}


def all_files(connection: Connection) -> set[str]:
    """The names of all files that are noted."""
    return set(connection.scalars(sa.select(RawRow.file).distinct()))


def owner_of(connection: Connection, url: str) -> Of:
    """Whose copy an answer of this address is."""
    with suppress(ValueError):
        page_id = connection.scalar(sa.select(PageRow.id).where(PageRow.url == canonical_url(url)))
        if page_id is not None:
            return Of(page_id=page_id)
    return Of(feed_id=connection.scalar(sa.select(FeedRow.id).where(FeedRow.url == url)))


def forget_records(connection: Connection, file: str, record_ids: Sequence[str]) -> int:
    """Remove the rows of records that are not in their file (any more); returns how many there were."""
    gone = 0
    for batch in batches(record_ids):
        ids = sa.select(RawRow.id).where(RawRow.file == file, RawRow.record_id.in_(batch)).scalar_subquery()
        connection.execute(sa.update(RawRow).where(RawRow.refers_to.in_(ids)).values(refers_to=None))
        done = connection.execute(sa.delete(RawRow).where(RawRow.file == file, RawRow.record_id.in_(batch)))
        gone += done.rowcount
    return gone


def move_records(connection: Connection, file: str, positions: Mapping[str, tuple[int, int]]) -> None:
    """Note where the records of a file stand now; rows of those that are not in it any more go."""
    known = known_records(connection, file)
    for record_id, place in known.items():
        if record_id in positions and positions[record_id] != place:
            offset, length = positions[record_id]
            moved = sa.update(RawRow).where(RawRow.file == file, RawRow.record_id == record_id)
            connection.execute(moved.values(file_offset=offset, file_length=length))
    forget_records(connection, file, [record_id for record_id in known if record_id not in positions])


def dropped_records(connection: Connection) -> dict[str, set[str]]:
    """The records that are to be taken out, by file."""
    found: dict[str, set[str]] = {}
    for row in connection.execute(sa.select(RawRow.file, RawRow.record_id).where(RawRow.dropped)):
        found.setdefault(row.file, set()).add(row.record_id)
    return found


def copies_of(connection: Connection, url: str) -> list[dict[str, Any]]:
    """All copies of a page or a feed, newest first; those of its aliases too."""
    of = owner_of(connection, url)
    if of == Of():
        return []
    mine = of.is_it
    if of.page_id is not None:
        home = sa.select(sa.func.coalesce(PageRow.alias_of, PageRow.id)).where(PageRow.id == of.page_id)
        home_id = connection.scalar(home)
        family = sa.select(PageRow.id).where(sa.or_(PageRow.id == home_id, PageRow.alias_of == home_id))
        mine = RawRow.page_id.in_(family.scalar_subquery())
    query = sa.select(RawRow.__table__).where(mine, ~RawRow.dropped)
    rows = connection.execute(query.order_by(RawRow.fetched_at.desc(), RawRow.id.desc()))
    return [dict(row) for row in rows.mappings()]


def raw_row(connection: Connection, row_id: int) -> dict[str, Any] | None:
    """One copy."""
    row = connection.execute(sa.select(RawRow.__table__).where(RawRow.id == row_id, ~RawRow.dropped)).mappings().first()
    return dict(row) if row else None


def count_copies(connection: Connection) -> dict[str, Any]:
    """How many copies there are, of what, from when to when, and how many are to be taken out of their files."""
    count = sa.func.count()
    kinds = connection.execute(
        sa.select(RawRow.kind, count, sa.func.sum(RawRow.file_length)).where(~RawRow.dropped).group_by(RawRow.kind)
    ).all()
    first, last = connection.execute(sa.select(sa.func.min(RawRow.fetched_at), sa.func.max(RawRow.fetched_at))).one()
    return {
        "copies": {kind: number for kind, number, _ in kinds},
        "bytes": {kind: int(size or 0) for kind, _, size in kinds},
        "revisits": connection.scalar(sa.select(count).where(RawRow.refers_to.is_not(None))) or 0,
        "to_be_removed": connection.scalar(sa.select(count).where(RawRow.dropped)) or 0,
        "files": connection.scalar(sa.select(sa.func.count(RawRow.file.distinct()))) or 0,
        "first": first,
        "last": last,
    }
