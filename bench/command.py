"""The command ``news`` in processes of its own, with an archive of its own, and what can be read there afterwards."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psutil

SAMPLE_SECONDS = 0.03


class Running:
    """A command that runs, with all the processes that it starts."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def is_alive(self) -> bool:
        """Whether it runs still."""
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def tell(self, number: int) -> None:
        """Send a signal to the command alone, as a supervisor does."""
        self._process.send_signal(number)

    def kill(self) -> float:
        """Kill all of its processes at once, and wait until they are gone; the moment at which they were killed."""
        os.killpg(self._process.pid, signal.SIGKILL)
        killed_at = time.monotonic()
        self._process.wait()
        while any(_is_of_group(part, self._process.pid) for part in psutil.process_iter()):
            time.sleep(0.01)
        return killed_at


def _is_of_group(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ProcessLookupError, PermissionError):
        return False


class News:
    """Runs the command.

    Args:
        folder: for the archive and the log.
        settings: NEWS_* variables; those of the environment do not count.
        limit: seconds after which a run counts as one that does not end.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], limit: float) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._file = folder / "news.db"
        self._limit = limit
        plain = {name: value for name, value in os.environ.items() if not name.startswith("NEWS_")}
        self._environment = plain | settings | {"NEWS_DATABASE_URL": f"sqlite:///{self._file}"}

    @property
    def log(self) -> Path:
        """What the commands said."""
        return self._folder / "log"

    def prepare(self, feeds: Iterable[str]) -> None:
        """Make the archive, and subscribe."""
        listed = self._folder / "feeds.txt"
        listed.write_text("\n".join(feeds))
        subscribing = [("feeds", "import", str(listed))] if listed.stat().st_size else []
        for words in [("db", "upgrade"), *subscribing]:
            subprocess.run(self._command(*words), env=self._environment, check=True, stdout=subprocess.DEVNULL)

    def run(self, *words: str) -> tuple[int | None, float]:
        """The exit code of a command, None where it did not end, and the most memory of its processes in MB."""
        with self.log.open("ab") as log:
            process = self._popen(words, log)
            ends_at, peak = time.monotonic() + self._limit, 0.0
            while process.poll() is None and time.monotonic() < ends_at:
                peak = max(peak, memory_of_tree(process.pid))
                time.sleep(SAMPLE_SECONDS)
        if process.poll() is None:
            Running(process).kill()
            return None, peak
        return process.returncode, peak

    def start(self, *words: str) -> Running:
        """A command that goes on by itself."""
        with self.log.open("ab") as log:
            return Running(self._popen(words, log))

    def complete(self, wanted: set[str], patience: float) -> int:
        """Ingest again and again, until these URLs are stored or the seconds are over; how many are."""
        ends_at = time.monotonic() + patience
        while True:
            self.run("ingest")
            stored = len(wanted & self.stored())
            if stored == len(wanted) or time.monotonic() > ends_at:
                return stored
            time.sleep(1)

    def retry_all(self) -> None:
        """Put everything back that was given up, reason by reason."""
        for (reason,) in self._rows("SELECT DISTINCT reason FROM page WHERE state IN ('failed', 'rejected')"):
            self.run("retry", "--reason", reason)

    def stored(self) -> set[str]:
        """URLs with an article that was read from a page: their own, or that to which they lead."""
        query = (
            "SELECT p.url FROM page p JOIN article a ON a.page_id = coalesce(p.alias_of, p.id)"
            " WHERE p.state IN ('stored', 'alias') AND a.source = 'page'"
        )
        return {url for (url,) in self._rows(query)}

    def known(self) -> set[str]:
        """URLs in the ledger."""
        return {url for (url,) in self._rows("SELECT url FROM page")}

    def kept(self) -> dict[str, float]:
        """When each page's raw copy came, in seconds of the system's clock, by the path of its URL."""
        rows = self._rows("SELECT url, fetched_at FROM raw WHERE kind = 'page' AND status = 200")
        return {urlsplit(url).path: datetime.fromisoformat(f"{at}+00:00").timestamp() for url, at in rows}

    def unexplained(self) -> list[str]:
        """Pages and feeds without a word on why they were not read, and claims that outlived the run."""
        pages = self._rows(
            "SELECT url FROM page WHERE leased_until IS NOT NULL OR outcome IS NULL"
            " OR (state NOT IN ('stored', 'alias') AND coalesce(reason, '') = '')"
            " OR (state = 'queued' AND next_fetch_at IS NULL)"
        )
        feeds = self._rows(
            "SELECT url FROM feed WHERE leased_until IS NOT NULL OR next_poll_at IS NULL OR last_outcome IS NULL"
            " OR (state = 'active') <> (last_outcome IN ('read', 'unchanged'))"
        )
        hosts = self._rows("SELECT name FROM host WHERE leased_until IS NOT NULL")
        return [name for (name,) in (*pages, *feeds, *hosts)]

    def number(self, query: str) -> int:
        """What a query of one number gives."""
        return int(self.value(query))

    def value(self, query: str) -> str:
        """What a query of one value gives."""
        ((value,),) = self._rows(query)
        return str(value)

    def _popen(self, words: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        # A group of its own, so that all of its processes can be killed at the same moment.
        return subprocess.Popen(
            self._command(*words), env=self._environment, stdout=log, stderr=log, start_new_session=True
        )

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pipeline", *words]

    def _rows(self, query: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self._file, timeout=30)) as connection:
            return connection.execute(query).fetchall()


def memory_of_tree(pid: int) -> float:
    """Resident memory of a process and all that it started, in MB; what they share is counted in each."""
    total = 0
    try:
        process = psutil.Process(pid)
        parts = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    for part in parts:
        try:
            total += part.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total / 2**20
