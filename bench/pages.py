"""Measures the pages of `news serve` over a made-up archive: each page, and ten filters of its lists.

    python -m bench.pages FOLDER --rows 1000000              # both databases, made in FOLDER where not there
    python -m bench.pages FOLDER --rows 50000 --only sqlite

The pages are served over HTTP on loopback. Prints median and 95th percentile of each in milliseconds, from the request
to the last byte; and beside lists and a search the same of their own SQL, run by itself, in turn with the page. Fails
where either is more than 20 ms above that of its SQL.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote_plus

import uvicorn
from sqlalchemy.engine import Engine

from bench.archive import LAST_DAY, open_filled, site_name
from pipeline.config import Settings
from pipeline.store.connection.readonly import only_reading, run_readonly_query
from pipeline.store.search import search_articles
from pipeline.web.application import create_app
from pipeline.web.guard import LOOPBACK
from pipeline.web.row_lists import PAGE_ROWS

MAX_OVER = 20.0
"""Milliseconds that a page may take above its query."""

SITE = site_name(3)
DAY = f"{LAST_DAY:%Y-%m-%d}"
NOW = datetime.combine(LAST_DAY + timedelta(days=1), time_of_day(), UTC)
WORDS = "title:a* language:en"
SEARCH = f"/articles?q={quote_plus(WORDS)}"
LISTS = (
    "/articles",
    f"/articles?site={SITE}",
    "/articles?language=de",
    f"/articles?since={DAY}",
    f"/articles?site={SITE}&language=en",
    "/articles?page_class=live_blog",
    "/articles?story=1",
    "/ledger",
    "/ledger?state=failed",
    "/ledger?state=failed&reason=http_404",
    f"/ledger?host=www.{SITE}",
    "/feeds",
    "/feeds?state=active&sort=interval",
    "/sources",
    f"/sources?source={SITE}",
    "/entries",
    "/polls",
)
PAGES = (
    "/",
    "/articles/1000",
    "/feeds/1",
    "/ledger/reasons",
    "/boilerplate",
    "/backfills",
    SEARCH,
)


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000, help="articles")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--times", type=int, default=40, help="of each page")
    options = parser.parse_args()
    slow = []
    for database in [options.only] if options.only else ["sqlite", "postgresql"]:
        engine = open_filled(options.folder, database, options.rows)
        slow += [f"{database}: {page}" for page in measure_pages(engine, options.times)]
        engine.dispose()
    for page in slow:
        print(f"too slow: {page}")
    return 1 if slow else 0


def measure_pages(engine: Engine, times: int) -> list[str]:
    """Print what each page takes; returns those that take too long beside their query."""
    print(f"{engine.dialect.name:48} {'median':>9} {'p95':>9} {'query':>9} {'p95':>9}")
    slow = []
    with serving(engine) as pages:
        for path in (*PAGES, *LISTS):
            calls: list[Callable[[], object]] = [partial(_ask, pages, path)]
            if path == SEARCH:
                calls.append(partial(_search, engine))
            elif path in LISTS:
                statement = _ask(pages, f"{path}{'&' if '?' in path else '?'}format=sql")
                calls.append(partial(_run, engine, statement))
            page, *queries = _take(calls, times)
            if any(taken > asked + MAX_OVER for query in queries for taken, asked in zip(page, query, strict=True)):
                slow.append(path)
            shown = " ".join(f"{value:9.1f}" for taken in (page, *queries) for value in taken)
            print(f"{path:48} {shown}{'  TOO SLOW' if path in slow else ''}", flush=True)
    return slow


@contextmanager
def serving(engine: Engine) -> Iterator[HTTPConnection]:
    """A connection, as a browser keeps one, to the pages of this archive, for which its last day has just gone by."""
    app = create_app(engine, Settings(), hosts=LOOPBACK, clock=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.05)
        with closing(HTTPConnection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])) as pages:
            yield pages
    finally:
        server.should_exit = True
        thread.join()


def _ask(pages: HTTPConnection, path: str) -> str:
    pages.request("GET", path)
    answer = pages.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}")
    return text


def _run(engine: Engine, statement: str) -> None:
    with only_reading(engine) as connection:
        run_readonly_query(connection, statement).all()


def _search(engine: Engine) -> None:
    with only_reading(engine) as connection:
        search_articles(connection, WORDS, limit=PAGE_ROWS)


def _take(calls: Sequence[Callable[[], object]], times: int) -> list[tuple[float, float]]:
    """Median and 95th percentile of each call in milliseconds; they take turns, after one round that warms up."""
    taken: list[list[float]] = [[] for _ in calls]
    for turn in range(times + 1):
        for call, milliseconds in zip(calls, taken, strict=True):
            begun = time.perf_counter()
            call()
            if turn:
                milliseconds.append((time.perf_counter() - begun) * 1000)
    return [(statistics.median(each), statistics.quantiles(each, n=20)[-1]) for each in taken]


if __name__ == "__main__":
    sys.exit(main())
