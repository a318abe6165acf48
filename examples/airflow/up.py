"""`make up` (`python -m examples.airflow.up`): Airflow's scheduler and UI on this machine, SQLite, real feeds.

Environment:
    PORT               where the UI listens (default: 8080, or the next free one)
    BIND               the address that it binds (default: 127.0.0.1; with any other, one has to log in)
    FEEDS              OPML file or list to begin with, taken while there is no feed (default: examples/feeds.opml)
    NEWS_DATABASE_URL  the archive (default: news.db in the checkout); all other NEWS_* settings hold, too
    AIRFLOW_HOME       Airflow's own files (default: .airflow/ in the checkout); AIRFLOW__* settings hold, too

Ends on Ctrl-C. A run that is under way gives back what it has claimed; the next one goes on from there.
"""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from examples.airflow.supervise import (
    BIN,
    LOOPBACK,
    ROOT,
    Processes,
    ScriptError,
    airflow_environment,
    answers,
    is_free,
    run,
    stopping_on_signals,
)

PORTS = range(8080, 8100)
START = 180.0
"""Seconds within which everything has to be up; 15 to 30 are usual."""


def main() -> int:
    """Prepare, start, wait until stopped or until a part ends by itself; returns the exit code."""
    home = Path(os.environ.get("AIRFLOW_HOME") or ROOT / ".airflow").resolve()
    bind = os.environ.get("BIND") or LOOPBACK
    try:
        port = choose_port(os.environ.get("PORT"), bind)
        environment = settings(home, bind, port, os.environ)
        with stopping_on_signals(), Processes(home / "output") as processes:
            prepare(home, environment)
            say("Starting Airflow …")
            reached = f"http://{LOOPBACK if bind == '0.0.0.0' else bind}:{port}"
            start_airflow(processes, reached, environment)
            say(banner(home, reached, environment))
            while True:
                processes.check()
                time.sleep(1)
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0
    except ScriptError as failure:
        print(failure, file=sys.stderr)
        return 1


def start_airflow(processes: Processes, url: str, environment: Mapping[str, str]) -> None:
    """Start the API server and, once it answers, what talks to it: a task that finds nobody there is lost."""
    processes.start("api-server", [BIN / "airflow", "api-server"], environment)
    processes.wait_for("Airflow's API server", lambda: answers(f"{url}/api/v2/monitor/health"), START)
    processes.start("dag-processor", [BIN / "airflow", "dag-processor"], environment)
    # -s: logs are read from the disk, so nothing has to serve them.
    processes.start("scheduler", [BIN / "airflow", "scheduler", "-s"], environment)
    processes.wait_for("Airflow's scheduler", lambda: has_scheduler(url), START)


def has_scheduler(url: str) -> bool:
    """Whether the API server has seen a sign of life of a scheduler."""
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=5) as response:
            return bool(json.load(response)["scheduler"]["status"] == "healthy")
    except (OSError, ValueError, KeyError):
        return False


def choose_port(asked: str | None, bind: str) -> int:
    """The port that was asked for, or the first free one."""
    if asked:
        if not asked.isdecimal() or not 0 < int(asked) < 65536:
            raise ScriptError(f"PORT={asked} is no port number")
        if not is_free(int(asked), bind):
            raise ScriptError(f"Port {asked} is taken; choose another one with PORT=… (or leave it out)")
        return int(asked)
    for port in PORTS:
        if is_free(port, bind):
            return port
    raise ScriptError(f"No port from {PORTS[0]} to {PORTS[-1]} is free; choose one with PORT=…")


def settings(home: Path, bind: str, port: int, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of all parts."""
    database = environ.get("NEWS_DATABASE_URL") or f"sqlite:///{ROOT / 'news.db'}"
    return airflow_environment(
        home,
        {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": str(bind in {LOOPBACK, "localhost"}), **environ},
        NEWS_DATABASE_URL=database,
        NEWS_BACKFILL_POOL=environ.get("NEWS_BACKFILL_POOL") or "news_backfill",
        AIRFLOW__API__HOST=bind,
        AIRFLOW__API__PORT=str(port),
        AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://{LOOPBACK if bind == '0.0.0.0' else bind}:{port}/execution/",
    )


def prepare(home: Path, environment: Mapping[str, str]) -> None:
    """Migrate both databases; subscribe to the first feeds."""
    say(run([BIN / "news", "db", "upgrade"], environment).strip())
    if not json.loads(run([BIN / "news", "feeds", "list", "--json"], environment)):
        feeds = os.environ.get("FEEDS") or str(ROOT / "examples" / "feeds.opml")
        say(run([BIN / "news", "feeds", "import", feeds], environment).strip())
    say("Migrating Airflow's database …")
    run([BIN / "airflow", "db", "migrate"], environment, log=home / "output" / "migrate.log")
    pool = environment["NEWS_BACKFILL_POOL"]
    if pool != "default_pool":
        run([BIN / "airflow", "pools", "set", pool, "2", "Backfills"], environment, log=home / "output" / "pools.log")


def banner(home: Path, url: str, environment: Mapping[str, str]) -> str:
    """What to do next."""
    # A database that the user named stands in their environment, perhaps with a password; it is not printed.
    setting = "" if "NEWS_DATABASE_URL" in os.environ else f"NEWS_DATABASE_URL={environment['NEWS_DATABASE_URL']} "
    lines = [
        "",
        f"Airflow is up: {url}/dags/ingest_hourly",
        f"What it stores:   {url}/plugin/news-archive",
        f"The DAG runs on the hour, and for the last hour now. Logs: {home}/logs, {home}/output",
        f"How it goes:   {setting}{BIN.parent.name}/bin/news status",
        "Ctrl-C stops everything.",
    ]
    if environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] != "True":
        lines.insert(2, f"Log in with what is in {home}/simple_auth_manager_passwords.json.generated")
    return "\n".join(lines)


def say(text: str) -> None:
    """Print at once, even into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
