"""Measure `news watch` on a web that publishes all the time: 200 feeds, each with an article a minute, and a kill -9.

    python -m bench.stream             half an hour; or: make bench-stream
    python -m bench.stream --minutes 4
    python -m bench.stream --dag       the DAG `ingest_stream` instead, in an Airflow of its own

Four replay servers of 50 hosts publish in turn, one each quarter of a minute. In the middle the watch is killed with
all its processes, and started again; of Airflow the process in which the task is at work. Told are the delay from
publication to row, the shortest time between two polls of one feed, pages that were asked for more than once, what
robots.txt forbids and was asked for, and the memory.

Fails (exit code 1) where half of the articles take 30 seconds or more (60 with `--dag`), a feed is asked more often
than its floor, anything is forbidden, lost or stored twice, or memory grows by a tenth from the first half to the
second.
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Protocol, Self

import psutil

from bench.faulty_web import free_port
from bench.replay import PAGES, SCRIPT, Replay, Site
from pipeline.config import Settings

FLOOR = Settings().min_poll_interval.total_seconds()
"""Shortest time between two polls of one feed, in seconds: the default."""

GROWTH = 1.1
REST = 300.0
"""Longest wait at the end, in seconds, for what was published last; after it, what is not there counts as lost."""

ROUND = 60.0
SITES = [Site(f"stream{number}", f"127.0.{number}.1", hosts=50, items=3) for number in range(1, 5)]
NEWS = [sys.executable, "-m", "pipeline"]


class Subject(Protocol):
    """What is measured: it runs from ``__enter__`` on.

    Attributes:
        limit: seconds from publication to row that half of the articles may take.
        used: seconds of processor of what was killed.
    """

    limit: float
    used: float

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def processes(self) -> list[psutil.Process]:
        """All that it has started."""

    def kill(self) -> None:
        """Kill what is at work, at once, and see to it that the work goes on."""

    def end(self) -> int:
        """End it in order; its exit code."""


class Watch:
    """`news watch`."""

    limit = 30.0

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._log, self._environment, self.used = folder / "log", environment, 0.0

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            command = [*NEWS, "watch", "--quiet"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        for part in self.processes():
            part.kill()
        self._process.wait()

    def processes(self) -> list[psutil.Process]:
        """The process with all that it has started."""
        with suppress(psutil.Error):
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def kill(self) -> None:
        """Kill all of it, and start it again."""
        self.used += cpu(self.processes())
        self.__exit__()
        self.__enter__()

    def end(self) -> int:
        """As systemd ends it."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait()


def memory(processes: list[psutil.Process]) -> float:
    """MiB of all the processes; what they share is counted once."""
    total = 0
    for part in processes:
        with suppress(psutil.Error):
            total += part.memory_full_info().pss
    return total / 2**20


def cpu(processes: list[psutil.Process]) -> float:
    """Seconds of processor that they have used, with their children that have ended."""
    total = 0.0
    for part in processes:
        with suppress(psutil.Error):
            total += sum(part.cpu_times()[:4])
    return total


def publish(servers: list[Replay], minutes: float) -> Iterator[tuple[dict[str, datetime], bool]]:
    """Publish in turn: what each step brought and when, and whether it is the one in the middle."""
    known = {url for server in servers for url in server.ask("/__urls").decode().split()}
    steps = round(minutes * 60 / ROUND * len(servers))
    for step in range(steps):
        began, server = time.monotonic(), servers[step % len(servers)]
        at = datetime.now(UTC)
        server.ask("/__tick")
        fresh = set(server.ask("/__urls").decode().split()) - known
        known |= fresh
        yield dict.fromkeys(fresh, at), step == steps // 2
        time.sleep(max(0.0, began + ROUND / len(servers) - time.monotonic()))


def left(folder: Path, published: Iterable[str]) -> list[str]:
    """The articles that nothing has come of so far."""
    with closing(sqlite3.connect(folder / "news.db")) as database:
        states = dict(database.execute("SELECT url, state FROM page"))
    return [url for url in published if states.get(url) in {None, "queued"}]


def requests(witnesses: list[Path]) -> list[dict[str, object]]:
    """Every request that was made, in the order of time."""
    lines = [(witness.stem, line) for witness in witnesses for line in witness.read_text("utf-8").splitlines()]
    # A server numbers its own hosts.
    told = [fields | {"host": (site, fields["host"])} for site, line in lines for fields in [json.loads(line)]]
    return sorted(told, key=lambda fields: fields["asked_at"])


def run(folder: Path, minutes: float, kind: Callable[[Path, dict[str, str]], Subject]) -> list[str]:
    """The measurement of a kind of subject; returns what failed."""
    port = free_port()
    environment = os.environ | {
        "NEWS_DATABASE_URL": f"sqlite:///{folder / 'news.db'}",
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0",
        "NEWS_POLL_INTERVAL": str(FLOOR),
        "NEWS_MIN_POLL_INTERVAL": str(FLOOR),
        "NEWS_METRICS_ADDRESS": "off",
    }
    witnesses = [folder / f"{site.name}.jsonl" for site in SITES]
    published: dict[str, datetime] = {}
    samples: list[float] = []
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Replay(site, port, PAGES, options=["--rotate=1", "--latency=50"], witness=witness))
            for site, witness in zip(SITES, witnesses, strict=True)
        ]
        for server in servers:
            server.await_ready()
        (folder / "feeds.txt").write_text("\n".join(feed for server in servers for feed in server.feeds()))
        for command in (["db", "upgrade"], ["feeds", "import", str(folder / "feeds.txt")], ["ingest"]):
            subprocess.run([*NEWS, *command], env=environment, check=True, stdout=subprocess.DEVNULL)
        subject = stack.enter_context(kind(folder, environment))
        began = time.monotonic()
        for fresh, is_middle in publish(servers, minutes):
            published |= fresh
            samples.append(memory(subject.processes()))
            if is_middle:
                subject.kill()
        ends_at = time.monotonic() + REST
        while time.monotonic() < ends_at and left(folder, published):  # what was published last is still to come
            time.sleep(1)
        samples.append(memory(subject.processes()))
        cores = (subject.used + cpu(subject.processes())) / (time.monotonic() - began)
        code = subject.end()
        forbidden = sum(int(server.stats()["robots_violations"]) for server in servers)
    return judge(folder, published, requests(witnesses), began, samples, forbidden, code, cores, subject.limit)


def judge(
    folder: Path,
    published: dict[str, datetime],
    asked: list[dict[str, object]],
    began: float,
    samples: list[float],
    forbidden: int,
    code: int,
    cores: float,
    limit: float,
) -> list[str]:
    """Print what was measured, and return what of it is not as it should be."""
    with closing(sqlite3.connect(folder / "news.db")) as database:
        stored = dict(database.execute("SELECT url, first_seen_at FROM article"))
        copies = database.execute("SELECT count(*) - count(DISTINCT page_id) FROM article").fetchone()[0]
        held = database.execute("SELECT count(*) FROM page WHERE leased_until IS NOT NULL").fetchone()[0]
    delays = sorted(
        (datetime.fromisoformat(stored[url]).replace(tzinfo=UTC) - at).total_seconds()
        for url, at in published.items()
        if url in stored
    )
    polls = defaultdict(list)
    pages: Counter[tuple[object, object]] = Counter()
    for line in asked:
        path = str(line["path"])
        if path.startswith("/feeds/") and float(str(line["asked_at"])) > began:
            polls[line["host"], path].append(float(str(line["asked_at"])))
        elif path.endswith(".html"):
            pages[line["host"], path] += 1
    gaps = sorted(later - earlier for times in polls.values() for earlier, later in pairwise(times))
    rest = left(folder, published)
    twice = sum(number > 1 for number in pages.values())
    half = len(samples) // 2
    before, after = median(samples[1:half] or samples), median(samples[half + 2 :] or samples)
    hundredths = quantiles(delays, n=100)
    print(f"articles          {len(delays)} of {len(published)} published; {len(rest)} left, {copies} stored twice")
    print(f"delay             median {median(delays):.1f} s, p95 {hundredths[94]:.1f} s, most {delays[-1]:.1f} s")
    print(f"polls             {len(gaps) + len(polls)} of {len(polls)} feeds; pause {gaps[0]:.1f} to {gaps[-1]:.1f} s,")
    print(f"                  median {median(gaps):.1f} s; the floor is {FLOOR:g} s")
    print(f"pages             {len(pages)} asked for, {twice} of them more than once; {forbidden} forbidden")
    print(f"memory            {before:.0f} MiB before the kill, {after:.0f} MiB after; processor {cores:.2f} cores")
    return [
        text
        for is_bad, text in (
            (median(delays) >= limit, f"half of the articles took {limit:g} s or more"),
            (gaps[0] < FLOOR, "a feed was asked more often than its floor"),
            (forbidden, "something was asked for that robots.txt forbids"),
            (bool(rest), f"{len(rest)} articles were left, such as {rest[:1]}"),
            (copies or twice, "something was stored or asked for twice"),
            (after > before * GROWTH, "memory grew"),
            (code or held, f"it ended with {code}, and {held} pages claimed"),
        )
        if is_bad
    ]


def main() -> int:
    """Measure, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long is published [default: 30]")
    parser.add_argument("--dag", action="store_true", help="measure the DAG ingest_stream")
    options = parser.parse_args()
    if not SCRIPT.is_file():
        print(f"there is no replay server at {SCRIPT}: nothing was measured")
        return 0
    if options.dag:
        from bench.stream_dag import Scheduled  # it needs Airflow
    with tempfile.TemporaryDirectory(prefix="news-stream-") as folder:
        failed = run(Path(folder), options.minutes, Scheduled if options.dag else Watch)
    print(*(f"FAILED: {text}" for text in failed), sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
