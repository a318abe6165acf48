"""Counts of the blocks that recur over the articles of a site, in bounded space (see `learned_boilerplate`).

A transaction that counts holds the row of the site until its end, so that two workers never count two variants of a
block apart. It belongs to the end of a transaction, before the lock of stories, for which all wait.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import BodyBlock
from pipeline.store.connection.rows import among, execute_plain, insert_into, insert_plain, storable
from pipeline.store.schema.tables import SiteBlockRow, SiteRow
from pipeline.text.block_identity import MAX_CHARACTERS
from pipeline.text.known_blocks import KnownBlock, KnownBlocks, find_copied_article
from pipeline.text.recurrence import day_bit

MAX_ROWS = 2000
"""Blocks that are kept of a site. Those seen once have no text, some 120 bytes each; see docs/boilerplate.md."""

ROOM = 200
"""Rows that are deleted at once when there are too many, so that not every article has to."""

PATIENCE, MOST_PATIENCE = 40, 100
"""Articles of the site that a block is kept longer for each article that it stood in, and how many of these count."""

BANDS = (SiteBlockRow.band_1, SiteBlockRow.band_2, SiteBlockRow.band_3, SiteBlockRow.band_4)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CountedArticle:
    """The blocks of an article that was stored for the first time."""

    article_id: int
    site: str
    blocks: Sequence[BodyBlock]
    published_at: datetime


def count_blocks(connection: Connection, articles: Iterable[CountedArticle], now: datetime) -> None:
    """Count the blocks of articles, in this order; one that is a copy changes no count."""
    by_site: defaultdict[str, list[CountedArticle]] = defaultdict(list)
    for article in articles:
        if article.blocks:
            by_site[storable(article.site)].append(article)
    if not by_site:
        return
    totals = _number(connection, {site: len(by_site[site]) for site in sorted(by_site)})
    known = find_candidates(
        connection, {site: [b for counted in by_site[site] for b in counted.blocks] for site in by_site}
    )
    rows: list[Row] = []
    for site in sorted(by_site):
        tally = _Tally(site, KnownBlocks(known[site]), now)
        for number, article in enumerate(by_site[site], totals[site] - len(by_site[site]) + 1):
            tally.count(article, number)
        rows += (tally.rows[key] for key in sorted(tally.rows))
    if rows:
        write_blocks(connection, rows)
        _forget(connection, sorted(by_site))


class _Tally:
    """What a transaction counts on one site.

    Attributes:
        rows: what is to be added to the rows of blocks, by key.
    """

    def __init__(self, site: str, known: KnownBlocks, now: datetime) -> None:
        self._site = site
        self._known = known
        self._now = now
        self._last: list[Row] = []  # what the last article added, not known yet: most sites have but one at once
        self.rows: dict[int, Row] = {}

    def count(self, article: CountedArticle, number: int) -> None:
        """Count the blocks of an article, of which ``number`` says how many of the site came before it."""
        for row in self._last:
            self._known.put(_known_by_now(self._known.get(row["key"]), row))
        self._last = []
        counterparts = [(block, self._known.find(block)) for block in article.blocks]
        original = find_copied_article(counterparts)
        article_id, day = original or article.article_id, day_bit(article.published_at.date())
        met: set[int] = set()
        for block, known in counterparts:
            key = known.key if known else block.key
            if key not in met and (known is None or original is None):
                met.add(key)
                row = block_row(self._site, block, known, day=day, number=number, seen_at=self._now, article=article_id)
                self._last.append(row)
                self.rows[key] = _together(self.rows[key], row) if key in self.rows else row


def _together(before: Row, row: Row) -> Row:
    """What two articles add to the row of a block, the later one last."""
    both = before | {name: before[name] + row[name] for name in ("articles", "above", "below")}
    both |= {name: row[name] for name in ("last_number", "last_article")}
    return both | {"days": before["days"] | row["days"], "sample": before["sample"] or row["sample"]}


def _known_by_now(before: KnownBlock | None, row: Row) -> KnownBlock:
    if before is None:
        bands = tuple(row[band.key] for band in BANDS)
        return KnownBlock(row["key"], bands, row["words"], row["sample"], 1, row["first_article"], row["last_article"])
    return before._replace(
        articles=before.articles + 1, text=before.text or row["sample"], last_article=row["last_article"]
    )


@cache
def _count_site(dialect: str) -> sa.Insert:
    insert = insert_into(dialect, SiteRow)
    changed = {"articles": SiteRow.articles + insert.excluded.articles}
    return insert.on_conflict_do_update(index_elements=["name"], set_=changed)  # type: ignore[no-any-return]


_NUMBERS = sa.select(SiteRow.name, SiteRow.articles).where(SiteRow.name.in_(sa.bindparam("names", expanding=True)))


def _number(connection: Connection, counts: Mapping[str, int]) -> dict[str, int]:
    """Add so many articles to each site; returns how many it has now."""
    rows = [{"name": site, "articles": count} for site, count in counts.items()]
    connection.execute(_count_site(connection.dialect.name), rows)
    return {row.name: row.articles for row in connection.execute(_NUMBERS, {"names": list(counts)})}


@cache
def _alike(dialect: str) -> sa.Select[*tuple[Any, ...]]:
    columns = (SiteBlockRow.key, *BANDS, SiteBlockRow.words, SiteBlockRow.sample, SiteBlockRow.articles)
    like = [among(dialect, band, f"bands_{number}") for number, band in enumerate(BANDS)]
    return sa.select(SiteBlockRow.site, *columns, SiteBlockRow.first_article, SiteBlockRow.last_article).where(
        SiteBlockRow.site.in_(sa.bindparam("sites", expanding=True)),
        sa.or_(among(dialect, SiteBlockRow.key, "keys"), *like),
    )


def find_candidates(connection: Connection, blocks: Mapping[str, Sequence[BodyBlock]]) -> dict[str, list[KnownBlock]]:
    """What is known of each site that may be one of these blocks, by site."""
    every = [block for candidates in blocks.values() for block in candidates]
    values: dict[str, object] = {"sites": list(blocks), "keys": sorted({block.key for block in every})}
    for number in range(len(BANDS)):
        values[f"bands_{number}"] = sorted({block.bands[number] for block in every})
    candidates: dict[str, list[KnownBlock]] = {site: [] for site in blocks}
    for row in connection.execute(_alike(connection.dialect.name), values):
        candidates[row[0]].append(KnownBlock(row[1], tuple(row[2:6]), *row[6:]))
    return candidates


def block_row(
    site: str, block: BodyBlock, known: KnownBlock | None, *, day: int, number: int, seen_at: datetime, article: int
) -> Row:
    """What one article adds to the row of a block; or the row, where there is none."""
    is_sample = known is not None and len(block.text) <= MAX_CHARACTERS
    bands = known.bands if known else block.bands
    return {
        "site": site,
        "key": known.key if known else block.key,
        "band_1": bands[0],
        "band_2": bands[1],
        "band_3": bands[2],
        "band_4": bands[3],
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
        "first_seen_at": seen_at,
        "last_seen_at": seen_at,
    }


_COUNTED = tuple(column.name for column in SiteBlockRow.__table__.columns if column.name != "verdict")


@cache
def _add_blocks(dialect: str) -> sa.Insert:
    insert = insert_plain(dialect, SiteBlockRow, _COUNTED)
    new = insert.excluded
    changed = {
        "articles": SiteBlockRow.articles + new.articles,
        "days": SiteBlockRow.days.bitwise_or(new.days),
        "sample": sa.func.coalesce(SiteBlockRow.sample, new.sample),
        "last_number": new.last_number,
        "last_article": new.last_article,
        "above": SiteBlockRow.above + new.above,
        "below": SiteBlockRow.below + new.below,
        "last_seen_at": new.last_seen_at,
    }
    return insert.on_conflict_do_update(index_elements=["site", "key"], set_=changed)  # type: ignore[no-any-return]


def write_blocks(connection: Connection, rows: Sequence[Row]) -> None:
    """Add to the rows of blocks, each of which is among these once."""
    execute_plain(connection, _add_blocks(connection.dialect.name), rows)


_COUNTS = (
    sa.select(SiteBlockRow.site, sa.func.count())
    .where(SiteBlockRow.site.in_(sa.bindparam("sites", expanding=True)))
    .group_by(SiteBlockRow.site)
)


def _forget(connection: Connection, sites: Sequence[str]) -> None:
    for site, count in connection.execute(_COUNTS, {"sites": sites}).all():
        if count > MAX_ROWS:
            _forget_oldest(connection, site, count - MAX_ROWS + ROOM)


def _forget_oldest(connection: Connection, site: str, number: int) -> None:
    of_site = SiteBlockRow.site == site
    times = sa.case((SiteBlockRow.articles > MOST_PATIENCE, MOST_PATIENCE), else_=SiteBlockRow.articles)
    least = (
        sa.select(SiteBlockRow.key)
        .where(of_site, SiteBlockRow.verdict.is_(None))
        .order_by(SiteBlockRow.last_number + PATIENCE * times, SiteBlockRow.key)
        .limit(number)
    )
    connection.execute(sa.delete(SiteBlockRow).where(of_site, SiteBlockRow.key.in_(least.scalar_subquery())))
