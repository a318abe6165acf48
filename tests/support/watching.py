"""`news watch` as a process of its own, and the socket of the manager that it reports to."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

AT_WORK = []
"""The processes of `watching`."""


def wait_until(condition):
    """Return once the condition holds; an error where a process that was to bring it about has ended."""
    looks_after_its_end = 0
    while not condition():
        for run in AT_WORK:
            looks_after_its_end += run.poll() is not None  # what it said last is perhaps still on its way
            assert looks_after_its_end < 50, f"it has ended with {run.returncode}: {run.stderr.read()}"
        time.sleep(0.1)


def read_until(stream, words):
    """The first line of the stream that has the words in it; other lines are passed over."""
    return next(line for line in stream if words in line)


class Manager:
    """The socket that systemd would listen on; an abstract one where the name begins with ``@``."""

    def __init__(self, name):
        self.name = name
        self.heard = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0", 1))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while data := self.socket.recv(65536):
            self.heard += data.decode().split("\n")

    def wait_for(self, line, times=1):
        wait_until(lambda: self.heard.count(line) >= times)


@contextmanager
def watching(newsroom, manager, *options, **environ):
    """`news watch` in a process, from when it is ready until it has been told to end, if it has not ended before."""
    env = os.environ | {
        "NEWS_DATABASE_URL": newsroom.url,
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0",
        "NEWS_JOBS": "1",
        "NEWS_TDM_FILE": "off",
        "NOTIFY_SOCKET": manager.name,
    }
    command = [sys.executable, "-m", "pipeline", "watch", *options]
    with subprocess.Popen(command, env=env | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        AT_WORK.append(run)
        try:
            manager.heard.clear()
            manager.wait_for("READY=1")
            yield run
            with suppress(ProcessLookupError):
                run.send_signal(signal.SIGTERM)
            run.wait()
        finally:
            AT_WORK.remove(run)
            run.kill()
