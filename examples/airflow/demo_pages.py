"""The pages over the archive of `make demo`: served at its end where somebody is watching, else only told of."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from examples.airflow.supervise import BIN, LOOPBACK, Processes, answers, free_port, is_free, stopping_on_signals

PORT = 8766
"""That of `news serve`, where nobody has it."""

START = 60.0
"""Seconds within which the pages have to be there; two are usual."""


def end_with_pages(out: Console, database: str, environment: Mapping[str, str], logs: Path) -> None:
    """Serve the pages until Ctrl-C, on a terminal; elsewhere nobody would press it: say how they are served.

    Raises ScriptError: they cannot be served.
    """
    out.print("\n[bold]The page over the sample newsroom[/bold]")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        out.print(f"NEWS_DATABASE_URL={database} .venv/bin/news serve", soft_wrap=True)
        out.print(f"serves it at http://{LOOPBACK}:{PORT}/", soft_wrap=True)
        return
    port = PORT if is_free(PORT) else free_port()
    address = f"http://{LOOPBACK}:{port}/"
    try:
        with stopping_on_signals(), Processes(logs) as processes:
            processes.start("pages", [BIN / "news", "serve", "--port", str(port)], environment)
            processes.wait_for("the page", lambda: answers(address), START)
            out.print(f"It is at {address} until Ctrl-C.", soft_wrap=True)
            while True:
                processes.check()
                time.sleep(0.5)
    except KeyboardInterrupt:
        out.print("\nStopped.")
