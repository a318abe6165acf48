"""What recurs over the articles of a site: counted with each new article, in bounded space, and asked for by pages.

Whoever counts holds the row of the site until the end of the transaction, so that two workers never count two variants
of a block apart. Like the lock of stories, after which it is taken, it belongs to the end of a transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import BodyBlock
from pipeline.recurrence import (
    FEWEST,
    MAX_CHARACTERS,
    Count,
    Known,
    Verdict,
    body_blocks,
    copied_from,
    day_bit,
    find_known,
    folded,
    is_boilerplate,
    is_same,
)
from pipeline.store.rows import storable, upsert
from pipeline.tables import SiteBlockRow, SiteRow

MAX_ROWS = 2000
"""Blocks that are kept of a site. Those seen once have no text, some 120 bytes each; see docs/boilerplate.md."""

ROOM = 200
"""Rows that are deleted at once when there are too many, so that not every article has to."""

PATIENCE, MOST_PATIENCE = 40, 100
"""Articles of the site that a block is kept longer for each article that it stood in, and how many of these count."""

BANDS = (SiteBlockRow.band_1, SiteBlockRow.band_2, SiteBlockRow.band_3, SiteBlockRow.band_4)

_RECURRING = sa.or_(SiteBlockRow.articles >= FEWEST, SiteBlockRow.verdict.is_not(None))


@dataclass(frozen=True, slots=True)
class SiteBlock:
    """A recurring block as it is listed.

    Attributes:
        state: ``learned``, ``kept`` or ``dropped`` (by the user), or ``counted`` (not boilerplate, as far as is known).
        share: of the site's articles from the first to the last that it stood in.
        above, below: mean number of paragraphs of text before and after it.
        first_article, last_article: ids.
    """

    key: int
    state: str
    text: str
    words: int
    articles: int
    days: int
    share: float
    above: float
    below: float
    first_seen_at: datetime
    last_seen_at: datetime
    first_article: int
    last_article: int


def learned_texts(connection: Connection, site: str) -> frozenset[str]:
    """The blocks that are boilerplate on a site, as samples; variants of each are meant, too."""
    query = sa.select(SiteBlockRow.__table__).where(SiteBlockRow.site == site, _RECURRING)
    rows = connection.execute(query.where(SiteBlockRow.sample.is_not(None))).mappings().all()
    learned = {row["sample"] for row in rows if is_boilerplate(_count(row), row["verdict"])}
    kept = [folded(row["sample"]) for row in rows if row["verdict"] == "kept"]
    # A block that the user keeps may have been counted as several, where it has many forms.
    return frozenset(text for text in learned if not any(is_same(folded(text), one) for one in kept))


def count_blocks(
    connection: Connection,
    article_id: int,
    site: str,
    blocks: Sequence[BodyBlock],
    published_at: datetime,
    now: datetime,
) -> None:
    """Count the blocks of an article that was stored for the first time; one that is a copy changes no count."""
    if not blocks:
        return
    site = storable(site)
    number = connection.execute(
        upsert(connection, SiteRow)
        .values(name=site, articles=1)
        .on_conflict_do_update(index_elements=["name"], set_={"articles": SiteRow.articles + 1})
        .returning(SiteRow.articles)
    ).scalar_one()
    known = _candidates(connection, site, blocks)
    found = [(block, find_known(block, known)) for block in blocks]
    original = copied_from(found)
    seen = {"day": day_bit(published_at.date()), "number": number, "at": now, "article": original or article_id}
    rows: dict[int, dict[str, object]] = {}
    for block, one in found:
        if one is None or original is None:
            row = _row(site, block, one, **seen)
            rows.setdefault(one.key if one else block.key, row)
    if rows:
        _write(connection, [rows[key] for key in sorted(rows)])
        _forget(connection, site)


def _candidates(connection: Connection, site: str, blocks: Sequence[BodyBlock]) -> list[Known]:
    alike = [
        column.in_(sorted({block.bands[place] for block in blocks})) for place, column in enumerate(BANDS)
    ]  # fmt: skip
    columns = (SiteBlockRow.key, *BANDS, SiteBlockRow.words, SiteBlockRow.sample, SiteBlockRow.articles)
    query = sa.select(*columns, SiteBlockRow.first_article, SiteBlockRow.last_article).where(
        SiteBlockRow.site == site, sa.or_(SiteBlockRow.key.in_(sorted(block.key for block in blocks)), *alike)
    )
    rows = connection.execute(query.order_by(SiteBlockRow.key))
    return [Known(row[0], tuple(row[1:5]), row[5], row[6], row[7], row[8], row[9]) for row in rows]


def _row(
    site: str, block: BodyBlock, known: Known | None, *, day: int, number: int, at: datetime, article: int
) -> dict[str, object]:
    is_sample = known is not None and len(block.text) <= MAX_CHARACTERS
    return {
        "site": site,
        "key": known.key if known else block.key,
        **{f"band_{place}": band for place, band in enumerate(known.bands if known else block.bands, start=1)},
        "words": known.words if known else block.words,
        "sample": storable(block.text) if is_sample else None,
        "articles": 1,
        "days": day,
        "first_number": number,
        "last_number": number,
        "first_article": article,
        "last_article": article,
        "above": block.above,
        "below": block.below,
        "first_seen_at": at,
        "last_seen_at": at,
    }


def _write(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    insert = upsert(connection, SiteBlockRow)
    new = insert.excluded
    changed = {
        "articles": SiteBlockRow.articles + 1,
        "days": SiteBlockRow.days.bitwise_or(new.days),
        "sample": sa.func.coalesce(SiteBlockRow.sample, new.sample),
        "last_number": new.last_number,
        "last_article": new.last_article,
        "above": SiteBlockRow.above + new.above,
        "below": SiteBlockRow.below + new.below,
        "last_seen_at": new.last_seen_at,
    }
    # One statement for all rows, of which SQLAlchemy need compile no new one for each number of them.
    connection.execute(insert.on_conflict_do_update(index_elements=["site", "key"], set_=changed), rows)


def _forget(connection: Connection, site: str) -> None:
    of_site = SiteBlockRow.site == site
    count = connection.scalar(sa.select(sa.func.count()).where(of_site)) or 0
    if count <= MAX_ROWS:
        return
    times = sa.case((SiteBlockRow.articles > MOST_PATIENCE, MOST_PATIENCE), else_=SiteBlockRow.articles)
    least = (
        sa.select(SiteBlockRow.key)
        .where(of_site, SiteBlockRow.verdict.is_(None))
        .order_by(SiteBlockRow.last_number + PATIENCE * times, SiteBlockRow.key)
        .limit(count - MAX_ROWS + ROOM)
    )
    connection.execute(sa.delete(SiteBlockRow).where(of_site, SiteBlockRow.key.in_(least.scalar_subquery())))


def _count(row: sa.RowMapping) -> Count:
    span = row["last_number"] - row["first_number"] + 1
    return Count(row["articles"], row["days"], span, row["above"] / max(row["articles"], 1), row["words"])


def list_blocks(connection: Connection, site: str, *, counted: bool = False) -> list[SiteBlock]:
    """The blocks of a site that are boilerplate or that the user judged, the most frequent first.

    ``counted`` adds those that recur and are taken for text.
    """
    query = sa.select(SiteBlockRow.__table__).where(SiteBlockRow.site == site, SiteBlockRow.sample.is_not(None))
    if not counted:
        query = query.where(_RECURRING)
    rows = connection.execute(query.order_by(SiteBlockRow.articles.desc(), SiteBlockRow.key)).mappings()
    found = [_listed(row) for row in rows]
    return [block for block in found if counted or block.state != "counted"]


def _listed(row: sa.RowMapping) -> SiteBlock:
    count = _count(row)
    state = row["verdict"] or ("learned" if is_boilerplate(count) else "counted")
    return SiteBlock(
        key=row["key"],
        state=state,
        text=row["sample"],
        words=row["words"],
        articles=row["articles"],
        days=count.days.bit_count(),
        share=round(count.share, 2),
        above=round(count.above, 1),
        below=round(row["below"] / max(row["articles"], 1), 1),
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        first_article=row["first_article"],
        last_article=row["last_article"],
    )


def list_sites(connection: Connection) -> list[tuple[str, int, int, int]]:
    """Name, counted articles, rows and learned blocks of each site that blocks are counted of."""
    query = (
        sa.select(SiteRow.name, SiteRow.articles, sa.func.count(SiteBlockRow.key))
        .join(SiteBlockRow, SiteBlockRow.site == SiteRow.name, isouter=True)
        .group_by(SiteRow.name, SiteRow.articles)
        .order_by(SiteRow.name)
    )
    return [(row[0], row[1], row[2], len(learned_texts(connection, row[0]))) for row in connection.execute(query)]


def find_block(connection: Connection, site: str, key: int | None, text: str | None) -> SiteBlock | None:
    """The block of this key, or of this text or a variant of it; None where there is none, or it was seen but once."""
    if text is not None:
        blocks = body_blocks([storable(text)[:MAX_CHARACTERS]], [True])
        known = find_known(blocks[0], _candidates(connection, site, blocks)) if blocks else None
        key = known.key if known else None
    this = sa.and_(SiteBlockRow.site == site, SiteBlockRow.key == key, SiteBlockRow.sample.is_not(None))
    found = connection.execute(sa.select(SiteBlockRow.__table__).where(this)).mappings().first()
    return _listed(found) if found else None


def judge_block(
    connection: Connection, site: str, key: int | None, text: str | None, verdict: Verdict | None, now: datetime
) -> SiteBlock | None:
    """Note what the user says of a block, by its key or its text; None for ``verdict`` leaves it to the rule again.

    A text that was never seen is noted, too. Returns the block; None where nothing has this key, or is no text.
    """
    if text is not None:
        blocks = body_blocks([storable(text)[:MAX_CHARACTERS]], [True])
        if not blocks:
            return None
        known = find_known(blocks[0], _candidates(connection, site, blocks))
        key = known.key if known else blocks[0].key
        if known is None:
            connection.execute(upsert(connection, SiteRow).values(name=site, articles=0).on_conflict_do_nothing())
            number = connection.scalar(sa.select(SiteRow.articles).where(SiteRow.name == site)) or 0
            row = _row(site, blocks[0], None, day=0, number=number, at=now, article=0)
            _write(connection, [row | {"articles": 0}])
        # What was seen but once has no sample yet.
        is_without = sa.and_(SiteBlockRow.key == key, SiteBlockRow.sample.is_(None))
        connection.execute(
            sa.update(SiteBlockRow).where(SiteBlockRow.site == site, is_without).values(sample=blocks[0].text)
        )
    this = sa.and_(SiteBlockRow.site == site, SiteBlockRow.key == key, SiteBlockRow.sample.is_not(None))
    connection.execute(sa.update(SiteBlockRow).where(this).values(verdict=verdict))
    return find_block(connection, site, key, None)
