"""Measure the backfill of a WARC file against what the cores can extract at all, and its memory against its size.

    python -m bench.backfill [--corpus ../shared/corpus] [--records 2000] [--larger 20000] [--sql sqlite:///FILE]

The file is made of the corpus's pages with warcio, in a temporary folder. Three figures, in one run: pages a second of
the bound (the same pool of processes fed from memory, with as many pages under way, without WARC and SQL), pages a
second of `news backfill warc`, and their ratio; then the peak memory of the process that reads and stores, for the file
and for one ten times as long. The exit code is 1 where the ratio is under 0.85 or the larger file takes over a tenth
more memory; 0 where there is no corpus.
"""

import argparse
import asyncio
import contextlib
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from pipeline import log
from pipeline.backfill import Wanted, begin, run
from pipeline.backfill.intake import UNDER_WAY
from pipeline.config import Settings
from pipeline.errors import SourceError
from pipeline.extract import extract_article
from pipeline.model import Response
from pipeline.store.engine import open_engine
from pipeline.store.migrate import upgrade
from pipeline.urls import canonical_url
from pipeline.workers import Workers

FLOOR = 0.85
MORE_MEMORY = 1.1
SAMPLE = 150


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


async def bound(pages: list[tuple[str, bytes]], settings: Settings) -> float:
    """Pages a second of the pool alone, fed from memory."""
    at = datetime(2026, 3, 5, 10, tzinfo=UTC)
    async with Workers(settings.jobs, settings.extract_timeout) as workers:
        slots = asyncio.Semaphore(workers.jobs * UNDER_WAY)

        async def one(url: str, body: bytes) -> None:
            async with slots:
                with contextlib.suppress(SourceError):
                    await workers.extract(Response(url, 200, {}, body, at, timedelta(0)), url, None)

        for url, body in pages[:20]:  # the processes start and import with the first pages
            await one(url, body)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for url, body in pages:
                tasks.create_task(one(url, body))
        return len(pages) / (time.perf_counter() - began)


def extraction_cpu(pages: list[tuple[str, bytes]]) -> float:
    """Milliseconds of CPU to extract a page: on a machine that others use, a truer bound than the clock."""
    began = time.process_time()
    for url, body in pages:
        with contextlib.suppress(SourceError):
            extract_article(body, url)
    return 1000 * (time.process_time() - began) / len(pages)


def fill(path: Path, url: str) -> dict[str, float]:
    """Take in a file, in this process; pages a second, its own milliseconds of CPU a page, and its peak MiB."""
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    settings = Settings(database_url=url)
    log.configure(settings)
    job = begin(settings, Wanted("warc", (str(path),)), [("file", str(path))])
    began, spent = time.perf_counter(), time.process_time()
    result = run(settings, job.id)
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pages = result.totals.pages
    told = {"pages": pages, "seconds": seconds, "rate": pages / seconds, "cpu_ms": 1000 * spent / pages}
    return told | {"peak_mib": peak, "done": result.is_done}


def filled(path: Path, url: str) -> dict[str, float]:
    """`fill` in a process of its own, for its memory."""
    command = [sys.executable, "-m", "bench.backfill", "--fill", str(path), "--sql", url]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return told


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "corpus")
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--larger", type=int, default=20_000, help="records of the file for the memory; 0: none")
    parser.add_argument("--sql", default="")
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        print(json.dumps(fill(options.fill, options.sql)))
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
    at_best = asyncio.run(bound(list(corpus_pages(options.corpus, options.records)), Settings()))
    first = filled(small, options.sql or f"sqlite:///{folder}/small.db")
    ratio = first["rate"] / at_best
    print(f"bound        {at_best:7.1f} pages/s, extraction alone")
    print(f"backfill     {first['rate']:7.1f} pages/s, {first['pages']} pages in {first['seconds']:.1f} s")
    print(f"ratio        {ratio:7.3f} (floor {FLOOR})")
    alone = extraction_cpu(list(corpus_pages(options.corpus, SAMPLE)))
    share = alone / (alone + first["cpu_ms"])
    print(f"cpu a page   {alone:7.1f} ms to extract, {first['cpu_ms']:.1f} ms to read and store: ratio {share:.3f}")
    print(f"peak memory  {first['peak_mib']:7.0f} MiB with {options.records} records")
    good = ratio >= FLOOR
    if options.larger:
        large = folder / "large.warc.gz"
        write_warc(large, corpus_pages(options.corpus, options.larger))
        second = filled(large, f"sqlite:///{folder}/large.db")
        print(f"peak memory  {second['peak_mib']:7.0f} MiB with {options.larger} records")
        good = good and second["peak_mib"] <= MORE_MEMORY * first["peak_mib"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
