"""Measures the queries by example of docs/queries.md on views beside the same ones written by hand on the tables.

    python -m bench.queries FOLDER --rows 1000000                   # both databases, made in FOLDER where not there
    python -m bench.queries FOLDER --rows 50000 --only sqlite

Prints median and 95th percentile of each in milliseconds, planning and fetching included, and the ratio of the medians.
On PostgreSQL parallel workers are off. Both forms run in turn, and must give the same rows. Fails where a view costs
more than 1.3 times the hand-written query and the difference can be told from noise (half a millisecond).
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bench.archive import open_filled
from pipeline.store.connection.engine import reading
from pipeline.store.schema.views.dialect_pieces import day_sql, source_sql

PAGE = Path(__file__).resolve().parents[1] / "docs/queries.md"
MAX_RATIO = 1.3
NOISE = 0.5
"""Milliseconds that two medians may differ by for no reason."""

# The queries of the page ask a small archive; the same ones for the made-up one.
HERE = (
    ("2026-11-22 12:00:30", "2026-10-15 12:00:30"),
    ("2026-11-16", "2026-10-25"),
    ("2026-11-01", "2026-10-01"),
    ("2026-11-22", "2026-10-31"),
    ("2026-11-23", "2026-11-01"),
    ("2026-12-01", "2026-11-01"),
    ("host = 'two.example'", "host = 'www.site003.example'"),
    ("two.example", "site003.example"),
)

NAMES = (
    "volume by site and language",
    "newest articles of a site",
    "authors of a month",
    "edits of a week",
    "a site as of a moment",
    "a thousand changes",
    "feeds that fail",
    "sources that fell silent",
    "largest stories of a week",
    "articles of a story",
    "why there is no article",
)

HAND = {
    1: """SELECT site, language, count(*), sum(word_count) FROM article
        WHERE first_seen_at >= '2026-10-25' AND first_seen_at < '2026-11-01' AND duplicate_of IS NULL
        GROUP BY site, language ORDER BY 3 DESC, site""",
    2: """SELECT a.published_at, a.title, {authors}, {tags}, a.url FROM article AS a WHERE a.site = 'site003.example'
        ORDER BY coalesce(a.published_at, a.first_seen_at) DESC, a.id LIMIT 20""",
    3: """SELECT w.name, count(*), count(DISTINCT a.site)
        FROM article_author AS w JOIN article AS a ON a.id = w.article_id
        WHERE a.first_seen_at >= '2026-10-01' AND a.first_seen_at < '2026-11-01'
        GROUP BY w.name ORDER BY 2 DESC, w.name LIMIT 20""",
    4: """SELECT a.url, r.number, r.changed, b.title, r.title, r.word_count - b.word_count, r.seen_at
        FROM revision AS r JOIN article AS a ON a.id = r.article_id
        JOIN revision AS b ON b.article_id = r.article_id AND b.number = r.number - 1
        WHERE r.number > 1 AND r.seen_at >= '2026-10-25'
        ORDER BY abs(r.word_count - b.word_count) DESC, r.id LIMIT 20""",
    5: """SELECT a.url, r.title, r.text FROM article AS a JOIN revision AS r ON r.article_id = a.id
        WHERE a.site = 'site003.example' AND r.seen_at <= '2026-10-15 12:00:30' AND NOT EXISTS (
          SELECT 1 FROM revision AS n WHERE n.article_id = r.article_id AND n.number > r.number
          AND n.seen_at <= '2026-10-15 12:00:30')
        ORDER BY a.url""",
    6: """SELECT c.cursor, c.kind, c.article_id, c.revision, coalesce(a.url, c.url)
        FROM change AS c LEFT JOIN article AS a ON a.id = c.article_id
        WHERE c.cursor > '{cursor}' ORDER BY c.cursor LIMIT 1000""",
    7: """SELECT f.url, f.state, f.last_outcome, f.failures, coalesce(l.polls, 0), coalesce(l.failed, 0),
          coalesce(l.gaps, 0)
        FROM feed AS f LEFT JOIN (
          SELECT l.feed_id, count(*) AS polls, sum(l.entries_new) AS entries,
            sum(CASE WHEN l.outcome NOT IN ('read', 'unchanged') THEN 1 ELSE 0 END) AS failed,
            sum(CASE WHEN l.missed THEN 1 ELSE 0 END) AS gaps
          FROM poll AS l JOIN feed AS g ON g.id = l.feed_id WHERE l.polled_at > {week} GROUP BY l.feed_id
        ) AS l ON l.feed_id = f.id
        WHERE f.state <> 'active' OR l.failed > 0 OR l.gaps > 0 OR coalesce(l.entries, 0) = 0
        ORDER BY f.failures DESC, f.url""",
    # A source counts from its first day on, and for less in its first four weeks: so the question has it.
    8: """SELECT source, announced, stored, failed, expected, stored / expected - 1 FROM (
          SELECT source, announced, stored, failed, before * 1.0 / {weeks} AS expected FROM (
            SELECT source, announced, stored, failed, before,
              (SELECT min({indexed_day}) FROM page AS p WHERE {indexed_source} = g.source) AS first_day FROM (
              SELECT {source} AS source,
                sum(CASE WHEN {day} = '2026-10-31' THEN 1 ELSE 0 END) AS announced,
                sum(CASE WHEN {day} = '2026-10-31' AND state IN ('stored', 'alias') THEN 1 ELSE 0 END) AS stored,
                sum(CASE WHEN {day} = '2026-10-31' AND state IN ('failed', 'blocked', 'rejected', 'gone')
                  THEN 1 ELSE 0 END) AS failed,
                sum(CASE WHEN {day} <> '2026-10-31' AND state IN ('stored', 'alias') THEN 1 ELSE 0 END) AS before
              FROM page WHERE {day} IN ('2026-10-31', '2026-10-24', '2026-10-17', '2026-10-10', '2026-10-03')
                AND EXISTS (SELECT 1 FROM entry AS n WHERE n.page_id = page.id)
              GROUP BY {source}) AS g) AS f) AS s
        WHERE expected > 0 AND stored / expected - 1 < -0.5 ORDER BY expected DESC, source""",
    9: """SELECT a.title, a.site, a.agency, count(*), count(DISTINCT m.site), a.first_seen_at, max(m.first_seen_at)
        FROM article AS a JOIN article_story AS s ON s.story_id = a.id JOIN article AS m ON m.id = s.article_id
        WHERE a.first_seen_at >= '2026-10-25'
        GROUP BY a.id, a.title, a.site, a.agency, a.first_seen_at HAVING count(*) > 1
        ORDER BY 4 DESC, a.id LIMIT 20""",
    10: """SELECT a.site, a.published_at, s.role, s.similarity, a.url
        FROM article_story AS s JOIN article AS a ON a.id = s.article_id
        WHERE s.story_id = 5 ORDER BY a.published_at, a.id""",
    11: """SELECT p.state, p.reason, count(*), max(p.url) FROM page AS p
        WHERE p.host = 'www.site003.example'
        AND NOT EXISTS (SELECT 1 FROM article AS a WHERE a.page_id = coalesce(p.alias_of, p.id))
        GROUP BY p.state, p.reason ORDER BY 3 DESC, p.state, p.reason""",
}

PIECES = {
    "sqlite": {
        "authors": "(SELECT group_concat(name, '; ') FROM"
        " (SELECT name FROM article_author AS w WHERE w.article_id = a.id ORDER BY position))",
        "tags": "(SELECT group_concat(tag, '; ') FROM article_tag AS t WHERE t.article_id = a.id)",
        "week": "datetime(g.last_polled_at, '-7 days')",
        "source": "replace(host, 'www.', '')",
        "day": "date(discovered_at)",
        "indexed_source": source_sql("sqlite", "p.host"),
        "indexed_day": day_sql("sqlite", "p.discovered_at"),
        "weeks": "nullif(min(4, CAST(julianday('2026-10-31') - julianday(first_day) AS integer) / 7), 0)",
    },
    "postgresql": {
        "authors": "(SELECT string_agg(name, '; ' ORDER BY position)"
        " FROM article_author AS w WHERE w.article_id = a.id)",
        "tags": "(SELECT string_agg(tag, '; ') FROM article_tag AS t WHERE t.article_id = a.id)",
        "week": "g.last_polled_at - interval '7 days'",
        "source": "replace(host, 'www.', '')",
        "day": "CAST(discovered_at AT TIME ZONE 'UTC' AS date)",
        "indexed_source": source_sql("postgresql", "p.host"),
        "indexed_day": day_sql("postgresql", "p.discovered_at"),
        "weeks": "nullif(least(4, (CAST('2026-10-31' AS date) - first_day) / 7), 0)",
    },
}

UNORDERED = {2: 3}
"""Columns whose parts the two forms put in another order: tags, by the page or by the alphabet."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a query cost on a database, in milliseconds."""

    database: str
    query: str
    rows: int
    view_median: float
    view_p95: float
    hand_median: float
    hand_p95: float

    @property
    def ratio(self) -> float:
        """How many times the hand-written query the view costs."""
        return self.view_median / self.hand_median

    @property
    def is_dear(self) -> bool:
        """Whether that is too much."""
        return self.ratio > MAX_RATIO and self.view_median - self.hand_median > NOISE


def view_queries(cursor: str) -> list[str]:
    """The queries of the page, asked of the made-up archive."""
    page = PAGE.read_text().split("## Queries by example")[1].split("\n## ")[0]
    queries = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    for there, here in HERE:
        queries = [query.replace(there, here) for query in queries]
    return [query.replace("0" * 28, cursor) for query in queries]


def measure(engine: Engine, seconds: float) -> Iterator[Cost]:
    """What each query costs on this archive, at least five runs of each form, more within so many seconds."""
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET timezone = 'UTC'")
            # The work is compared, not how much of it other processors were free to take over.
            connection.exec_driver_sql("SET max_parallel_workers_per_gather = 0")
        middle = "SELECT cursor FROM change ORDER BY cursor LIMIT 1 OFFSET (SELECT count(*) / 2 FROM change)"
        cursor = connection.scalar(sa.text(middle)) or "0" * 28
        for number, (name, view) in enumerate(zip(NAMES, view_queries(cursor), strict=True), 1):
            hand = HAND[number].format(cursor=cursor, **PIECES[engine.dialect.name])
            same(number, ask(connection, view), ask(connection, hand))
            yield compare(connection, name, view, hand, seconds)


def same(number: int, view: list[tuple[Any, ...]], hand: list[tuple[Any, ...]]) -> None:
    """Make sure that both forms answer alike."""
    pairs = [[comparable(number, row) for row in rows] for rows in (view, hand)]
    if pairs[0] != pairs[1]:
        raise SystemExit(f"query {number}: the view and the hand-written query differ: {pairs[0][:3]} {pairs[1][:3]}")


def comparable(number: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    plain = [round(float(value), 6) if type(value).__name__ in {"Decimal", "float", "int"} else value for value in row]
    if (place := UNORDERED.get(number)) is not None and plain[place]:
        plain[place] = sorted(plain[place].split("; "))
    return tuple(plain)


def ask(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(query)]


def timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def compare(connection: Connection, name: str, view: str, hand: str, seconds: float) -> Cost:
    views, hands, end = [], [], time.monotonic() + seconds
    while len(views) < 5 or (time.monotonic() < end and len(views) < 200):
        views.append(timed(lambda: ask(connection, view)))
        hands.append(timed(lambda: ask(connection, hand)))
    rows = len(ask(connection, view))
    return Cost(
        connection.dialect.name, name, rows, statistics.median(views), p95(views), statistics.median(hands), p95(hands)
    )


def p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the archives are kept, to be measured again")
    parser.add_argument("--rows", type=int, default=1_000_000, help="articles")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each query")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    costs: list[Cost] = []
    for database in (options.only,) if options.only else ("sqlite", "postgresql"):
        engine = open_filled(options.folder, database, options.rows)
        if not options.json:
            print(f"\n{database}, {options.rows:,} articles: milliseconds, median (95th percentile)")
        for cost in measure(engine, options.seconds):
            costs.append(cost)
            if not options.json:
                print(
                    f"  {cost.query:28s}{cost.rows:6d} rows  view {cost.view_median:9.2f} ({cost.view_p95:9.2f})"
                    f"  by hand {cost.hand_median:9.2f} ({cost.hand_p95:9.2f})  ratio {cost.ratio:5.2f}"
                    f"{'  TOO DEAR' if cost.is_dear else ''}",
                    flush=True,
                )
        engine.dispose()
    if options.json:
        print(json.dumps([asdict(cost) | {"ratio": cost.ratio, "ok": not cost.is_dear} for cost in costs], indent=2))
    sys.exit(any(cost.is_dear for cost in costs))


if __name__ == "__main__":
    main()
