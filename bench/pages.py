"""Measures the pages of `news serve` over a made-up archive: each page, and ten filters of its lists.

    python -m bench.pages FOLDER --rows 1000000              # both databases, made in FOLDER where not there
    python -m bench.pages FOLDER --rows 50000 --only sqlite

Prints median and 95th percentile of each in milliseconds, from the request to the whole page, in this process; and
beside lists the median of their own SQL, run by itself. Fails where the median of a page is more than 20 ms above that.
"""

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import Engine

from bench.archive import LAST_DAY, open_filled, site_name
from pipeline.config import Settings
from pipeline.store.connection.readonly import only_reading, run_readonly_query
from pipeline.web.application import create_app

MAX_OVER = 20.0
"""Milliseconds that a page may take above its query."""

SITE = site_name(3)
DAY = f"{LAST_DAY:%Y-%m-%d}"
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
    "/articles?q=title:a*+language:en",
)


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000, help="articles")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--times", type=int, default=20, help="of each page")
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from starlette.testclient import TestClient

        client = TestClient(create_app(engine, Settings()))
    print(f"{engine.dialect.name:60} {'median':>8} {'p95':>8} {'query':>8}")
    slow = []
    for path in (*PAGES, *LISTS):
        page = _take(lambda path=path: client.get(path).raise_for_status(), times)
        query = 0.0
        if path in LISTS:
            statement = client.get(f"{path}{'&' if '?' in path else '?'}format=sql").text
            query = statistics.median(_take(lambda sql=statement: _run(engine, sql), times))
            if statistics.median(page) > query + MAX_OVER:
                slow.append(path)
        p95 = statistics.quantiles(page, n=20)[-1]
        print(f"{path:60} {statistics.median(page):8.1f} {p95:8.1f} {f'{query:8.1f}' if query else ''}", flush=True)
    return slow


def _run(engine: Engine, statement: str) -> None:
    with only_reading(engine) as connection:
        run_readonly_query(connection, statement).all()


def _take(call: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each call, after one that warms up."""
    call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


if __name__ == "__main__":
    sys.exit(main())
