"""A small server of the sample newsroom on loopback: all sites on one port, told apart by the Host header.

As a process, from the checkout::

    python examples/newsroom/serve.py --port 8650 --edition 1

In a test::

    with Newsroom() as newsroom:
        fetch(newsroom.feed_urls[0])      # names resolve to 127.0.0.1 with NEWS_RESOLVE
        newsroom.edition = 2              # an article is edited
        newsroom.requests                 # what was asked for, in order

Any host also answers ``/__edition`` (the edition served), ``/__edition/2`` (switches) and ``/__requests``.
"""

import argparse
import gzip
import json
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

if __package__ in {None, ""}:  # started as a file: the checkout is not on the path then
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.newsroom.answers import Answer, answer_site, answer_text
from examples.newsroom.expectations import EDITIONS, PORT, write_expected
from examples.newsroom.pages import base_url, expected
from examples.newsroom.source import Site, load

MIN_GZIP = 200
"""Bytes below which compressing makes an answer longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what it was answered with."""

    method: str
    host: str
    path: str
    status: int
    user_agent: str | None
    if_none_match: str | None
    if_modified_since: str | None


class Newsroom:
    """All sites of the newsroom, served on 127.0.0.1 while the ``with`` block runs.

    Attributes:
        port: where it listens; chosen by the system when given as 0.
        edition: what it serves; may be set at any time.
        requests: what was asked for, in order.
    """

    def __init__(self, port: int = 0, *, edition: int = 1, started_at: datetime | None = None) -> None:
        self.started_at = started_at or datetime.now(UTC).replace(microsecond=0)
        self.editions = {number: load(number, self.started_at) for number in EDITIONS}
        self.edition = edition
        self.requests: list[Asked] = []
        self._readers = 0
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.newsroom = self
        self._thread = threading.Thread(target=self._server.serve_forever, name="newsroom", daemon=True)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def sites(self) -> dict[str, Site]:
        """The sites by host name, as they stand in the present edition."""
        return self.editions[self.edition]

    @property
    def feed_urls(self) -> list[str]:
        """The addresses of all feeds."""
        return [base_url(site, self.port) + feed.path for site in self.sites.values() for feed in site.feeds]

    def expected(self) -> list[dict[str, Any]]:
        """What extraction is to give for each page of the present edition, as in ``expected/``, times resolved."""
        return [
            expected(site, article, self.port) | {"published_at": article.published_at.isoformat()}
            for site in self.sites.values()
            for article in site.articles.values()
        ]

    def answer(self, host: str, path: str) -> Answer:
        """What the path of a host is answered with now."""
        if path.startswith("/__"):
            return self._answer_control(path)
        site = self.sites.get(host.partition(":")[0].lower())
        if site is None:
            return answer_text(HTTPStatus.MISDIRECTED_REQUEST, f"No site called {host} is served here.")
        self._readers += 1
        return answer_site(site, path, self.port, self._readers)

    def _answer_control(self, path: str) -> Answer:
        if path == "/__requests":
            body = json.dumps([asdict(asked) for asked in self.requests], indent=1)
            return Answer(200, "application/json", body.encode())
        wanted = path.removeprefix("/__edition").strip("/")
        if wanted and wanted not in map(str, EDITIONS):
            return answer_text(HTTPStatus.NOT_FOUND, f"There are editions {EDITIONS}.")
        self.edition = int(wanted or self.edition)
        return answer_text(HTTPStatus.OK, f"edition {self.edition}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = (
        128  # of connections; with the default of 5, a crawl of all sites at once waits for SYN retries
    )
    newsroom: Newsroom


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Newsroom"
    timeout = 60  # seconds that a connection kept alive may be idle
    server: _Server

    def do_GET(self) -> None:
        """Answer, with 304 where the client has it already."""
        answer = self.server.newsroom.answer(self.headers.get("Host", ""), self.path)
        unchanged = answer.is_known(self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since"))
        status = HTTPStatus.NOT_MODIFIED if unchanged else HTTPStatus(answer.status)
        self._record(status)
        body = b"" if unchanged else answer.body
        self.send_response(status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Vary", "Accept-Encoding")
        if len(body) > MIN_GZIP and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        if not unchanged:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  # the name is http.server's

    def _record(self, status: HTTPStatus) -> None:
        if not self.path.startswith("/__"):
            validators = [self.headers.get(name) for name in ("User-Agent", "If-None-Match", "If-Modified-Since")]
            asked = Asked(self.command, self.headers.get("Host", ""), self.path, int(status), *validators)
            self.server.newsroom.requests.append(asked)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Nothing: ``/__requests`` tells."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted or terminated."""
    parser = argparse.ArgumentParser(description="Serve the sample newsroom on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=PORT, help=f"0 for any (default: {PORT})")
    parser.add_argument("--edition", type=int, choices=EDITIONS, default=1)
    parser.add_argument(
        "--started-at", type=datetime.fromisoformat, help="time that '2 hours ago' is counted from (default: now)"
    )
    parser.add_argument("--ready-file", type=Path, help="file that receives the port once the server answers")
    parser.add_argument("--write-expected", action="store_true", help="write expected/ and feeds.opml, and end")
    given = parser.parse_args(arguments)
    if given.write_expected:
        print(f"{len(write_expected())} files written")
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Newsroom(given.port, edition=given.edition, started_at=given.started_at) as newsroom:
        print(f"newsroom ready on 127.0.0.1:{newsroom.port}, edition {newsroom.edition}", flush=True)
        if given.ready_file:
            given.ready_file.write_text(f"{newsroom.port}\n")
        stop.wait()


if __name__ == "__main__":
    main()
