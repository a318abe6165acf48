"""Measure the live path, from feeds to SQL, beside what a user would write or install instead.

    python -m bench.live             all of it (20 minutes); or: make bench-live
    python -m bench.live --short     one round of a fifth of the hosts, for the CI; or: make bench-live LIVE=--short
    python -m bench.live --plot cpu.svg        with a plot of the CPU of all contenders
    python -m bench.live --sql postgresql+psycopg:///NAME?host=FOLDER      on PostgreSQL too, beside SQLite

Two loads come from the replay server beside the checkout, on loopback:

``ingest``   50 hosts of one feed with 20 real pages each, 50 ms to the first byte, at most 4 requests to a host at
             once;
``poll``     1,000 feeds of 20 entries on 250 hosts, 30 ms: first when all entries are new, then when nothing changed.

Contenders run one after the other, each round in turn, in archives of their own; what counts is the median of the
rounds. CPU is that of all processes (`bench.measured`). The ratios of one run can be compared; its absolute figures
belong to the machine and the hour. The yardsticks are in `bench.yardsticks` and come from an environment of their own.

Fails (exit code 1) where a ratio is below its floor. Where there is no replay server the code is 0.
"""

import argparse
import asyncio
import json
import os
import pickle
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from statistics import median
from subprocess import check_output

import sqlalchemy as sa

from bench.faulty_web import free_port
from bench.measured import Cost, measure
from bench.replay import PAGES, SCRIPT, SHARED, Replay, Site
from pipeline.backfill.bulk_intake import UNDER_WAY
from pipeline.config import Settings
from pipeline.errors import SourceError
from pipeline.model import Response
from pipeline.runtime.workers import Workers

YARDSTICKS = Path(__file__).parent / "yardsticks"
INGEST = Site("ingest", "127.0.1.1", hosts=50, items=20)
POLL = Site("poll", "127.0.1.1", hosts=250, feeds=4, items=20)
SETTINGS = {
    "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
    "NEWS_HOST_DELAY": "0",
    "NEWS_HOST_CONNECTIONS": "4",
    "NEWS_JOBS": "2",
}
NEWS = (sys.executable, "-m", "pipeline")

FLOORS = {
    ("ingest", "asyncio script"): 0.7,
    ("ingest", "trafilatura --feed"): 1.2,
    ("first poll", "reader"): 0.4,
    ("all 304", "reader"): 0.18,
}
"""Ratios of articles or feeds a second that must hold: what the code reaches, less what a busy machine takes."""

CPU_FLOORS = {
    ("ingest", "asyncio script"): 0.6,
    ("first poll", "reader"): 0.4,
    ("all 304", "reader"): 0.25,
}
"""Ratios of CPU for each, the other's to ours: what other work on the machine does not slow down."""


@dataclass(frozen=True)
class Run:
    """One run of one contender: what came of it and what it cost."""

    count: int
    cost: Cost

    @property
    def rate(self) -> float:
        """Articles or feeds a second."""
        return self.count / self.cost.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of each article or feed."""
        return 1000 * self.cost.cpu_seconds / max(self.count, 1)


class Contender:
    """A program, in a new folder for each round.

    Args:
        name: for the table.
        folder: of all its rounds.
        environment: its variables.
    """

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.folder = folder / name.replace(" ", "-").strip("-")
        self.environment = environment
        self.folder.mkdir(parents=True)

    def cost(self, command: Sequence[str]) -> Cost:
        """Run a command to its end.

        Raises:
            RuntimeError: it failed.
        """
        cost = measure(command, environment=self.environment, log=self.folder / "log")
        if cost.code:
            raise RuntimeError(f"{self.name} ended with {cost.code}; see {self.folder / 'log'}")
        return cost


class Articles:
    """The archive of ``news`` in one round.

    Args:
        folder: for its files.
        sql: URL of a PostgreSQL server's maintenance database, in which a new one is made; empty for SQLite.
    """

    def __init__(self, folder: Path, sql: str, name: str) -> None:
        if sql:
            address = sa.make_url(sql)
            with sa.create_engine(address, isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
            self.url = address.set(database=name).render_as_string(hide_password=False)
        else:
            self.url = f"sqlite:///{folder / name}.db"
        self.environment = {"NEWS_DATABASE_URL": self.url, "NEWS_ARCHIVE_URL": str(folder / f"{name}-raw")}

    def count(self, query: str) -> int:
        """What a query of one number gives."""
        engine = sa.create_engine(self.url)
        with engine.connect() as connection:
            number = int(connection.scalar(sa.text(query)) or 0)
        engine.dispose()
        return number


def plain_environment() -> dict[str, str]:
    """The variables of this process without those that decide how `news` works."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEWS_")}
    return own | {"PYTHONPATH": str(Path.cwd())}


class Bench:
    """Rounds of all contenders over both loads."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._runs: dict[tuple[str, str], list[Run]] = {}

    def ingest(self, site: Site) -> None:
        """Feeds to articles."""
        port = free_port()
        served = ("--latency=50", "--warm")
        with Replay(site, port, PAGES, options=served) as server:
            server.await_ready()
            feeds = self._write_feeds("ingest", server.feeds())
            pages = self._save_pages([row["url"] for row in server.articles()])
            for number in range(self._options.rounds):
                self._add("ingest", "news", self._news_ingest(feeds, f"ingest{number}", ""))
                if self._options.sql:
                    self._add(
                        "ingest", "news on PostgreSQL", self._news_ingest(feeds, f"ingest{number}", self._options.sql)
                    )
                self._add("ingest", "bound", self._bound(pages, number))
                for name, words in (("asyncio script", ()), ("asyncio script, fast", ("--fast",))):
                    self._add("ingest", name, self._script(name, feeds, number, words))
        if self._options.short:
            return
        port = free_port()
        with Replay(site, port, PAGES, options=(*served, "--names=news{}.test")) as server:
            server.await_ready()
            feeds = self._write_feeds("names", server.feeds())
            for number in range(self._options.rounds):
                self._add("ingest", "trafilatura --feed", self._trafilatura(feeds, number))

    def poll(self, site: Site) -> None:
        """Feeds alone, twice."""
        with Replay(site, free_port(), PAGES, options=("--feed-latency=30", "--max-pages=50")) as server:
            server.await_ready()
            feeds = self._write_feeds("poll", server.feeds())
            total = len(feeds.read_text().split())
            for number in range(self._options.rounds):
                for load, run in zip(("first poll", "all 304"), self._news_polls(feeds, number, total), strict=True):
                    self._add(load, "news", run)
                for load, run in zip(
                    ("first poll", "all 304"), self._reader_polls(server, feeds, number, total), strict=True
                ):
                    self._add(load, "reader", run)

    def report(self) -> int:
        """Print the medians and the ratios; the exit code.

        ``news is`` is how many times as fast, ``less CPU`` how many times the CPU the other took for each.
        """
        print(f"\n{'load':<12}{'contender':<24}{'a second':>10}{'CPU ms':>9}{'MiB':>7}{'news is':>9}{'less CPU':>10}")
        missed = []
        for (load, name), runs in self._runs.items():
            rate, cpu_ms = median(run.rate for run in runs), median(run.cpu_ms for run in runs)
            own = self._runs[load, "news"]
            ratio, less = median(run.rate for run in own) / rate, cpu_ms / median(run.cpu_ms for run in own)
            peak = median(run.cost.peak_mib for run in runs)
            print(f"{load:<12}{name:<24}{rate:>10.1f}{cpu_ms:>9.1f}{peak:>7.0f}{ratio:>9.2f}{less:>10.2f}")
            for floors, value, of in ((FLOORS, ratio, "the speed"), (CPU_FLOORS, less, "the frugality")):
                if value < floors.get((load, name), 0):
                    missed.append(f"{load}: {value:.2f} of {of} of {name}, below {floors[load, name]:.2f}")
        if self._options.plot:
            draw(self._runs, self._options.plot)
        print(*missed, sep="\n")
        return bool(missed)

    def _add(self, load: str, name: str, run: Run) -> None:
        self._runs.setdefault((load, name), []).append(run)
        print(
            f"{load}: {name}: {run.count} at {run.rate:.1f}/s, {run.cpu_ms:.1f} ms, {run.cost.peak_mib:.0f} MiB",
            flush=True,
        )

    def _write_feeds(self, name: str, urls: Sequence[str]) -> Path:
        path = self._folder / f"{name}.txt"
        path.write_text("\n".join(urls))
        return path

    def _contender(self, name: str, **environment: str) -> Contender:
        return Contender(name, Path(tempfile.mkdtemp(dir=self._folder)), plain_environment() | environment)

    def _prepared(self, feeds: Path, name: str, sql: str) -> tuple[Contender, Articles]:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        archive = Articles(folder, sql, name)
        news = self._contender("news", **SETTINGS, **archive.environment)
        for words in (("db", "upgrade"), ("feeds", "import", str(feeds))):
            news.cost([*NEWS, *words])
        return news, archive

    def _news_ingest(self, feeds: Path, name: str, sql: str) -> Run:
        news, archive = self._prepared(feeds, name, sql)
        cost = news.cost([*NEWS, "ingest"])
        return Run(archive.count("SELECT count(*) FROM page WHERE state = 'stored'"), cost)

    def _news_polls(self, feeds: Path, number: int, total: int) -> list[Run]:
        news, archive = self._prepared(feeds, f"poll{number}", "")
        runs = []
        for outcome in ("read", "unchanged"):
            cost = news.cost([*NEWS, "poll"])
            count = archive.count(f"SELECT count(*) FROM feed WHERE last_outcome = '{outcome}'")
            if count != total:
                raise RuntimeError(f"{total - count} of {total} feeds were not {outcome}; see {news.folder}")
            runs.append(Run(count, cost))
        return runs

    def _reader_polls(self, server: Replay, feeds: Path, number: int, total: int) -> list[Run]:
        reader = self._contender("reader")
        database, program = str(reader.folder / f"{number}.db"), str(YARDSTICKS / "reader_polls.py")
        reader.cost([self._options.python, program, "add", database, str(feeds)])
        runs = []
        for status in ("200", "304"):
            before = server.stats()["by_status"].get(status, 0)
            runs.append(Run(total, reader.cost([self._options.python, program, "update", database])))
            asked = server.stats()["by_status"].get(status, 0) - before
            if asked != total:
                raise RuntimeError(f"reader had {asked} answers of status {status}, not {total}; see {reader.folder}")
        return runs

    def _script(self, name: str, feeds: Path, number: int, words: Sequence[str]) -> Run:
        script = self._contender(name)
        database = script.folder / f"{number}.db"
        cost = script.cost(
            [self._options.python, str(YARDSTICKS / "asyncio_script.py"), str(feeds), str(database), *words]
        )
        with closing(sqlite3.connect(database)) as connection:
            ((count,),) = connection.execute("SELECT count(*) FROM article")
        return Run(count, cost)

    def _trafilatura(self, feeds: Path, number: int) -> Run:
        names = self._contender("trafilatura", PYTHONPATH=str(SHARED / "tools" / "replay_dns"))
        out = names.folder / str(number)
        command = Path(self._options.python).with_name("trafilatura")
        (packaged,) = command.parents[1].glob("lib/*/site-packages/trafilatura/settings.cfg")
        settings = names.folder / "settings.cfg"
        # It asks no loopback address otherwise, ends with 126, and nothing is measured.
        settings.write_text(packaged.read_text("utf-8").replace("SSRF_PROTECTION = on", "SSRF_PROTECTION = off"))
        options = ["--feed", "--parallel", "8", "--config-file", str(settings), "-o", str(out)]
        cost = names.cost([str(command), "-i", str(feeds), *options])
        return Run(sum(1 for path in out.rglob("*") if path.is_file()), cost)

    def _save_pages(self, urls: Sequence[str]) -> Path:
        """The bodies of all articles, for the bound: what the wire brings, without the wire."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def fetch(url: str) -> tuple[str, bytes]:
            with opener.open(url) as answer:
                return url, answer.read()

        path = self._folder / "pages.pickle"
        with ThreadPoolExecutor(16) as threads:
            path.write_bytes(pickle.dumps(list(threads.map(fetch, urls))))
        return path

    def _bound(self, pages: Path, number: int) -> Run:
        pool = self._contender("bound", **SETTINGS)
        out = pool.folder / f"{number}.json"
        cost = pool.cost([sys.executable, "-m", "bench.live", "--bound", str(pages), "--out", str(out)])
        told = json.loads(out.read_text())
        return Run(told["pages"], replace(cost, seconds=told["seconds"]))


def draw(runs: Mapping[tuple[str, str], Sequence[Run]], path: Path) -> None:
    """Write the CPU of each contender for one article or feed, its median and all of its rounds, as SVG."""
    import matplotlib.pyplot as plt
    from matplotlib import rcParams

    rcParams["svg.hashsalt"] = "news"
    loads = list(dict.fromkeys(load for load, _ in runs))
    figure, panels = plt.subplots(1, len(loads), figsize=(4 * len(loads), 2.6), squeeze=False, layout="constrained")
    for panel, load in zip(panels[0], loads, strict=True):
        rows = [(name, [run.cpu_ms for run in those]) for (where, name), those in runs.items() if where == load][::-1]
        colours = ["#1f6f8b" if name.startswith("news") else "#b9c4c9" for name, _ in rows]
        bars = panel.barh([name for name, _ in rows], [median(values) for _, values in rows], color=colours)
        panel.bar_label(bars, fmt="%.1f", padding=3)
        for place, (_, values) in enumerate(rows):
            panel.plot(values, [place] * len(values), "|", color="#333333")
        panel.set_title(f"{load}: CPU ms, all processes", fontsize=10)
        panel.margins(x=0.2)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None})


async def feed_pool(source: Sequence[tuple[str, bytes]]) -> float:
    """Seconds that the pool of extraction processes takes for these pages, by itself and fed from memory."""
    now, settings = datetime.now(UTC), Settings(jobs=int(SETTINGS["NEWS_JOBS"]))
    began = time.perf_counter()
    async with Workers(settings.jobs, settings.extract_timeout) as workers:
        slots = asyncio.Semaphore(workers.jobs * UNDER_WAY)

        async def extract(url: str, body: bytes) -> None:
            with suppress(SourceError):
                await workers.extract(Response(url, 200, {}, body, now, timedelta(0)), url, None, frozenset())
            slots.release()

        async with asyncio.TaskGroup() as tasks:
            for url, body in source:
                await slots.acquire()
                tasks.create_task(extract(url, body))
    return time.perf_counter() - began


def versions(python: str) -> str:
    """What was measured, by version."""
    names = "aiohttp", "feedparser", "reader", "trafilatura"
    ask = f"from importlib.metadata import version; print(', '.join(name + ' ' + version(name) for name in {names}))"
    own = ", ".join(f"{name} {version(name)}" for name in ("news-pipeline", "httpx", "trafilatura", "sqlalchemy"))
    return f"{own}; yardsticks: {check_output([python, '-c', ask], text=True).strip()}; Python {sys.version.split()[0]}"


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=".venv-yardsticks/bin/python", help="of the environment of the yardsticks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="one round of a fifth of the hosts")
    parser.add_argument("--only", choices=["ingest", "poll"], help="one of the two loads")
    parser.add_argument("--sql", default="", help="URL of a database of a PostgreSQL server, where new ones are made")
    parser.add_argument("--plot", type=Path, help="file for a plot of the CPU, as SVG")
    parser.add_argument("--bound", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bound:
        source = pickle.loads(options.bound.read_bytes())
        seconds = asyncio.run(feed_pool(source))
        options.out.write_text(json.dumps({"pages": len(source), "seconds": seconds}))
        return 0
    if not SCRIPT.is_file():
        print(f"no replay server at {SCRIPT}: nothing is measured")
        return 0
    options.rounds = 1 if options.short else options.rounds
    share = 5 if options.short else 1
    print(versions(options.python))
    with tempfile.TemporaryDirectory(prefix="news-bench-") as folder:
        bench = Bench(options, Path(folder))
        if options.only != "poll":
            bench.ingest(replace(INGEST, hosts=INGEST.hosts // share))
        if options.only != "ingest":
            bench.poll(replace(POLL, hosts=POLL.hosts // share))
        return bench.report()


if __name__ == "__main__":
    sys.exit(main())
