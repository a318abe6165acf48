"""`make backfill-demo`: a month of days backfilled by Airflow's scheduler, four runs at a time.

A newsroom with articles of January to March 2026 and a sitemap for each month is served; `airflow backfill create` asks
for the 31 days of January. It succeeds when there are 31 runs, all green, with every article of January stored once,
and no page asked for twice. Takes two to four minutes on a quiet machine.

Airflow keeps its own data in SQLite here, which takes one writer at a time: the backfill is asked for before the
scheduler starts. With PostgreSQL it may be asked for at any time.
"""

import json
import os
import shutil
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path  # noqa: TC003  # as in the scripts beside it

from examples.airflow.supervise import (
    BIN,
    LOOPBACK,
    ROOT,
    Processes,
    ScriptError,
    airflow_environment,
    free_port,
    run,
    stopping_on_signals,
)
from examples.airflow.up import start_airflow
from tests.support.filling import XML, index, urlset
from tests.support.stories import article_page
from tests.support.web import Web, page

HOME = ROOT / ".demo" / "backfill"
FIRST, DAYS, PER_DAY = date(2026, 1, 1), 31, 3
SERVED = 90
LIMIT = 900.0
"""Seconds within which everything has to be done."""


def main() -> int:
    """Serve, start, ask, wait, compare; returns the exit code."""
    shutil.rmtree(HOME, ignore_errors=True)
    port = free_port()
    try:
        with stopping_on_signals(), Web() as web, Processes(HOME / "output") as processes:
            paths = serve(web)
            environment = settings(port)
            run([BIN / "news", "db", "upgrade"], environment)
            run([BIN / "airflow", "db", "migrate"], environment, log=HOME / "output" / "migrate.log")
            run([BIN / "airflow", "pools", "set", "news_backfill", "4", "Backfills"], environment)
            run([BIN / "airflow", "dags", "reserialize"], environment, log=HOME / "output" / "dags.log")
            ask(environment, web.url("/"))
            began = time.monotonic()
            start_airflow(processes, f"http://{LOOPBACK}:{port}", environment)
            states = wait(processes)
            print(f"{len(states)} runs in {time.monotonic() - began:.0f} s: {dict(Counter(states.values()))}")
            return compare(web, paths, states)
    except ScriptError as failure:
        print(failure, file=sys.stderr)
        return 1


def serve(web: Web) -> set[str]:
    """A site with a sitemap for each month; returns the paths of the articles of January."""
    months: dict[str, dict[str, None]] = {}
    wanted: set[str] = set()
    for day in (FIRST + timedelta(days=number) for number in range(SERVED)):
        for number in range(PER_DAY):
            path = f"/{day:%Y/%m/%d}/story-{number}"
            web.routes[path] = page(article_page((day - FIRST).days * PER_DAY + number))
            months.setdefault(f"{day:%Y-%m}", {})[web.url(path)] = None
            if day < FIRST + timedelta(days=DAYS):
                wanted.add(path)
    web.routes["/sitemap.xml"] = page(index({web.url(f"/sitemap-{month}.xml"): None for month in months}), XML)
    for month, listed in months.items():
        web.routes[f"/sitemap-{month}.xml"] = page(urlset(listed), XML)
    return wanted


def settings(port: int) -> dict[str, str]:
    """The environment of all parts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWS_", "AIRFLOW"))}
    return airflow_environment(
        HOME,
        kept,
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
        AIRFLOW__API__HOST=LOOPBACK,
        AIRFLOW__API__PORT=str(port),
        AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://{LOOPBACK}:{port}/execution/",
        NEWS_DATABASE_URL=f"sqlite:///{HOME / 'news.db'}",
        NEWS_ALLOW_NETWORKS="127.0.0.0/8",
        NEWS_HOST_DELAY="0.05",
        NEWS_JOBS="1",
        NEWS_BACKFILL_POOL="news_backfill",
    )


def ask(environment: dict[str, str], site: str) -> None:
    """Have Airflow fill the days."""
    last = FIRST + timedelta(days=DAYS - 1)
    command: list[str | Path] = [BIN / "airflow", "backfill", "create", "--dag-id", "backfill_archive"]
    command += ["--from-date", FIRST.isoformat(), "--to-date", last.isoformat(), "--max-active-runs", "4"]
    command += ["--dag-run-conf", json.dumps({"source": "sitemap", "site": site})]
    run(command, environment, log=HOME / "output" / "create.log")


def wait(processes: Processes) -> dict[str, str]:
    """The state of each run of the backfill, by its id, once all have ended."""
    end = time.monotonic() + LIMIT
    while True:
        processes.check()
        with closing(sqlite3.connect(f"file:{HOME / 'airflow.db'}?mode=ro", uri=True)) as connection:
            states = dict(connection.execute("SELECT run_id, state FROM dag_run WHERE run_type = 'backfill'"))
        if len(states) >= DAYS and not set(states.values()) & {"queued", "running"}:
            return states
        if time.monotonic() > end:
            raise ScriptError(f"not done in {LIMIT:.0f} s: {dict(Counter(states.values()))}; logs in {HOME}")
        time.sleep(5)


def compare(web: Web, wanted: set[str], states: dict[str, str]) -> int:
    """Say what came of it; 0 where it is what it should be."""
    with closing(sqlite3.connect(HOME / "news.db")) as connection:
        stored = [row[0] for row in connection.execute("SELECT url FROM article")]
    asked = Counter(path for path in web.paths if "/story-" in path)
    twice = sum(count - 1 for count in asked.values())
    sitemaps = Counter(path for path in web.paths if "sitemap" in path)
    print(f"articles {len(stored)} of {len(wanted)}; pages asked for {asked.total()}, of them again {twice}")
    print(f"sitemaps read: {dict(sitemaps)}")
    is_good = len(states) == DAYS and set(states.values()) == {"success"}
    is_good = is_good and sorted(stored) == sorted(map(web.url, wanted)) and set(asked) == wanted and not twice
    print("every article once, in 31 green runs" if is_good else "NOT as it should be")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
