"""What a search costs in a large archive, and what the index costs whoever stores articles.

    python -m bench.archive sqlite:////var/tmp/news.db --rows 1000000
    python -m bench.search sqlite:////var/tmp/news.db
    python -m bench.search postgresql:///FOLDER --queries 300

Queries are two common words of a language (of its 300 most frequent: some are in most articles), rare words, phrases,
and limits by site and time. Insertion is measured through `save_article`, whose own work counts: batches with the index
and batches without it take turns, in transactions that are taken back; nothing is left behind.
"""

import argparse
import itertools
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bench.archive import LANGUAGES, LAST_DAY, fill, open_archive, site_name, vocabulary
from bench.stories import Press
from pipeline.dedup import content_hash
from pipeline.model import Article, Fetched, Page, Validators
from pipeline.schedule import PagePolicy
from pipeline.store import fulltext
from pipeline.store.articles import save_article
from pipeline.store.engine import reading
from pipeline.store.migrate import upgrade
from pipeline.store.search import search
from pipeline.tables import ArticleRow, HostRow, PageRow

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
COMMON, RARE = 300, 4_000


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


def measure_search(engine: Engine, number: int) -> None:
    """Print median, p95 and longest time of each kind of query, and this process's own share, in milliseconds."""
    print(f"{'search, ms':32}{'median':>9}{'p95':>9}{'max':>9}{'own CPU':>9}{'hits':>7}")
    for name, asked in queries(random.Random(1), number).items():
        times, own, hits = [], [], []
        for query, limits in asked:
            with reading(engine) as connection:
                began, cpu = time.perf_counter(), time.process_time()
                hits.append(len(search(connection, query, **limits)))
                times.append(1000 * (time.perf_counter() - began))
                own.append(1000 * (time.process_time() - cpu))
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"{name:32}{statistics.median(times):9.1f}{p95:9.1f}{max(times):9.1f}{statistics.median(own):9.1f}{statistics.mean(hits):7.1f}"
        )


def measure_insertion(engine: Engine, rounds: int = 6, batch: int = 100) -> None:
    """Print articles a second with the index and without it."""
    press = Press(random.Random(time.time()))
    rates: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(2 * rounds):
        name = ("with", "without")[number % 2]
        texts = [" ".join(press.text(500)) for _ in range(batch)]
        rates[name].append(_insert(engine, texts, drop=name == "without"))
    found = {name: statistics.median(values) for name, values in rates.items()}
    print(
        f"insertion: {found['with']:.0f} articles a second with the index of words, {found['without']:.0f} without it: "
        f"{found['with'] / found['without']:.2f} of the speed"
    )


def _insert(engine: Engine, texts: list[str], *, drop: bool) -> float:
    with engine.connect() as connection, connection.begin() as transaction:
        if drop:
            _drop_triggers(connection)
        pages = [_page(connection, number) for number in range(len(texts))]
        # SQLite works in this process: its own time tells it, whatever else the machine does.
        clock = time.process_time if engine.dialect.name == "sqlite" else time.perf_counter
        began = clock()
        for page, text in zip(pages, texts, strict=True):
            found = Article(
                page.url, "bench.example", text[:60], text, content_hash(text), text.count(" ") + 1, "bench", "1",
                authors=("Ada Ruiz",), tags=("port",), language="en", published_at=NOW,
            )  # fmt: skip
            save_article(
                connection, page, "bench", found, Fetched(200, Validators(), 1), NOW, PagePolicy(3, timedelta(1), ())
            )
        taken = clock() - began
        transaction.rollback()
    return len(texts) / taken


def _drop_triggers(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP TRIGGER search_article ON article")
        return
    for name in fulltext.SQLITE_TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def _page(connection: Connection, number: int) -> Page:
    host = sa.select(HostRow.name).where(HostRow.name == "bench.example")
    if connection.scalar(host) is None:
        connection.execute(sa.insert(HostRow).values(name="bench.example", next_fetch_at=NOW))
    url = f"https://bench.example/insertion/{number}"
    row = {"url": url, "host": "bench.example", "state": "queued", "discovered_at": NOW, "lease_owner": "bench"}
    page_id = connection.scalar(sa.insert(PageRow).values(row).returning(PageRow.id))
    return Page(page_id, url, "bench.example", Validators(), 1)


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="an archive that bench.archive filled, or that is to be filled")
    parser.add_argument("--rows", type=int, default=100_000, help="articles, where it is to be filled")
    parser.add_argument("--queries", type=int, default=200, help="of each kind")
    options = parser.parse_args()
    engine = open_archive(options.url)
    upgrade(engine)
    with reading(engine) as connection:
        is_empty = connection.scalar(sa.select(ArticleRow.id).limit(1)) is None
    if is_empty:
        fill(engine, options.rows)
    with reading(engine) as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(ArticleRow))
    print(f"{rows:,} articles on {engine.dialect.name}")
    measure_search(engine, options.queries)
    measure_insertion(engine)
    engine.dispose()


if __name__ == "__main__":
    main()
