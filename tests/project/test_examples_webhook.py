"""The example that feeds a web hook delivers every change at least once, in order, whoever fails meanwhile."""

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from examples.webhook.forward import _post
from pipeline.store.connection.engine import open_engine
from tests.support.archive import Archive
from tests.support.watching import wait_until


@pytest.fixture
def receiver():
    """A server that refuses each third delivery, and breaks off each fifth; ``taken`` are those it answered 2xx."""
    taken, calls = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            calls.append(1)
            change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if len(calls) % 5 == 0:
                self.connection.close()
                return
            if len(calls) % 3 != 0:
                taken.append(change)
            self.send_response(503 if len(calls) % 3 == 0 else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.taken, server.url = taken, f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def forwarding(url, receiver, cursor):
    command = [sys.executable, "-m", "examples.webhook.forward", receiver.url, str(cursor)]
    environment = os.environ | {"NEWS_DATABASE_URL": url, "NO_PROXY": "*"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def test_every_change_arrives_though_the_receiver_fails_and_the_forwarder_is_killed(sqlite_url, receiver, tmp_path):
    engine, cursor = open_engine(sqlite_url), tmp_path / "cursor"
    archive = Archive(engine)
    urls = [f"https://news.example/{number}" for number in range(9)]
    for number, url in enumerate(urls[:6]):
        archive.store(url, text=f"The text of article {number}.")
    process = forwarding(sqlite_url, receiver, cursor)
    wait_until(lambda: len(receiver.taken) >= 4)
    process.kill()
    process.wait()
    for number, url in enumerate(urls[6:], start=6):
        archive.store(url, text=f"The text of article {number}.")
    process = forwarding(sqlite_url, receiver, cursor)
    wait_until(lambda: {change["url"] for change in receiver.taken if change["kind"] == "new"} == set(urls))
    process.send_signal(signal.SIGTERM)
    process.wait()
    engine.dispose()
    first = list(dict.fromkeys(change["cursor"] for change in receiver.taken))
    assert first == sorted(first)
    assert len(receiver.taken) - len(first) <= 1  # what was on its way at the kill came again
    assert cursor.read_text() in first[-2:]


def test_a_redirect_is_no_receipt():
    class Redirect(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as server:
        threading.Thread(target=server.serve_forever).start()
        assert not _post(f"http://127.0.0.1:{server.server_address[1]}/hook", "{}")
        server.shutdown()


def test_it_says_so_when_there_is_nothing_to_forward_from(receiver, tmp_path):
    process = forwarding(f"sqlite:///{tmp_path}/nowhere.db", receiver, tmp_path / "cursor")
    assert process.wait() == 1
