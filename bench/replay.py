"""A made-up web on loopback: processes of the replay server beside the checkout, with or without faults.

The server (``../shared/tools/replay.py``; its docstring says what it does) and the pages that it serves are not part of
the project. It is run as a program, and asked over HTTP for what it has counted.
"""

import importlib.util
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
SCRIPT = SHARED / "tools" / "replay.py"
PAGES = SHARED / "corpus" / "pages"
START_SECONDS = 300.0

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a share, from 0 to 1, of the URLs of a kind: ``article``, ``feed`` or ``robots``."""

    mode: str
    share: float
    kind: str


@dataclass(frozen=True)
class Site:
    """Some hosts of the made-up web, served by one process.

    Attributes:
        name: what the hosts have in common.
        address: of the first host; the others follow.
        hosts: how many there are.
        feeds: of each host.
        items: entries of each feed.
        seed: chooses pages, and the URLs that fail.
    """

    name: str
    address: str
    hosts: int = 1
    feeds: int = 1
    items: int = 10
    faults: tuple[Fault, ...] = ()
    seed: int = 1

    @property
    def addresses(self) -> list[str]:
        """Of all hosts, in order."""
        network, _, last = self.address.rpartition(".")
        return [f"{network}.{int(last) + number}" for number in range(self.hosts)]


class Replay:
    """A running server; a context manager.

    Args:
        site: what to serve.
        port: at all of its addresses.
        pages: folder of the pages.
        faulty: whether its faults are on.
        options: more of the server's own.
        witness: file in which each request is written down (`bench.witness`); None for none.
    """

    def __init__(
        self,
        site: Site,
        port: int,
        pages: Path,
        *,
        faulty: bool = True,
        options: Sequence[str] = (),
        witness: Path | None = None,
    ) -> None:
        self.site = site
        self._port = port
        faults = [f"--fault={fault.mode}={fault.share}@{fault.kind}" for fault in site.faults] if faulty else []
        program = [str(SCRIPT)] if witness is None else ["-m", "bench.witness", str(witness)]
        self._command = [sys.executable, *program, f"--corpus=dir:{pages}", f"--port={port}", f"--seed={site.seed}"]
        self._command += [f"--first-address={site.address}", f"--hosts={site.hosts}", f"--items={site.items}"]
        self._command += [f"--feeds-per-host={site.feeds}", *faults, *options]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def await_ready(self) -> None:
        """Return once it serves."""
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at and self._process.poll() is None:
            try:
                self.ask("/__stats")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit(f"the replay server of {self.site.name!r} did not start: {' '.join(self._command)}")

    def ask(self, path: str) -> bytes:
        """What the server says about itself."""
        with _DIRECT.open(f"http://{self.site.address}:{self._port}{path}", timeout=10) as answer:
            return bytes(answer.read())

    def stats(self) -> dict[str, Any]:
        """What it has counted."""
        return dict(json.loads(self.ask("/__stats")))

    def articles(self) -> list[dict[str, Any]]:
        """The articles that are in its feeds now, with their ``url`` and their ``fault``."""
        return [json.loads(line) for line in self.ask("/__truth").splitlines()]

    def feeds(self) -> list[str]:
        """The addresses of its feeds."""
        return self.ask("/__feeds").decode().split()


def server_module() -> ModuleType:
    """The server's own code, to ask it what it would do."""
    spec = importlib.util.spec_from_file_location("replay_server", SCRIPT)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{SCRIPT} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def fault_of(server: ModuleType, site: Site, host: int, kind: str, path: str) -> str | None:
    """Which fault a URL of this kind has; the server chooses by a hash, each fault taking its share in turn."""
    chosen, edge = server.unit(site.seed, "fault", host, path), 0.0
    for fault in site.faults:
        edge += fault.share if fault.kind == kind else 0.0
        if chosen < edge and fault.kind == kind:
            return fault.mode
    return None
