"""Send every change of the archive to a web hook, each at least once, in order.

    python examples/webhook/forward.py https://hooks.example.org/news cursor

Each change is POSTed as JSON, as `news changes --json` prints it. Its cursor is written down once the receiver has
answered 2xx, and not before: after a crash of anything the last change may come again, and none is left out. The
receiver takes what has a cursor that it knows as done. While it does not answer, the change is sent again, each time
after a longer pause, a minute at most; meanwhile the others wait.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

BEGIN = "0" * 28
LONGEST_PAUSE = 60.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Followed, a redirect would become a GET without the change, and its 200 would count as its receipt."""

    def redirect_request(self, *_: object) -> None:
        """Let the 3xx be the error that it is here."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def forward(lines: Iterable[str], url: str, cursor: Path, first_pause: float = 1.0) -> None:
    """Send each line, a change, and write down how far we are; returns when there are no more."""
    for line in lines:
        pause = first_pause
        while not _post(url, line):
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        _write(cursor, json.loads(line)["cursor"])


def _post(url: str, line: str) -> bool:
    request = urllib.request.Request(url, line.encode(), {"Content-Type": "application/json"})
    try:
        with _OPENER.open(request, timeout=30):
            return True
    except (urllib.error.URLError, OSError) as error:
        print(f"{url}: {error}; sending it again", file=sys.stderr)
        return False


def _write(path: Path, text: str) -> None:
    """Put the text in place of what is in the file, as a whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def main() -> None:
    """Forward until stopped; exit with 1 where there is nothing more to read changes from."""
    url, cursor = sys.argv[1], Path(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    since = cursor.read_text("utf-8").strip() if cursor.exists() else BEGIN
    command = [sys.executable, "-m", "pipeline", "changes", "--follow", "--json", "--since", since]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as changes:
        try:
            forward(changes.stdout or (), url, cursor)
            sys.exit(f"news changes ended with code {changes.wait()}")
        finally:
            changes.terminate()


if __name__ == "__main__":
    main()
