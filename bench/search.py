"""What a search costs in a large archive, and what the index costs whoever stores articles.

    python -m bench.search FOLDER --rows 1000000             # both databases, made in FOLDER where not there
    python -m bench.search FOLDER --rows 20000 --only sqlite --queries 50

Archives are those of bench.queries.
Insertion comes first, through `save_articles`, a transaction for each article: batches with all triggers, batches
without those of the index of words, and batches without those of the log of changes too take turns. Searches are asked
right after that, so of an index that has just been written to, not of one that was put in order. Queries are two common
words of a language (of its 300 most frequent: some are in most articles), rare words, phrases, and limits by site and
time. What was inserted is deleted at the end. Fails where the 95th percentile of two common words is over 100 ms, or
insertion has less than 0.7 of its speed without these triggers.

CPU is this process's and that of the server's process for its connection, where it runs on this machine (Linux): on a
busy machine it says what the wall clock cannot.
"""

import argparse
import itertools
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bench.archive import LANGUAGES, LAST_DAY, open_filled, site_name, vocabulary
from bench.clocks import cpu_clock
from bench.stories import Press
from pipeline.model import Article, Fetched, Page, Validators
from pipeline.schedule.pages import PagePolicy
from pipeline.store.articles.saving import save_articles
from pipeline.store.articles.stories import leave_stories
from pipeline.store.articles.version_values import Finding
from pipeline.store.connection.engine import reading, write
from pipeline.store.schema import fulltext, triggers
from pipeline.store.schema.tables import ArticleRow, HostRow, PageRow
from pipeline.store.search import search_articles
from pipeline.text.duplicates import content_hash

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
COMMON, RARE = 300, 4_000
SITE = "bench.example"

MAX_P95, OF = 100.0, "two common words"
"""Milliseconds of searches of this kind: by the clock, or by CPU where the machine has more to do than it can."""

MIN_SPEED = 0.7
"""Of the speed of insertion without triggers."""

WITHOUT = {
    "all triggers": (),
    "without search": ("search",),
    "without search and log": ("search", "change"),
}
"""What insertion is measured with: the beginnings of the names of triggers that are off."""


def queries(rng: random.Random, number: int) -> dict[str, list[tuple[str, dict]]]:
    """So many queries of each kind."""
    words = {language: vocabulary(language) for language in LANGUAGES}
    since = datetime.combine(LAST_DAY - timedelta(days=7), datetime.min.time(), UTC)

    def pairs(most: int, least: int = 0) -> Iterator[tuple[str, str]]:
        while True:
            language = rng.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
            yield tuple(rng.sample(words[language][least:most], 2))

    def made(form: str, found: Iterator[tuple[str, str]], **limits: object) -> list[tuple[str, dict]]:
        return [(form.format(*pair), limits) for pair in itertools.islice(found, number)]

    return {
        "two common words": made("{} {}", pairs(COMMON)),
        "two rare words": made("{} {}", pairs(8_000, RARE)),
        "a common or a rare word": made("{} OR {}", pairs(8_000)),
        "a phrase of common words": made('"{} {}"', pairs(40)),
        "common words near": made("{} NEAR/5 {}", pairs(COMMON)),
        "common words of one site": made("{} {}", pairs(COMMON), site=site_name(5)),
        "common words of the last week": made("{} {}", pairs(COMMON), since=since),
    }


def measure_search(engine: Engine, number: int) -> float:
    """Print median, p95 and longest time of each kind of query in milliseconds; returns p95 of those with a limit.

    That is by CPU where more processes want to run than there are processors, and by the clock otherwise.
    """
    is_busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    print(f"{'search, ms':32}{'median':>9}{'p95':>9}{'max':>9}{'CPU':>9}{'CPU p95':>9}{'hits':>7}")
    limited = 0.0
    for name, asked in queries(random.Random(1), number).items():
        times, own, hits = [], [], []
        for query, limits in asked:
            with reading(engine) as connection:
                clock = cpu_clock(connection)
                began, cpu = time.perf_counter(), clock()
                hits.append(len(search_articles(connection, query, **limits).hits))
                times.append(1000 * (time.perf_counter() - began))
                own.append(1000 * (clock() - cpu))
        p95, cpu95 = (statistics.quantiles(values, n=20)[-1] for values in (times, own))
        print(
            f"{name:32}{statistics.median(times):9.1f}{p95:9.1f}{max(times):9.1f}"
            f"{statistics.median(own):9.1f}{cpu95:9.1f}{statistics.mean(hits):7.1f}",
            flush=True,
        )
        if name == OF:
            limited = cpu95 if is_busy else p95
    return limited


def measure_insertion(engine: Engine, rounds: int, batch: int = 100) -> float:
    """Print articles a second of CPU and of the clock; returns the speed beside that without triggers, by CPU."""
    press = Press(random.Random(time.time()))
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in WITHOUT}
    for _ in range(rounds):
        for name, off in WITHOUT.items():
            texts = [" ".join(press.text(500)) for _ in range(batch)]
            switch_triggers(engine, off, on=False)
            cpu, wall, ids = _insert(engine, texts)
            if off:
                write(engine, delete_articles, ids)
            switch_triggers(engine, off, on=True)
            rates[name].append((batch / cpu, batch / wall))
    print(f"{'insertion, articles a second':32}{'of CPU':>9}{'of wall':>9}")
    found = {
        name: [statistics.median(column) for column in zip(*values, strict=True)] for name, values in rates.items()
    }
    every = found["all triggers"]
    for name, (cpu, wall) in found.items():
        told = f"   with all: {every[0] / cpu:.2f} by CPU, {every[1] / wall:.2f} by the clock" if WITHOUT[name] else ""
        print(f"{name:32}{cpu:9.0f}{wall:9.0f}{told}", flush=True)
    return min(every[0] / found[name][0] for name in WITHOUT)


def switch_triggers(engine: Engine, beginnings: tuple[str, ...], *, on: bool) -> None:
    """Take away, or put back, the triggers whose names begin so."""
    if engine.dialect.name == "postgresql":
        tables = {"search_article": "article"} | {name: table for name, (table, *_) in triggers.POSTGRESQL.items()}
        word = "ENABLE" if on else "DISABLE"
        statements = {name: f"ALTER TABLE {table} {word} TRIGGER {name}" for name, table in tables.items()}
    else:
        statements = {
            name: made if on else f"DROP TRIGGER {name}"
            for name, made in (fulltext.SQLITE_TRIGGERS | triggers.SQLITE).items()
        }
    with engine.begin() as connection:
        for name, statement in statements.items():
            if name.startswith(beginnings) and beginnings:
                connection.exec_driver_sql(statement)


def _insert(engine: Engine, texts: list[str]) -> tuple[float, float, list[int]]:
    """Store articles with these texts; seconds of CPU and of the clock, and the ids of their pages."""
    pages = [write(engine, _page) for _ in texts]
    with engine.connect() as connection:
        clock = cpu_clock(connection)
        connection.rollback()
        cpu, began, policy = clock(), time.perf_counter(), PagePolicy(3, timedelta(1), ())
        for page, text in zip(pages, texts, strict=True):
            found = Article(
                page.url, SITE, text[:60], text, content_hash(text), text.count(" ") + 1, "bench", "1",
                authors=("Ada Ruiz",), tags=("port",), language="en", published_at=NOW,
            )  # fmt: skip
            with connection.begin():
                fetched = Fetched(200, Validators(), 1)
                save_articles(connection, [Finding(page, found, fetched)], "bench", NOW, policy)
        return clock() - cpu, time.perf_counter() - began, [page.id for page in pages]


def delete_articles(connection: Connection, pages: list[int] | None = None) -> None:
    """Delete what was inserted, on these pages or on all."""
    where = PageRow.host == SITE if pages is None else PageRow.id.in_(pages)
    found = list(connection.scalars(sa.select(PageRow.id).where(where)))
    ids = list(connection.scalars(sa.select(ArticleRow.id).where(ArticleRow.page_id.in_(found))))
    leave_stories(connection, ids)
    connection.execute(sa.delete(ArticleRow).where(ArticleRow.id.in_(ids)))
    connection.execute(sa.delete(PageRow).where(PageRow.id.in_(found)))


def _page(connection: Connection) -> Page:
    if connection.scalar(sa.select(HostRow.name).where(HostRow.name == SITE)) is None:
        connection.execute(sa.insert(HostRow).values(name=SITE, next_fetch_at=NOW))
    url = f"https://{SITE}/insertion/{uuid.uuid4()}"
    row = {"url": url, "host": SITE, "state": "queued", "discovered_at": NOW, "lease_owner": "bench"}
    page_id = connection.scalar(sa.insert(PageRow).values(row).returning(PageRow.id))
    return Page(page_id, url, SITE, Validators(), 1)


def measure(engine: Engine, options: argparse.Namespace) -> list[str]:
    """Measure an archive; returns which limits were missed."""
    write(engine, delete_articles)
    with reading(engine) as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(ArticleRow))
    print(f"\n{rows:,} articles on {engine.dialect.name}; load of the machine {os.getloadavg()[0]:.1f}")
    speed = measure_insertion(engine, options.rounds) if options.rounds else 1.0
    p95 = measure_search(engine, options.queries)
    write(engine, delete_articles)
    print(f"load of the machine {os.getloadavg()[0]:.1f}")
    failures = [f"p95 of {OF}: {p95:.0f} ms, {MAX_P95:.0f} allowed"] if p95 > MAX_P95 else []
    failures += [f"insertion: {speed:.2f} of the speed, {MIN_SPEED} wanted"] if speed < MIN_SPEED else []
    return [f"{engine.dialect.name}: {failure}" for failure in failures]


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the archives are kept, to be measured again")
    parser.add_argument("--rows", type=int, default=1_000_000, help="articles")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    parser.add_argument("--queries", type=int, default=200, help="of each kind")
    parser.add_argument("--rounds", type=int, default=6, help="batches of 100 articles that are inserted each way")
    options = parser.parse_args()
    failures = []
    for database in (options.only,) if options.only else ("sqlite", "postgresql"):
        engine = open_filled(options.folder, database, options.rows)
        failures += measure(engine, options)
        engine.dispose()
    sys.exit("\n".join(failures) or None)


if __name__ == "__main__":
    main()
