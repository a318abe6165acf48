"""Kill a run again and again, and count what is asked for twice; by the log of the server, not by our own.

    python -m bench.kills                          50 hosts filled from their sitemaps, killed ten times; or: make kills
    python -m bench.kills --signal TERM            stopped in an orderly way instead: nothing may be asked for twice
    python -m bench.kills --command ingest         the same with feeds and live pages
    python -m bench.kills --command warc           a WARC file of the corpus's pages; read twice by SQL, if anything
    python -m bench.kills --archive off            without archived responses

The replay server serves the hosts; each answer takes ``--latency`` milliseconds. The run is begun, and each time the
server has been asked for a random number of things all of its processes are ended with the signal; then it is gone on
with, at last to its end. Then each URL that was asked for twice is looked up in the server's log (`bench.witness`):

``cut``       the answer that came first had not arrived when the process was killed: nobody can have it;
``answered``  it had arrived at this machine whole. Bytes that the system holds for a process go with it, so that some
              milliseconds before the kill cannot be told from ``cut`` by anybody; ``lead`` is how many they were. Where
              there is more to do than there are cores, a process waits for its turn longer than for anything else;
              ``exposed`` is how long each answer lay there before it was ours, by the times in the raw archive.

Fails (exit code 1) when a page of the range is not stored exactly once, one outside of it was asked for, a URL was
asked for three times, ``answered`` has a lead over ``--lead`` milliseconds, or, stopped in an orderly way, anything was
asked for twice. Needs the replay server and the pages beside the checkout; where they are not, the code is 0.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.backfill import corpus_pages, write_warc
from bench.command import News, Running
from bench.faulty_web import choose_pages, free_port
from bench.replay import PAGES, SCRIPT, SHARED, Replay, Site, server_module

SETTINGS = {
    "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
    "NEWS_HOST_DELAY": "0.05",
    "NEWS_JOBS": "2",
    "NEWS_REVISITS": "0",
    "NEWS_LOG_LEVEL": "warning",
}
LIMIT = 900.0
"""Seconds after which a run counts as one that does not end."""

LOOK = 0.01
OUTSIDE = 3
"""Items at the begin of each feed, and half as many at its end, that are outside of the range."""


@dataclass
class Log:
    """What a witness wrote, and when each run was ended and the next one begun."""

    lines: list[dict[str, Any]]
    ended: list[tuple[float, float]]

    @property
    def asked(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """The requests by host and path, in order."""
        found = defaultdict(list)
        for line in sorted(self.lines, key=lambda line: line["asked_at"]):
            found[str(line["host"]), str(line["path"])].append(line)
        return found

    def twice(self) -> tuple[list[str], list[tuple[str, float]]]:
        """What was asked for again: after it had been cut off, and after it had been answered, with the lead."""
        cut, answered = [], []
        for (host, path), lines in self.asked.items():
            for first in lines[:-1]:
                # A request may lie with the server for a moment before it is read: the killed process may have sent it.
                killed_at = next((end for end, next_at in self.ended if first["asked_at"] < next_at), float("inf"))
                if first["sent_at"] is None or first["sent_at"] > killed_at:
                    cut.append(f"{host}{path}")
                else:
                    answered.append((f"{host}{path}", 1000 * (killed_at - first["sent_at"])))
        return cut, answered

    def exposed(self, kept: Mapping[str, float]) -> list[float]:
        """Milliseconds from the moment at which an answer was here to that at which we had it, smallest first.

        ``kept`` are times of the system's clock by path. What a kill costs is what is in between.
        """
        offset = time.time() - time.monotonic()
        sent = {f"{line['path']}": line["sent_at"] + offset for line in self.lines if line["sent_at"] is not None}
        return sorted(1000 * max(0.0, kept[path] - sent[path]) for path in kept.keys() & sent.keys())


def interrupted(
    news: News, first: Sequence[str], again: Sequence[str], options: argparse.Namespace, seen: "Seen"
) -> list[tuple[float, float]]:
    """Run to the end, ended as often as asked for on the way; when that was."""
    chance = random.Random(options.seed)
    marks = sorted(chance.uniform(0.02, 0.98) * seen.total for _ in range(options.kills))
    ended, words, ends_at = [], first, time.monotonic() + LIMIT
    for mark in marks:
        running = news.start(*words)
        while running.is_alive and seen.count() < mark and time.monotonic() < ends_at:
            time.sleep(LOOK)
        time.sleep(chance.uniform(0, 0.3))
        if running.is_alive:
            ended.append((end(running, options.signal), time.monotonic()))
            words = again
        elif running.code:
            raise SystemExit(f"the run ended by itself with exit code {running.code}; see {news.log}")
    running = news.start(*words)
    while running.is_alive and time.monotonic() < ends_at:
        time.sleep(LOOK)
    if running.is_alive:
        running.kill()
        raise SystemExit("the last run did not end")
    print(f"exit code {running.code} at the end")
    return ended


def end(running: Running, name: str) -> float:
    """End all processes of a run; the time at which they were gone, or the first of them was told."""
    if name == "KILL":
        return running.kill()
    at = time.monotonic()
    running.tell(signal.Signals[f"SIG{name}"])
    began = time.monotonic()
    while running.is_alive and time.monotonic() - began < 60:
        time.sleep(LOOK)
    print(f"stopped in {time.monotonic() - began:.1f} s with exit code {running.code}")
    if running.is_alive:
        running.kill()
        raise SystemExit("it does not stop within a minute")
    return at


@dataclass
class Seen:
    """How far a run is: lines in a file, or rows in the archive."""

    total: float
    news: News
    file: Path | None = None

    def count(self) -> int:
        """What has been seen so far."""
        if self.file is not None:
            return self.file.read_bytes().count(b"\n")
        return self.news.number("SELECT count(*) FROM page")


def over_the_web(options: argparse.Namespace, folder: Path) -> list[str]:
    """Fill from sitemaps, or ingest; what is wrong, in words."""
    pages = folder / "pages"
    pages.mkdir()
    choose_pages(pages, options.hosts * options.items)
    site = Site("kills", "127.90.1.1", options.hosts, items=options.items)
    file = folder / "asked.jsonl"
    with Replay(site, free_port(), pages, options=[f"--latency={options.latency}"], witness=file) as replay:
        replay.await_ready()
        news = News(folder / "archive", settings_of(options), LIMIT)
        articles = {row["url"] for row in replay.articles()}
        if options.command == "sitemap":
            wanted = inside(articles, options.items)
            words = ["backfill", "sitemap", *(f"http://{urlsplit(url).netloc}/" for url in replay.feeds())]
            first, again = [*dict.fromkeys(words), *bounds(options.items)], ["backfill", "resume"]
            news.prepare([])
        else:
            wanted, first, again = articles, ["ingest", "--due"], ["ingest", "--due"]
            news.prepare(replay.feeds())
        seen = Seen(len(wanted) + 4 * options.hosts, news, file)
        ended = interrupted(news, first, again, options, seen)
        log = Log([json.loads(line) for line in file.read_text().splitlines()], ended)
    return judged(options, log, news, wanted, articles)


def inside(articles: set[str], items: int) -> set[str]:
    """Those of the articles that the range asks for; their number stands at the end of their address."""
    numbers = range(OUTSIDE, items - OUTSIDE // 2)
    return {url for url in articles if int(url.removesuffix(".html").rpartition("-")[2]) in numbers}


def bounds(items: int) -> list[str]:
    """The options of that range."""
    server = server_module()
    begin = datetime.fromtimestamp(server.EPOCH, UTC)
    edges = [begin + timedelta(seconds=number * server.ITEM_STEP) for number in (OUTSIDE, items - OUTSIDE // 2)]
    return [f"--since={edges[0]:%Y-%m-%dT%H:%M:%SZ}", f"--until={edges[1]:%Y-%m-%dT%H:%M:%SZ}"]


def settings_of(options: argparse.Namespace) -> dict[str, str]:
    """The settings of a run."""
    return SETTINGS | ({"NEWS_ARCHIVE_URL": "off"} if options.archive == "off" else {})


def judged(options: argparse.Namespace, log: Log, news: News, wanted: set[str], listed: set[str]) -> list[str]:
    """Say what was seen; what of it is wrong, in words."""
    cut, answered = log.twice()
    numbers = Counter(len(lines) for lines in log.asked.values())
    outside = {urlsplit(url).path for url in listed - wanted} & {path for _, path in log.asked}
    stored, rows = news.stored(), news.number("SELECT count(*) FROM revision")
    articles = news.number("SELECT count(*) FROM article")
    late = [(name, lead) for name, lead in answered if lead > options.lead]
    print(f"ended        {len(log.ended)} times with SIG{options.signal}")
    print(f"stored       {len(stored & wanted)} of {len(wanted)}, {len(stored - wanted)} others, {rows} revisions")
    print(f"asked for    {sum(n * k for n, k in numbers.items())} times {sum(numbers.values())} URLs: {dict(numbers)}")
    print(f"twice        {len(cut)} cut, {len(answered)} answered", *sorted(f"{lead:.0f} ms" for _, lead in answered))
    if exposed := log.exposed(news.kept()):
        middle, late_one = exposed[len(exposed) // 2], exposed[len(exposed) * 19 // 20]
        print(f"exposed      {middle:.0f} ms in the middle, {late_one:.0f} ms at 95 %, {exposed[-1]:.0f} ms at most")
    for name, lead in answered:
        print(f"             {name} {lead:.0f} ms before")
    found = [f"{len(wanted - stored)} of the range are not stored"] if wanted - stored else []
    found += [f"{len(outside)} outside of the range were asked for"] if outside else []
    found += [f"{rows} revisions of {articles} articles"] if rows != articles else []
    found += [f"{name} was asked for again, answered {lead:.0f} ms before the kill" for name, lead in late]
    if options.signal != "KILL" and cut + [name for name, _ in answered]:
        found.append("something was asked for twice, although nothing was killed")
    return found


def from_a_file(options: argparse.Namespace, folder: Path) -> list[str]:
    """Fill from a WARC file; what is wrong, in words."""
    file, count = folder / "pages.warc.gz", options.hosts * options.items
    write_warc(file, corpus_pages(SHARED / "corpus", count))
    urls = {url for url, _ in corpus_pages(SHARED / "corpus", count)}
    news = News(folder / "archive", settings_of(options), LIMIT)
    news.prepare([])
    ended = interrupted(news, ["backfill", "warc", str(file)], ["backfill", "resume"], options, Seen(len(urls), news))
    counts = json.loads(news.value("SELECT counts FROM backfill_unit"))
    rows, articles = news.number("SELECT count(*) FROM revision"), news.number("SELECT count(*) FROM article")
    print(f"ended        {len(ended)} times with SIG{options.signal}")
    print(f"ledger       {len(urls & news.known())} of {len(urls)}, {articles} articles, {rows} revisions")
    print(f"unit         {counts}")
    found = [f"{len(urls - news.known())} pages are not in the ledger"] if urls - news.known() else []
    found += [f"{rows} revisions of {articles} articles"] if rows != articles else []
    found += [f"{counts['read']} read of {count}"] if counts["read"] + counts.get("known", 0) != count else []
    return found


def main() -> int:
    """Do what was asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", choices=["sitemap", "ingest", "warc"], default="sitemap")
    parser.add_argument("--signal", choices=["KILL", "TERM", "INT"], default="KILL")
    parser.add_argument("--archive", choices=["on", "off"], default="on", help="archived responses (default: on)")
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--items", type=int, default=19, help="articles of each host; four are outside of the range")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--latency", default="50", help="milliseconds of each answer")
    parser.add_argument("--lead", type=float, default=250.0, help="milliseconds (default: 250)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder in which everything is kept")
    options = parser.parse_args()
    if not SCRIPT.exists() or not PAGES.is_dir():
        print(f"Nothing was tested: there is no replay server at {SCRIPT}, or no page in {PAGES}.")
        return 0
    with tempfile.TemporaryDirectory(prefix="news-kills-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = from_a_file(options, folder) if options.command == "warc" else over_the_web(options, folder)
    print(*found, sep="\n")
    print("failed" if found else "passed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
