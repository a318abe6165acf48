"""The index of sketches: which articles share hashes of runs of words with which others."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.connection.rows import batches
from pipeline.store.schema.tables import SketchRow

MAX_SHARING = 40
"""Articles, the newest, that one hash leads to. More share only what is printed day after day, or a story that is
reached through forty of its copies."""

_POSTGRESQL = sa.text(f"""
SELECT h.hash, s.article_id FROM unnest(CAST(:hashes AS bigint[])) AS h(hash) CROSS JOIN LATERAL (
  SELECT article_id FROM article_sketch WHERE hash = h.hash ORDER BY article_id DESC LIMIT {MAX_SHARING}
) AS s
""")  # noqa: S608  # a number of ours

_SQLITE = sa.text(f"""
SELECT h.value, s.article_id FROM json_each(:hashes) AS h CROSS JOIN article_sketch AS s
WHERE s.hash = h.value AND s.article_id >= coalesce((
  SELECT article_id FROM article_sketch WHERE hash = h.value ORDER BY article_id DESC LIMIT 1 OFFSET {MAX_SHARING - 1}
), 0)
""")  # noqa: S608  # a number of ours

_KEEP = sa.text(
    "INSERT INTO article_sketch (hash, article_id)"
    " SELECT * FROM unnest(CAST(:hashes AS bigint[]), CAST(:ids AS bigint[])) ON CONFLICT DO NOTHING"
)


def find_sharing(connection: Connection, sketches: Mapping[int, Collection[int]]) -> dict[int, Counter[int]]:
    """For each of these articles those that share hashes with it, and how many.

    Args:
        connection: that of the transaction which keeps these sketches after this.
        sketches: hashes by article. Of two of these, the later one is told of the earlier one.
    """
    holders: defaultdict[int, set[int]] = defaultdict(set)
    for number, article_id in _holders(
        connection, sorted({number for sketch in sketches.values() for number in sketch})
    ):
        holders[number].add(article_id)
    sharing: dict[int, Counter[int]] = {}
    for article_id, sketch in sketches.items():
        sharing[article_id] = Counter(holder for number in sketch if number in holders for holder in holders[number])
        del sharing[article_id][article_id]
        for number in sketch:
            holders[number].add(article_id)
    return sharing


def _holders(connection: Connection, hashes: list[int]) -> Iterable[tuple[int, int]]:
    if not hashes:
        return []
    if connection.dialect.name == "postgresql":
        return connection.execute(_POSTGRESQL, {"hashes": hashes})
    return connection.execute(_SQLITE, {"hashes": json.dumps(hashes)})


def keep_sketches(connection: Connection, sketches: Mapping[int, Collection[int]]) -> None:
    """Put articles into the index."""
    rows = sorted((number, article_id) for article_id, sketch in sketches.items() for number in sketch)
    if rows and connection.dialect.name == "postgresql":
        hashes, ids = zip(*rows, strict=True)
        connection.execute(_KEEP, {"hashes": list(hashes), "ids": list(ids)})
    elif rows:
        # Past SQLAlchemy, which takes longer for these hundreds of rows than SQLite does.
        connection.exec_driver_sql("INSERT OR IGNORE INTO article_sketch (hash, article_id) VALUES (?, ?)", rows)


def forget_sketch(connection: Connection, article_id: int, sketch: Iterable[int]) -> None:
    """Take some hashes of an article out of the index."""
    for batch in batches(sorted(sketch)):
        connection.execute(sa.delete(SketchRow).where(SketchRow.hash.in_(batch), SketchRow.article_id == article_id))
