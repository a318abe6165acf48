"""What can go wrong with machines, by name; `bench.cluster` tries one after another.

Each is a function of a `Trial` that is begun already: it waits until the load is under way, does its harm, and mends
what a supervisor, or a machine that comes back, would mend. What came of it is judged elsewhere.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from bench.cluster_trial import BACKFILL, LIVE, SETTINGS, STREAM, Trial
from examples.airflow.supervise import BIN
from examples.airflow.topology import Cluster

BACK = 5.0
"""Seconds until a service that was killed is started again."""

EARLY = 0.15
"""Share of the articles that is stored when harm is done."""

PAGE_BYTES = 30_000
"""What an archived response takes (docs/operations.md)."""


def kill_worker(trial: Trial) -> None:
    """A worker is killed with its tasks, and stays away: its machine is gone."""
    trial.await_stored(EARLY)
    trial.cluster.kill(trial.busiest()[0])


def kill_scheduler(trial: Trial) -> None:
    """The scheduler is killed, and started again."""
    trial.await_stored(EARLY)
    kill_for_a_while(trial, "scheduler", BACK)


def kill_triggerer(trial: Trial) -> None:
    """The triggerer is killed, feeds fall due while it is away, and again while they are read."""
    trial.cluster.kill("triggerer")
    trial.load.subscribe(trial.cluster)
    trial.pass_time(BACK)
    trial.cluster.revive("triggerer")
    trial.await_stored(EARLY)
    kill_for_a_while(trial, "triggerer", BACK)


def restart_postgres(trial: Trial) -> None:
    """PostgreSQL is restarted in order, and then killed."""
    trial.await_stored(EARLY)
    trial.cluster.stop("postgres", signal.SIGINT)
    trial.pass_time(BACK)
    trial.cluster.revive("postgres")
    trial.await_stored(3 * EARLY)
    kill_for_a_while(trial, "postgres", BACK)


def cut_connections(trial: Trial) -> None:
    """All connections to both databases are cut ten times, three seconds apart."""
    trial.await_stored(EARLY)
    for _ in range(10):
        place = {"host": str(trial.cluster.folder / "postgres"), "port": trial.cluster.postgres_port}
        with psycopg.connect(user="postgres", dbname="postgres", **place) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('news', 'airflow')"
            )
        trial.pass_time(3)


def lose_redis(trial: Trial) -> None:
    """Redis is killed and away for a minute."""
    trial.await_stored(EARLY)
    kill_for_a_while(trial, "redis", 60)


def fill_disk(trial: Trial) -> None:
    """The disk of the raw archive is full for forty seconds."""
    disk = trial.cluster.archive
    while shutil.disk_usage(disk).free > 4 * PAGE_BYTES and trial.stored() < trial.load.articles:
        trial.pass_time(0.5)
    trial.pass_time(40)
    subprocess.run(["mount", "-o", "remount,size=8g", disk], check=True)


def lose_archive(trial: Trial) -> None:
    """The folder of the raw archive is gone for forty seconds: its file system is not mounted."""
    trial.await_stored(EARLY)
    disk = trial.cluster.archive
    subprocess.run(["umount", "--lazy", disk], check=True)
    trial.pass_time(40)
    subprocess.run(["mount", "--bind", f"{disk}.disk", disk], check=True)


def run_twice(trial: Trial) -> None:
    """Two runs by hand beside the scheduler's, on a machine of their own."""
    trial.await_stored(EARLY / 3)
    for number in (1, 2):
        trial.processes.start(f"by-hand-{number}", [BIN / "news", "ingest"], trial.cluster.environment("news"))


def outlive_lease(trial: Trial) -> None:
    """A task stands still for longer than its lease, while the others take its hosts, and goes on."""
    trial.await_stored(EARLY)
    _, pids = trial.busiest()
    stopped = psutil.Process(min(pids))
    stopped.suspend()
    trial.pass_time(2 * float(SETTINGS["NEWS_LEASE"]))
    with suppress(psutil.NoSuchProcess):
        stopped.resume()


def kill_for_a_while(trial: Trial, name: str, seconds: float) -> None:
    """Kill a service, and start it again after so many seconds."""
    trial.cluster.kill(name)
    trial.pass_time(seconds)
    trial.cluster.revive(name)


@contextmanager
def small_disk(cluster: Cluster, articles: int) -> Iterator[None]:
    """Put the raw archive on a disk that holds a third of it."""
    cluster.archive.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={articles * PAGE_BYTES // 3}", "tmpfs", cluster.archive], check=True
    )
    with mounted(cluster.archive):
        yield


@contextmanager
def own_disk(cluster: Cluster, _articles: int) -> Iterator[None]:
    """Put the raw archive on a file system that can be taken away."""
    disk = Path(f"{cluster.archive}.disk")
    disk.mkdir(parents=True)
    cluster.archive.mkdir()
    subprocess.run(["mount", "--bind", disk, cluster.archive], check=True)
    with mounted(cluster.archive):
        yield


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Take away what is mounted there at the end."""
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


def nothing(_cluster: Cluster, _articles: int) -> AbstractContextManager[None]:
    """Nothing is needed."""
    return nullcontext()


@dataclass(frozen=True)
class Fault:
    """A harm, the DAG that it is done to, what has to be prepared, and whether that takes the rights to mount."""

    harm: Callable[[Trial], None]
    dag: str = LIVE
    prepare: Callable[[Cluster, int], AbstractContextManager[None]] = nothing

    @property
    def is_possible(self) -> bool:
        """Whether it can be tried here."""
        return self.prepare is nothing or os.geteuid() == 0


FAULTS = {
    "none": Fault(lambda trial: None),
    "worker": Fault(kill_worker),
    "worker-backfill": Fault(kill_worker, BACKFILL),
    "scheduler": Fault(kill_scheduler),
    "triggerer": Fault(kill_triggerer, STREAM),
    "postgres": Fault(restart_postgres),
    "connections": Fault(cut_connections),
    "redis": Fault(lose_redis),
    "disk-full": Fault(fill_disk, prepare=small_disk),
    "archive-gone": Fault(lose_archive, prepare=own_disk),
    "two-runs": Fault(run_twice),
    "lease": Fault(outlive_lease),
}
