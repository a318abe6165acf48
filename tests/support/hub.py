"""A WebSub hub on loopback: subscription, verification of intent, leases, signed distribution, denial, the end.

::

    with Hub() as hub:
        ...a subscriber POSTs to hub.url...
        hub.settle()                       # every verification that is under way has ended
        assert hub.active                  # the subscriptions whose intent was verified
        statuses = hub.publish(topic, body, "application/rss+xml")

Follows the Recommendation's rules for hubs; how it may misbehave is in its attributes.
"""

import hashlib
import hmac
import http.client
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a subscriber, by the names of its parameters without ``hub.``."""

    parameters: dict[str, str]
    content_type: str

    def __getattr__(self, name: str) -> str:
        try:
            return self.parameters[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(slots=True)
class Agreed:
    """A subscription whose intent was verified."""

    topic: str
    callback: str
    secret: str | None
    expires_at: float
    times: int = 1


@dataclass
class Hub:
    """The hub; a context manager.

    Attributes:
        lease: seconds that it grants, whatever was asked for.
        status: what it answers to requests.
        denies: a reason to deny every subscription with, after it was accepted.
        silent: whether it accepts requests and never verifies them.
        moved_to: a path of its own that it redirects requests to with 307.
        lies: changes the parameters of a verification before it is sent.
        method: the algorithm that it signs with.
        clock: seconds, for the leases.
        at_request: called with each request, before it is answered.
    """

    lease: int = 3600
    status: int = 202
    denies: str | None = None
    silent: bool = False
    moved_to: str | None = None
    lies: Callable[[dict[str, str]], dict[str, str]] = lambda parameters: parameters
    method: str = "sha256"
    clock: Callable[[], float] = lambda: 0.0
    at_request: Callable[[], None] = lambda: None
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[str, int, str]] = field(default_factory=list)
    active: dict[tuple[str, str], Agreed] = field(default_factory=dict)
    _verifying: list[threading.Thread] = field(default_factory=list)
    _heard: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if hub.moved_to and self.path != hub.moved_to:
                    self.send_response(307)
                    self.send_header("Location", hub.moved_to)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                hub.at_request()
                status, words = hub._take(body, self.headers.get("Content-Type", ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.settle()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def settle(self) -> None:
        """Return when every verification and denial under way has ended."""
        while self._verifying:
            self._verifying.pop().join()

    def wait_for(self, what: Callable[["Hub"], bool]) -> None:
        """Return as soon as this is so; fails after a minute without it."""
        with self._heard:
            assert self._heard.wait_for(lambda: what(self), timeout=60), (self.asked, self.answers, self.active)

    def publish(self, topic: str, body: bytes, content_type: str, *, secret: str | None = None) -> list[int]:
        """Send the topic's content to all of its subscribers; ``secret`` is a false one to sign with."""
        statuses = []
        for key, agreed in list(self.active.items()):
            if agreed.topic != topic:
                continue
            if agreed.expires_at <= self.clock():
                del self.active[key]
                continue
            status = self.distribute(agreed, body, content_type, secret or agreed.secret)
            if status == 410:
                del self.active[key]
            statuses.append(status)
        return statuses

    def distribute(self, agreed: Agreed, body: bytes, content_type: str, secret: str | None) -> int:
        """Send one content distribution request; returns the subscriber's status."""
        headers = {"Content-Type": content_type, "Link": f'<{self.url}>; rel="hub", <{agreed.topic}>; rel="self"'}
        if secret:
            digest = hmac.new(secret.encode(), body, getattr(hashlib, self.method)).hexdigest()
            headers["X-Hub-Signature"] = f"{self.method}={digest}"
        return call("POST", agreed.callback, body, headers)[0]

    def _take(self, body: bytes, content_type: str) -> tuple[int, str]:
        parameters = {name.removeprefix("hub."): value for name, value in parse_qsl(body.decode())}
        asked = Asked(parameters, content_type)
        with self._heard:
            self.asked.append(asked)
            self._heard.notify_all()
        if not {"callback", "mode", "topic"} <= parameters.keys() or asked.mode not in ("subscribe", "unsubscribe"):
            return 400, "hub.callback, hub.mode and hub.topic are needed"
        if len(parameters.get("secret", "")) >= 200:
            return 400, "the secret is too long"
        if self.status == 202 and not self.silent:
            thread = threading.Thread(target=self._deny if self.denies is not None else self._verify, args=(asked,))
            self._verifying.append(thread)
            thread.start()
        return self.status, "as configured"

    def _verify(self, asked: Asked) -> None:
        challenge = secrets.token_hex(16)
        intent = {"mode": asked.mode, "topic": asked.topic, "challenge": challenge, "lease_seconds": str(self.lease)}
        status, text = self._ask_back(asked, self.lies(intent))
        key = (asked.topic, asked.callback)
        with self._heard:
            if 200 <= status < 300 and text == challenge:
                if asked.mode == "subscribe":
                    times = self.active[key].times + 1 if key in self.active else 1
                    expires_at = self.clock() + self.lease
                    secret = asked.parameters.get("secret")
                    self.active[key] = Agreed(asked.topic, asked.callback, secret, expires_at, times)
                else:
                    self.active.pop(key, None)
            self._heard.notify_all()

    def _deny(self, asked: Asked) -> None:
        self._ask_back(asked, {"mode": "denied", "topic": asked.topic, "reason": self.denies or ""})

    def _ask_back(self, asked: Asked, parameters: dict[str, str]) -> tuple[int, str]:
        query = urlencode({f"hub.{name}": value for name, value in parameters.items()})
        joiner = "&" if urlsplit(asked.callback).query else "?"
        status, text = call("GET", f"{asked.callback}{joiner}{query}")
        with self._heard:
            self.answers.append((parameters["mode"], status, text))
            self._heard.notify_all()
        return status, text


def call(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """One request; returns status and text."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
