"""What is boilerplate on a site, by its counts (`pipeline.store.articles.block_counts`) and by what the user says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import BodyBlock
from pipeline.store.articles.block_counts import block_row, find_candidates, write_blocks
from pipeline.store.connection.rows import insert_into, storable
from pipeline.store.schema.tables import SiteBlockRow, SiteRow
from pipeline.text.block_identity import MAX_CHARACTERS, fold_block, is_same, make_body_blocks
from pipeline.text.known_blocks import KnownBlock, KnownBlocks
from pipeline.text.recurrence import FEWEST, BlockCount, Verdict, is_boilerplate

# A number, not a parameter: or else the index of these rows cannot be used for sure.
_RECURRING = sa.or_(SiteBlockRow.articles >= sa.literal_column(str(FEWEST)), SiteBlockRow.verdict.is_not(None))

_RECURRING_OF = sa.select(SiteBlockRow.__table__).where(
    SiteBlockRow.site.in_(sa.bindparam("sites", expanding=True)), _RECURRING, SiteBlockRow.sample.is_not(None)
)


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


def load_learned_texts(connection: Connection, site: str) -> frozenset[str]:
    """The blocks that are boilerplate on a site, as samples; variants of each are meant, too."""
    return load_learned_blocks(connection, [site])[site]


def load_learned_texts_of_each(connection: Connection, sites: Sequence[str]) -> list[frozenset[str]]:
    """The same for several sites, of which one may be named more than once."""
    learned = load_learned_blocks(connection, set(sites))
    return [learned[site] for site in sites]


def load_learned_blocks(connection: Connection, sites: Collection[str]) -> dict[str, frozenset[str]]:
    """The same for several sites at once."""
    rows: dict[str, list[sa.RowMapping]] = {site: [] for site in sites}
    for row in connection.execute(_RECURRING_OF, {"sites": sorted(rows)}).mappings():
        rows[row["site"]].append(row)
    return {site: _learned(blocks) for site, blocks in rows.items()}


def _learned(rows: Sequence[sa.RowMapping]) -> frozenset[str]:
    learned = {row["sample"] for row in rows if is_boilerplate(_count(row), row["verdict"])}
    kept = [fold_block(row["sample"]) for row in rows if row["verdict"] == "kept"]
    # A block that the user keeps may have been counted as several, where it has many forms.
    return frozenset(text for text in learned if not any(is_same(fold_block(text), kept_text) for kept_text in kept))


def _count(row: sa.RowMapping) -> BlockCount:
    span = row["last_number"] - row["first_number"] + 1
    return BlockCount(row["articles"], row["days"], span, row["above"] / max(row["articles"], 1), row["words"])


def list_blocks(
    connection: Connection,
    site: str,
    *,
    counted: bool = False,
    limit: int | None = None,
    after: Sequence[int] | None = None,
) -> list[SiteBlock]:
    """The blocks of a site that are boilerplate or that the user judged, the most frequent first.

    Args:
        connection: to the archive.
        site: its name.
        counted: also those that recur and are taken for text.
        limit: so many at most.
        after: articles and key of the block behind which to begin.
    """
    query = sa.select(SiteBlockRow.__table__).where(SiteBlockRow.site == site, SiteBlockRow.sample.is_not(None))
    if not counted:
        query = query.where(_RECURRING)
    query = query.order_by(SiteBlockRow.articles.desc(), SiteBlockRow.key.desc())
    blocks: list[SiteBlock] = []
    while limit is None or len(blocks) < limit:
        # What is boilerplate the counts tell, which is not for SQL to judge: so as many again, where some are left out.
        behind = sa.tuple_(SiteBlockRow.articles, SiteBlockRow.key) < sa.tuple_(*after) if after else sa.true()
        listed = [_listed(row) for row in connection.execute(query.where(behind).limit(limit)).mappings()]
        blocks += [block for block in listed if counted or block.state != "counted"]
        if limit is None or len(listed) < limit:
            break
        after = listed[-1].articles, listed[-1].key
    return blocks[:limit]


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
    return [(row[0], row[1], row[2], len(load_learned_texts(connection, row[0]))) for row in connection.execute(query)]


def _find(connection: Connection, site: str, block: BodyBlock) -> KnownBlock | None:
    return KnownBlocks(find_candidates(connection, {site: [block]})[site]).find(block)


def find_block(connection: Connection, site: str, key: int | None, text: str | None) -> SiteBlock | None:
    """The block of this key, or of this text or a variant of it; None where there is none, or it was seen but once."""
    if text is not None:
        blocks = make_body_blocks([storable(text)[:MAX_CHARACTERS]], [True])
        known = _find(connection, site, blocks[0]) if blocks else None
        key = known.key if known else None
    this = sa.and_(SiteBlockRow.site == site, SiteBlockRow.key == key, SiteBlockRow.sample.is_not(None))
    row = connection.execute(sa.select(SiteBlockRow.__table__).where(this)).mappings().first()
    return _listed(row) if row else None


def judge_block(
    connection: Connection, site: str, key: int | None, text: str | None, verdict: Verdict | None, now: datetime
) -> SiteBlock | None:
    """Note what the user says of a block, by its key or its text; None for ``verdict`` leaves it to the rule again.

    A text that was never seen is noted, too. Returns the block; None where nothing has this key, or is no text.
    """
    if text is not None:
        blocks = make_body_blocks([storable(text)[:MAX_CHARACTERS]], [True])
        if not blocks:
            return None
        known = _find(connection, site, blocks[0])
        key = known.key if known else blocks[0].key
        if known is None:
            insert = insert_into(connection.dialect.name, SiteRow).values(name=site, articles=0)
            connection.execute(insert.on_conflict_do_nothing())
            number = connection.scalar(sa.select(SiteRow.articles).where(SiteRow.name == site)) or 0
            row = block_row(site, blocks[0], None, day=0, number=number, seen_at=now, article=0)
            write_blocks(connection, [row | {"articles": 0}])
        # What was seen but once has no sample yet.
        is_without = sa.and_(SiteBlockRow.key == key, SiteBlockRow.sample.is_(None))
        connection.execute(
            sa.update(SiteBlockRow).where(SiteBlockRow.site == site, is_without).values(sample=blocks[0].text)
        )
    this = sa.and_(SiteBlockRow.site == site, SiteBlockRow.key == key, SiteBlockRow.sample.is_not(None))
    connection.execute(sa.update(SiteBlockRow).where(this).values(verdict=verdict))
    return find_block(connection, site, key, None)
