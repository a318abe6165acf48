"""The made-up web of `bench.faults`: which hosts there are, what fails on them, and what that should come to."""

import gzip
import http.server
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.replay import PAGES, Fault, Site, fault_of
from pipeline.extract import PageInput, extract_article
from pipeline.model import Article

MIXED = "all at once"
FEED_MODES = frozenset({"badxml", "htmlfeed", "weaketag"})
HARMLESS = frozenset({"redirok", "badcharset", "weaketag"})
"""Faults behind which the whole content is: nothing may be lost in the first place."""

FINAL = frozenset({"404", "410", "bomb", "redirloop", "redirchain", "redirout", "wrongtype"})
"""Faults by which a page's server says what another request would not change: such pages wait for `news retry`."""

NO_ROBOTS = frozenset({"403", "404", "410", "empty", "redirloop", "redirchain"})
"""Faults of a robots.txt by which everything is allowed (RFC 9309, 2.3.1.3)."""

READABLE = HARMLESS | NO_ROBOTS | {"wrongtype"}
"""Faults of a robots.txt by which pages may be fetched all the same: the file is plain text, whatever it says it is."""


class Listed:
    """An article of the made-up web: what stands in its way at first."""

    def __init__(self, server: ModuleType, site: Site, row: dict[str, Any]) -> None:
        self.url: str = row["url"]
        self.fault: str | None = row["fault"]
        host, feed = map(int, self.url.removesuffix(".html").rsplit("-", 3)[1:3])  # …-HOST-FEED-ITEM.html
        of_feed = fault_of(server, site, host, "feed", f"/feeds/{feed}.xml")
        of_robots = fault_of(server, site, host, "robots", "/robots.txt")
        self.is_announced = of_feed is None or of_feed in HARMLESS
        may_be_fetched = of_robots is None or of_robots in READABLE
        self.is_healthy = self.is_announced and may_be_fetched and (self.fault is None or self.fault in HARMLESS)


def web_of(server: ModuleType, mode: str) -> list[Site]:
    """The web for one kind of fault, or for all at once."""
    return mixed(server) if mode == MIXED else arranged(server, mode)


def forbidden_pages(server: ModuleType, web: Sequence[Site], port: int) -> list[str]:
    """Pages that robots.txt forbids, by its rules or by being out of reach."""
    return [
        f"http://{address}:{port}/private/{number}"
        for site in web
        for host, address in enumerate(site.addresses)
        for number in range(3)
        if fault_of(server, site, host, "robots", "/robots.txt") not in NO_ROBOTS
    ]


def arranged(server: ModuleType, mode: str) -> list[Site]:
    """The web for one kind of fault."""
    kinds = ("feed",) if mode in FEED_MODES else ("article", "feed", "robots")
    fifth = tuple(Fault(mode, 0.2, kind) for kind in kinds)
    web = [
        Site("healthy", "127.90.1.1", hosts=2),
        telling(server, Site("a fifth", "127.90.2.1", hosts=6, feeds=2, items=6, faults=fifth)),
        # With this seed the documents of badxml are broken in each of the three ways.
        Site("all feeds", "127.90.3.1", feeds=6, items=5, faults=(Fault(mode, 1.0, "feed"),), seed=2),
    ]
    if mode not in FEED_MODES:
        web.append(Site("all pages", "127.90.4.1", faults=(Fault(mode, 1.0, "article"),), seed=3))
        web.append(Site("robots.txt", "127.90.5.1", faults=(Fault(mode, 1.0, "robots"),), seed=4))
    return web


def mixed(server: ModuleType) -> list[Site]:
    """The web with every kind of fault on the same hosts, each seldom."""
    faults = tuple(
        Fault(mode, 0.02, kind)
        for mode in sorted(server.FAULT_MODES)
        for kind in ("article", "feed", "robots")
        if kind == "feed" or mode not in FEED_MODES
    )
    return [
        Site("healthy", "127.90.1.1", hosts=2),
        Site("mixed", "127.90.2.1", hosts=16, feeds=2, items=8, faults=faults, seed=1),
    ]


def telling(server: ModuleType, site: Site) -> Site:
    """The site with a seed by which some robots.txt and some feeds fail, but not all that would be seen then."""
    for seed in range(1, 1000):
        tried = replace(site, seed=seed)
        robots = [fault_of(server, tried, host, "robots", "/robots.txt") for host in range(site.hosts)]
        feeds = [fault_of(server, tried, host, "feed", "/feeds/0.xml") for host in range(site.hosts)]
        if 1 <= len(feeds) - feeds.count(None) <= 2 and len(robots) - robots.count(None) == ("robots" in _kinds(site)):
            return tried
    raise AssertionError("the replay server chooses its faults in another way")


def _kinds(site: Site) -> set[str]:
    return {fault.kind for fault in site.faults}


def free_port() -> int:
    """A port that nobody uses at any address of this machine."""
    with socket.create_server(("", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def announcing(urls: Sequence[str], port: int) -> Iterator[str]:
    """A feed that announces these URLs; gives its address."""
    items = "".join(f"<item><title>{url}</title><link>{url}</link><guid>{url}</guid></item>" for url in urls)
    body = f'<rss version="2.0"><channel><title>Forbidden</title>{items}</channel></rss>'.encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.90.9.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.90.9.1:{port}/feed.xml"
        server.shutdown()


def choose_pages(folder: Path, count: int) -> None:
    """Link to pages of the corpus that are articles for us: what else they might be is not the matter here."""
    for path in sorted(PAGES.glob("news-*.html.gz")):
        if isinstance(
            extract_article(PageInput(gzip.decompress(path.read_bytes()), "http://127.90.1.1/page")), Article
        ):
            (folder / path.name).symlink_to(path)
            count -= 1
        if not count:
            return
