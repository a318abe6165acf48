"""Every fault of the replay server against the whole pipeline: a row of a table for each kind of fault.

    python -m bench.faults                        each kind and all at once, 12 minutes
    python -m bench.faults --mode slow --mode bomb --keep /tmp/faults
    python -m bench.faults --quick                all of them at once only, a minute

For each kind of fault there are healthy hosts, and beside them one host each where all pages, all feeds or robots.txt
fail, and hosts where a fifth of each fails. One `news ingest` runs over all of them, in a process of its own whose
memory, with that of its children, is measured. Then the servers go on without faults, and later runs have to complete
what was temporary; what was given up for good has to come back with `news retry`. A feed served here announces pages
that robots.txt forbids. Fails (exit code 1) when

- the run does not end, or a healthy article is not stored;
- a URL or a feed has no state with a reason, or a claim outlives the run;
- the memory of all processes together exceeds 600 MB at any time (shared pages counted in each);
- robots.txt is violated, or a host sees more than one request at once;
- something temporary is not stored after the faults, or something final not after `news retry`.

Needs the replay server and the pages beside the checkout; where they are not, nothing is tested and the code is 0.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.command import News
from bench.faulty_web import (
    FINAL,
    MIXED,
    Listed,
    announcing,
    choose_pages,
    forbidden_pages,
    free_port,
    web_of,
)
from bench.replay import PAGES, SCRIPT, Replay, Site, server_module

MAX_MB = 600
MAX_RUN_SECONDS = 300.0
LATER_SECONDS = 60.0
SETTINGS = {
    "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
    "NEWS_HOST_DELAY": "0.02",
    "NEWS_HOST_MAX_DELAY": "0.5",
    "NEWS_TIMEOUT": "2",
    "NEWS_DEADLINE": "4",
    "NEWS_RETRY_DELAY": "0.5",
    "NEWS_POLL_INTERVAL": "1",
    "NEWS_MIN_POLL_INTERVAL": "1",
    "NEWS_JOBS": "2",
    "NEWS_LOG_LEVEL": "error",
}
"""Patience of seconds instead of minutes; limits of size, redirects, attempts and connections are the defaults."""

OPTIONS = ("--drip=0.5", "--retry-after=1", "--no-etag")
"""Of the replay server."""


@dataclass
class Verdict:
    """What one kind of fault came to; pairs are of how many are stored and how many should be."""

    mode: str
    exit_code: int | None = None
    healthy: tuple[int, int] = (0, 0)
    unexplained: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    violations: int = 0
    requests_at_once: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    by_itself: tuple[int, int] = (0, 0)
    by_retry: tuple[int, int] = (0, 0)
    seconds: float = 0.0

    @property
    def complaints(self) -> list[str]:
        """What is wrong, in words; empty where nothing is."""
        found = [f"no fault was met on the hosts {name!r}" for name, hits in self.hits.items() if not hits]
        if self.exit_code != 0:
            found.append("the run did not end" if self.exit_code is None else f"exit code {self.exit_code}")
        if self.peak_mb > MAX_MB:
            found.append(f"{self.peak_mb:.0f} MB of memory")
        if self.violations:
            found.append(f"{self.violations} pages were asked for against robots.txt")
        if self.requests_at_once > 1:
            found.append(f"{self.requests_at_once} requests at once to one host")
        found += [f"without a reason: {name}" for name in self.unexplained]
        for name in ("healthy", "by_itself", "by_retry"):
            stored, wanted = getattr(self, name)
            if stored < wanted:
                found.append(f"{name.replace('_', ' ')}: {stored} of {wanted} stored")
        return found


class Matrix:
    """Tries one kind of fault after another.

    Args:
        pages: folder of pages to serve.
        work: folder for archives.
    """

    def __init__(self, pages: Path, work: Path) -> None:
        self._pages = pages
        self._work = work
        self._server = server_module()

    def run(self, mode: str) -> Verdict:
        """Everything for one kind of fault, or for all at once."""
        began, verdict, port = time.monotonic(), Verdict(mode), free_port()
        news = News(self._work / mode.replace(" ", "-"), SETTINGS, MAX_RUN_SECONDS)
        web = web_of(self._server, mode)
        with self._serving(web, port, faulty=True) as servers:
            listed = [Listed(self._server, server.site, row) for server in servers for row in server.articles()]
            forbidden = forbidden_pages(self._server, web, port)
            with announcing(forbidden, port) as feed:
                news.prepare([*(url for server in servers for url in server.feeds()), feed])
                verdict.exit_code, verdict.peak_mb = news.run("ingest", "--json")
            _judge(verdict, servers, news, listed, forbidden)
        with self._serving(web, port, faulty=False) as servers:
            final = {article.url for article in listed if article.fault in FINAL}
            temporary = {article.url for article in listed} - final
            verdict.by_itself = news.complete(temporary, LATER_SECONDS), len(temporary)
            if final:
                news.retry_all()
                verdict.by_retry = news.complete(final, LATER_SECONDS), len(final)
            _count(verdict, servers)
        verdict.seconds = time.monotonic() - began
        return verdict

    @contextmanager
    def _serving(self, web: Sequence[Site], port: int, *, faulty: bool) -> Iterator[list[Replay]]:
        with ExitStack() as stack:
            servers = [
                stack.enter_context(Replay(site, port, self._pages, faulty=faulty, options=OPTIONS)) for site in web
            ]
            for server in servers:
                server.await_ready()
            yield servers


def _judge(
    verdict: Verdict, servers: Sequence[Replay], news: News, listed: Sequence[Listed], forbidden: Sequence[str]
) -> None:
    """What the run with faults came to."""
    _count(verdict, servers)
    for server in servers:
        if server.site.faults:
            verdict.hits[server.site.name] = sum(server.stats()["faults"].values())
    healthy = {article.url for article in listed if article.is_healthy}
    announced = {article.url for article in listed if article.is_announced} | set(forbidden)
    verdict.healthy = len(healthy & news.stored()), len(healthy)
    verdict.unexplained = news.unexplained() + [f"{url} (unknown)" for url in sorted(announced - news.known())]


def _count(verdict: Verdict, servers: Sequence[Replay]) -> None:
    for stats in (server.stats() for server in servers):
        verdict.violations += stats["robots_violations"]
        verdict.requests_at_once = max(verdict.requests_at_once, stats["peak_concurrency_per_host"])


COLUMNS = ("ended", "healthy", "unexplained", "peak MB", "violations", "at once", "by itself", "by retry", "seconds")


def line(verdict: Verdict) -> str:
    """One line of the table."""
    cells = (
        "no" if verdict.exit_code is None else "yes",
        "{}/{}".format(*verdict.healthy),
        len(verdict.unexplained),
        f"{verdict.peak_mb:.0f}",
        verdict.violations,
        verdict.requests_at_once,
        "{}/{}".format(*verdict.by_itself),
        "{}/{}".format(*verdict.by_retry),
        f"{verdict.seconds:.0f}",
    )
    return f"{verdict.mode:12}" + "".join(f"{cell!s:>12}" for cell in cells)


def main() -> int:
    """Try what was asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", action="append", default=[], help="only this kind of fault; repeatable")
    parser.add_argument("--quick", action="store_true", help="only all kinds at once")
    parser.add_argument("--keep", type=Path, help="folder in which the archives are kept")
    given = parser.parse_args()
    if not SCRIPT.exists() or not PAGES.is_dir():
        print(f"Nothing was tested: there is no replay server at {SCRIPT}, or no page in {PAGES}.")
        return 0
    known = sorted(server_module().FAULT_MODES)
    if unknown := set(given.mode) - {*known, MIXED}:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    modes = [MIXED] if given.quick else given.mode or [*known, MIXED]
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        pages = Path(scratch) / "pages"
        pages.mkdir()
        choose_pages(pages, 24)
        matrix = Matrix(pages, given.keep or Path(scratch) / "archives")
        print(f"{'fault':12}" + "".join(f"{name:>12}" for name in COLUMNS), flush=True)
        for mode in modes:
            verdict = matrix.run(mode)
            print(line(verdict), *(f"    {words}" for words in verdict.complaints), sep="\n", flush=True)
            failed += bool(verdict.complaints)
    print(f"{failed} of {len(modes)} failed" if failed else f"all {len(modes)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
