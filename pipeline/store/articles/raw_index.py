"""Which archived responses there are, and where they stand; the files themselves are no business of this module."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.connection.rows import batches, core, storable
from pipeline.store.schema.tables import FeedRow, PageRow, RawRow
from pipeline.urls import canonical_url


@dataclass(frozen=True, slots=True)
class CaptureSubject:
    """Whose copy it is: a page's or a feed's; nobody's where its address is not known (any more)."""

    page_id: int | None = None
    feed_id: int | None = None

    @property
    def kind(self) -> str:
        """``page`` or ``feed``."""
        return "page" if self.feed_id is None else "feed"

    @property
    def key(self) -> int | None:
        """The id of the page or the feed."""
        return self.page_id if self.feed_id is None else self.feed_id

    @property
    def is_it(self) -> sa.ColumnElement[bool]:
        """The row is of a copy of it."""
        if self.feed_id is not None:
            return RawRow.feed_id == self.feed_id
        return RawRow.page_id == self.page_id


@dataclass(frozen=True, slots=True)
class RawCopy:
    """One answer, and where it stands."""

    of: CaptureSubject
    url: str
    status: int
    fetched_at: datetime
    file: str
    file_offset: int
    file_length: int
    record_id: str
    digest: str
    refers_to: int | None = None


def find_original(connection: Connection, of: CaptureSubject, digest: str | None) -> sa.RowMapping | None:
    """The last copy of it that has this body; with None the last good one, which a 304 speaks of."""
    query = sa.select(RawRow.__table__).where(of.is_it, ~RawRow.dropped, RawRow.refers_to.is_(None))
    query = query.where(RawRow.digest == digest) if digest else query.where(RawRow.status.between(200, 299))
    return connection.execute(query.order_by(RawRow.id.desc()).limit(1)).mappings().first()


def find_originals(
    connection: Connection, wanted: Sequence[tuple[CaptureSubject, str]]
) -> list[tuple[sa.RowMapping | None, sa.RowMapping | None]]:
    """For each page or feed its last copy that has the body of this digest, and its last good one; one statement each.

    A body that another one of them had before may be missed: it is stored once more then.
    """
    copies: defaultdict[CaptureSubject, list[sa.RowMapping]] = defaultdict(list)
    digests = sorted({digest for _, digest in wanted})
    for kind, column in (("page", RawRow.page_id), ("feed", RawRow.feed_id)):
        ids = sorted({of.key for of, _ in wanted if of.kind == kind and of.key is not None})
        for row in connection.execute(_originals(kind), {"ids": ids, "digests": digests}).mappings() if ids else ():
            copies[CaptureSubject(**{f"{kind}_id": row[column.key]})].append(row)
    return [
        (
            next((row for row in copies[of] if row["digest"] == digest), None),
            next((row for row in copies[of] if 200 <= row["status"] < 300), None),
        )
        for of, digest in wanted
    ]


@cache
def _originals(kind: str) -> sa.Select[Any]:
    """The rows that any of these pages or feeds can refer to, the latest first."""
    owner, column = (FeedRow, RawRow.feed_id) if kind == "feed" else (PageRow, RawRow.page_id)
    digests = RawRow.digest.in_(sa.bindparam("digests", expanding=True))
    latest = [
        sa.select(
            sa.select(RawRow.id)
            .where(column == owner.id, ~RawRow.dropped, RawRow.refers_to.is_(None), wanted)
            .order_by(RawRow.id.desc())
            .limit(1)
            .scalar_subquery()
        ).where(owner.id.in_(sa.bindparam("ids", expanding=True)))
        for wanted in (RawRow.status.between(200, 299), digests)
    ]
    return sa.select(RawRow.__table__).where(RawRow.id.in_(sa.union_all(*latest))).order_by(RawRow.id.desc())


def record_copies(connection: Connection, copies: Sequence[RawCopy]) -> list[None]:
    """Note where copies stand, with a statement for all of them, and one for what they refer to."""
    # It may just have been pruned; the lock makes that transaction wait.
    referred = sorted({copy.refers_to for copy in copies if copy.refers_to is not None})
    kept: set[int] = set()
    for batch in batches(referred):
        kept |= set(connection.scalars(_KEPT, {"ids": batch}))
    rows = []
    for copy in copies:
        owner = {"kind": copy.of.kind, "page_id": copy.of.page_id, "feed_id": copy.of.feed_id}
        row = {name: getattr(copy, name) for name in _COPIED} | owner
        original = copy.refers_to if copy.refers_to in kept else None
        rows.append(row | {"url": storable(copy.url), "refers_to": original, "dropped": False})
    if rows:
        connection.execute(_NOTE, rows)
    return [None] * len(copies)


_KEPT = (
    sa.select(RawRow.id)
    .where(RawRow.id.in_(sa.bindparam("ids", expanding=True)), ~RawRow.dropped)
    .order_by(RawRow.id)
    .with_for_update(read=True, key_share=True)
)
_NOTE = sa.insert(core(RawRow))


def adopt_copy(connection: Connection, of: CaptureSubject, url: str, fetched_at: datetime) -> sa.RowMapping | None:
    """The copy of the answer that came from there at this time, noted as one of this page or feed; None for none."""
    same = sa.select(RawRow.id, RawRow.refers_to).where(RawRow.fetched_at == fetched_at, RawRow.url == storable(url))
    row = connection.execute(same).mappings().first()
    if row is not None:
        owner = {"kind": of.kind, "page_id": of.page_id, "feed_id": of.feed_id}
        connection.execute(sa.update(RawRow).where(RawRow.id == row["id"]).values(owner))
    return row


_COPIED = ("status", "fetched_at", "file", "file_offset", "file_length", "record_id", "digest")


def load_record_positions(connection: Connection, file: str) -> dict[str, tuple[int, int]]:
    """Where the records of a file stand by what is noted: offset and length by UUID."""
    query = sa.select(RawRow.record_id, RawRow.file_offset, RawRow.file_length).where(RawRow.file == file)
    return {row.record_id: (row.file_offset, row.file_length) for row in connection.execute(query)}


def count_missing_files(connection: Connection, names: Collection[str]) -> int:
    """How many noted files are not among these names, if none of them is; 0 if at least one is."""
    for batch in batches(list(names)):
        if connection.scalar(sa.select(RawRow.id).where(RawRow.file.in_(batch)).limit(1)) is not None:
            return 0
    return len(list_raw_files(connection))


def list_raw_files(connection: Connection) -> set[str]:
    """The names of all files that are noted."""
    return set(connection.scalars(sa.select(RawRow.file).distinct()))


def find_capture_subject(connection: Connection, url: str) -> CaptureSubject:
    """Whose copy an answer of this address is."""
    with suppress(ValueError):
        page_id = connection.scalar(sa.select(PageRow.id).where(PageRow.url == canonical_url(url)))
        if page_id is not None:
            return CaptureSubject(page_id=page_id)
    return CaptureSubject(feed_id=connection.scalar(sa.select(FeedRow.id).where(FeedRow.url == url)))


def forget_records(connection: Connection, file: str, record_ids: Sequence[str]) -> int:
    """Remove the rows of records that are not in their file (any more); returns how many there were."""
    gone = 0
    for batch in batches(record_ids):
        ids = sa.select(RawRow.id).where(RawRow.file == file, RawRow.record_id.in_(batch)).scalar_subquery()
        connection.execute(sa.update(RawRow).where(RawRow.refers_to.in_(ids)).values(refers_to=None))
        done = connection.execute(sa.delete(RawRow).where(RawRow.file == file, RawRow.record_id.in_(batch)))
        gone += done.rowcount
    return gone


def move_records(
    connection: Connection,
    file: str,
    positions: Mapping[str, tuple[int, int]],
    expected: Collection[str],
) -> int:
    """Note where the records of a file stand now; returns how many of the expected ones went, since they are not there.

    ``expected`` are the records that were noted before the file was read: what is noted meanwhile is never forgotten.
    """
    for record_id, position in load_record_positions(connection, file).items():
        if record_id in positions and positions[record_id] != position:
            offset, length = positions[record_id]
            moved = sa.update(RawRow).where(RawRow.file == file, RawRow.record_id == record_id)
            connection.execute(moved.values(file_offset=offset, file_length=length))
    return forget_records(connection, file, [record_id for record_id in expected if record_id not in positions])


def load_dropped_records(connection: Connection) -> dict[str, set[str]]:
    """The records that are to be taken out, by file."""
    records: dict[str, set[str]] = {}
    for row in connection.execute(sa.select(RawRow.file, RawRow.record_id).where(RawRow.dropped)):
        records.setdefault(row.file, set()).add(row.record_id)
    return records


def list_raw_copies(connection: Connection, url: str) -> list[dict[str, Any]]:
    """All copies of a page or a feed, newest first; those of its aliases too."""
    of = find_capture_subject(connection, url)
    if of == CaptureSubject():
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


def load_raw_row(connection: Connection, row_id: int) -> dict[str, Any] | None:
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
