"""`make demo` (`python -m examples.airflow.demo`): the whole pipeline over the sample newsroom, in Airflow.

Makes .demo/ with a SQLite archive and an Airflow of its own, serves the newsroom on loopback, subscribes to its feeds,
runs the DAG `ingest_hourly`, prints what came of it, and on a terminal serves the page over it until Ctrl-C; elsewhere
it ends. Run again, the newsroom has moved on to its second edition: one article was edited meanwhile, and nothing else
may change. Remove .demo/ to begin anew.

Exit code 0: everything is as it should be; 1: it is not, or something could not run.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from examples.airflow.demo_pages import end_with_pages
from examples.airflow.demo_report import Archive, check, print_report
from examples.airflow.supervise import (
    BIN,
    LOOPBACK,
    ROOT,
    Processes,
    ScriptError,
    airflow_environment,
    is_free,
    run,
    stopping_on_signals,
)
from examples.newsroom.expectations import OPML, PORT

HOME = ROOT / ".demo"
DATABASE = HOME / "news.db"
STARTED = HOME / "newsroom-started-at"
"""When the newsroom opened: its 'two hours ago' has to mean the same in each edition."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def main() -> int:
    """Run the demonstration; returns the exit code."""
    try:
        with stopping_on_signals(), Processes(HOME / "output") as processes:
            environment = demo_environment()
            edition = prepare(environment)
            before = Archive.read(DATABASE)
            serve(processes, edition, environment)
            if not before.feeds:
                with step("Subscribing to the newsroom's feeds"):
                    run([BIN / "news", "feeds", "import", OPML], environment)
            ingest(environment)
    except ScriptError as failure:
        out.print(str(failure), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        out.print("\nStopped.")
        return 1
    after = Archive.read(DATABASE)
    print_report(out, DATABASE, before, after, edition)
    wrong = check(before, after, edition)
    for problem in wrong:
        out.print(f"[bold red]Not as it should be:[/bold red] {problem}", soft_wrap=True)
    try:
        end_with_pages(out, f"sqlite:///{shown(DATABASE)}", environment, HOME / "output")
    except ScriptError as failure:
        out.print(str(failure), style="red", markup=False, soft_wrap=True)
        return 1
    return 1 if wrong else 0


def demo_environment() -> dict[str, str]:
    """Settings of the demonstration alone: those of the caller's environment would point it at other databases."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWS_", "AIRFLOW"))}
    return airflow_environment(
        HOME / "airflow",
        kept,
        NEWS_DATABASE_URL=f"sqlite:///{DATABASE}",
        NEWS_RESOLVE=f"*.newsroom.example={LOOPBACK}",
        NEWS_ALLOW_NETWORKS=f"{LOOPBACK}/8",
        NEWS_HOST_DELAY="0",
    )


def prepare(environment: dict[str, str]) -> int:
    """Migrate both databases; returns the edition that the newsroom is to serve."""
    if not is_free(PORT):
        raise ScriptError(
            f"Port {PORT} is taken, and the addresses of the newsroom's feeds name it. Is another demo running?"
        )
    again = DATABASE.exists() and bool(Archive.read(DATABASE).articles)
    with step(f"Migrating the archive, {shown(DATABASE)}"):
        run([BIN / "news", "db", "upgrade"], environment)
    with step(f"Migrating Airflow's database, {shown(HOME / 'airflow')}/"):
        run([BIN / "airflow", "db", "migrate"], environment, log=HOME / "output" / "airflow-migrate.log")
    if not again or not STARTED.exists():
        STARTED.write_text(datetime.now(UTC).isoformat(timespec="seconds"), "utf-8")
    return 2 if again else 1


def serve(processes: Processes, edition: int, environment: dict[str, str]) -> None:
    """Start the newsroom's server and wait until it answers."""
    ready = HOME / "newsroom-ready"
    ready.unlink(missing_ok=True)
    with step(f"Serving the sample newsroom, edition {edition}, on {LOOPBACK}:{PORT}"):
        script = ROOT / "examples" / "newsroom" / "serve.py"
        given = [
            "--port",
            PORT,
            "--edition",
            edition,
            "--started-at",
            STARTED.read_text("utf-8"),
            "--ready-file",
            ready,
        ]
        processes.start("newsroom", [sys.executable, script, *map(str, given)], environment)
        processes.wait_for("the newsroom", ready.exists, timeout=30)


def ingest(environment: dict[str, str]) -> None:
    """Run the DAG once, in Airflow."""
    log = HOME / "output" / "airflow-run.log"
    with step("Running the DAG ingest_hourly in Airflow"):
        conf = json.dumps({"poll_all": True})
        run([BIN / "airflow", "dags", "test", "ingest_hourly", "--conf", conf], environment, log=log)
    out.print(f"  Its log: {shown(log)}", style="dim")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show what is being done, and how long it took."""
    begun = time.monotonic()
    with out.status(f"{title} …"):
        yield
    out.print(f"[green]✓[/green] {title} [dim]({time.monotonic() - begun:.1f} s)[/dim]", soft_wrap=True)


def shown(path: Path) -> str:
    """A path as seen from the checkout."""
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
