"""Measure the backfill of a WARC file against what the cores can extract at all, and its memory against its size.

    python -m bench.backfill [--corpus ../shared/corpus] [--records 2000] [--larger 20000] [--rounds 3] [--sql URL]

The file is made of the corpus's pages with warcio, in a temporary folder. Three figures, in one run: pages a second
of the bound (the same pool of processes fed from memory, with as many pages under way, without WARC and SQL), pages a
second of `news backfill warc`, and their ratio; by the CPU of all processes, too. The two take turns of a second or
two, so that each gets as much of the machine's good and bad minutes, and start their processes within the time that
is measured. Then the peak memory of the process that reads and stores, for the file and for one ten times as long.
The exit code is 1 where the ratio is under 0.85 or the larger file takes over a tenth more memory; 0 where there is
no corpus.
"""

import argparse
import asyncio
import contextlib
import gzip
import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Self

import psutil

from bench.archive import open_archive
from bench.turns import begin_measured, in_turns
from pipeline.backfill import BackfillRequest, begin_job, run_job
from pipeline.backfill.bulk_intake import UNDER_WAY
from pipeline.config import Settings
from pipeline.errors import SourceError
from pipeline.model import Response
from pipeline.runtime import log
from pipeline.runtime.heap import keep_to_one_arena
from pipeline.runtime.workers import Workers
from pipeline.store.migrations.upgrade import upgrade_schema
from pipeline.urls import canonical_url

FLOOR = 0.85
MORE_MEMORY = 1.1


def corpus_pages(corpus: Path, count: int) -> Iterator[tuple[str, bytes]]:
    """Pages with their addresses; once the corpus is through, again as pages of other hosts."""
    rows = [json.loads(line) for line in (corpus / "gold.jsonl").open(encoding="utf-8")]
    for number in range(count):
        row = rows[number % len(rows)]
        body, turn = gzip.decompress((corpus / row["page"]).read_bytes()), number // len(rows)
        url = canonical_url(row["url"])
        if turn:
            host = url.split("/")[2]
            url, body = url.replace(host, f"c{turn}.{host}", 1), body.replace(host.encode(), f"c{turn}.{host}".encode())
        yield url, body


def write_warc(path: Path, pages: Iterator[tuple[str, bytes]]) -> None:
    """A WARC.gz of these pages, as a crawler would write it."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, body in pages:
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            named = {"WARC-Date": "2026-03-05T10:00:00Z"}
            record = writer.create_warc_record(
                url, "response", payload=BytesIO(body), http_headers=headers, warc_headers_dict=named
            )
            writer.write_record(record)


class Watch:
    """CPU and memory of this process and of all that it starts, until it ends; a look every half second."""

    def __init__(self) -> None:
        self._this = psutil.Process()
        self._seen: dict[int, tuple[float, float]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_again, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._before = self._own(), sum(cpu for cpu, _ in self._seen.values())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        own, others = self._before
        self.own_cpu = self._own() - own
        self.cpu = self.own_cpu + sum(cpu for cpu, _ in self._seen.values()) - others
        self.own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.peak_of_workers = max((peak for _, peak in self._seen.values()), default=0.0)

    def _own(self) -> float:
        return time.process_time()

    def _look_again(self) -> None:
        while not self._ended.wait(0.5):
            self._look()

    def _look(self) -> None:
        for process in self._this.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                spent, status = process.cpu_times(), Path(f"/proc/{process.pid}/status").read_text()
                peak = int(status.split("VmHWM:")[1].split()[0]) / 1024 if "VmHWM:" in status else 0.0
                # One that is just ending has no memory any more.
                before = self._seen.get(process.pid, (0.0, 0.0))[1]
                self._seen[process.pid] = spent.user + spent.system, max(peak, before)

    def figures(self, pages: int) -> dict[str, float]:
        """Figures of so many pages: milliseconds of CPU a page, MiB."""
        return {
            "pages": pages,
            "cpu_ms": 1000 * self.cpu / pages,
            "own_cpu_ms": 1000 * self.own_cpu / pages,
            "peak_mib": self.own_peak,
            "peak_of_workers_mib": self.peak_of_workers,
        }


async def bound(pages: Iterable[tuple[str, bytes]], settings: Settings) -> dict[str, float]:
    """The pool alone, fed from memory; its processes start with the first pages, as they do in a backfill."""
    at = datetime(2026, 3, 5, 10, tzinfo=UTC)
    async with Workers(settings.jobs, settings.extract_timeout) as workers:
        slots = asyncio.Semaphore(workers.jobs * UNDER_WAY)

        async def one(url: str, body: bytes) -> None:
            with contextlib.suppress(SourceError):
                await workers.extract(Response(url, 200, {}, body, at, timedelta(0)), url, None, frozenset())
            slots.release()

        source = list(pages)
        begin_measured()
        with Watch() as watch:
            async with asyncio.TaskGroup() as tasks:
                for url, body in source:
                    await slots.acquire()
                    tasks.create_task(one(url, body))
        return watch.figures(len(source))


def fill(path: Path, url: str) -> dict[str, float]:
    """Take in a file, in this process, which is like that of the command."""
    keep_to_one_arena()
    engine = open_archive(url)
    url = engine.url.render_as_string(hide_password=False)
    upgrade_schema(engine)
    engine.dispose()
    settings = Settings(database_url=url)
    log.configure_logging(settings)
    job = begin_job(settings, BackfillRequest("warc", (str(path),)), [("file", str(path))])
    begin_measured()
    with Watch() as watch:
        result = run_job(settings, job.id)
    return watch.figures(result.totals.pages) | {"done": result.is_done}


def this(*words: str) -> list[str]:
    """The command that calls this program with these words."""
    return [sys.executable, "-m", "bench.backfill", *words]


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "corpus")
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="of the two in turn, for their ratio")
    parser.add_argument("--larger", type=int, default=20_000, help="records of the file for the memory; 0: none")
    parser.add_argument(
        "--sql", default="", help="begin of the URLs of new archives, as postgresql:///FOLDER; default: SQLite"
    )
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bound", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        print(json.dumps(fill(options.fill, options.sql)))
        return 0
    if options.bound:
        print(json.dumps(asyncio.run(bound(corpus_pages(options.corpus, options.records), Settings()))))
        return 0
    if not (options.corpus / "gold.jsonl").is_file():
        print(f"no corpus in {options.corpus}: nothing is measured")
        return 0
    with tempfile.TemporaryDirectory(prefix="news-bench-") as folder:
        return measure(options, Path(folder))


def measure(options: argparse.Namespace, folder: Path) -> int:
    """Make the files, and measure."""
    small = folder / "small.warc.gz"
    write_warc(small, corpus_pages(options.corpus, options.records))
    best: dict[str, float] = {}
    first: dict[str, float] = {}
    for turn in range(options.rounds):
        url = f"{options.sql or f'sqlite:///{folder}/small'}-{turn}{'' if options.sql else '.db'}"
        figures = in_turns(
            this("--bound", "--records", str(options.records), "--corpus", str(options.corpus)),
            this("--fill", str(small), "--sql", url),
        )
        best, first = _together(best, figures[0]), _together(first, figures[1])
        ratio = _rate(first) / _rate(best)
        _tell("bound", best)
        _tell("backfill", first)
        by_cpu = best["cpu_ms"] / first["cpu_ms"]
        print(f"ratio     {ratio:.3f} by the clock (floor {FLOOR}), {by_cpu:.3f} by CPU, in {turn + 1} rounds")
    _tell_memory(options.records, first)
    good = ratio >= FLOOR
    if options.larger:
        large = folder / "large.warc.gz"
        write_warc(large, corpus_pages(options.corpus, options.larger))
        (second,) = in_turns(this("--fill", str(large), "--sql", f"sqlite:///{folder}/large.db"))
        _tell("backfill", second)
        _tell_memory(options.larger, second)
        good = good and second["peak_mib"] <= MORE_MEMORY * first["peak_mib"]
    return 0 if good else 1


def _together(before: dict[str, float], figures: dict[str, float]) -> dict[str, float]:
    """The figures of some rounds with those of one more."""
    if not before:
        return figures
    pages, seconds = before["pages"] + figures["pages"], before["seconds"] + figures["seconds"]
    # Of the peaks of memory the smaller, which a larger file is held to.
    both = {name: min(before[name], figures[name]) for name in figures}
    both |= {"pages": pages, "seconds": seconds}
    for name in ("cpu_ms", "own_cpu_ms"):
        both[name] = (before[name] * before["pages"] + figures[name] * figures["pages"]) / pages
    return both


def _rate(figures: dict[str, float]) -> float:
    return figures["pages"] / figures["seconds"]


def _tell(name: str, figures: dict[str, float]) -> None:
    print(
        f"{name:<9} {_rate(figures):6.1f} pages/s, {figures['pages']} pages in {figures['seconds']:.0f} s; CPU a page:"
        f" {figures['cpu_ms']:.1f} ms in all, {figures['own_cpu_ms']:.1f} ms of it outside of the pool"
    )


def _tell_memory(records: int, figures: dict[str, float]) -> None:
    workers = figures["peak_of_workers_mib"]
    print(f"memory    {figures['peak_mib']:.0f} MiB with {records} records; a worker {workers:.0f} MiB")


if __name__ == "__main__":
    sys.exit(main())
