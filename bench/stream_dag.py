"""The DAG `ingest_stream` as a subject of `bench.stream`: a scheduler, a triggerer and all they need, on loopback."""

import sqlite3
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Self

import psutil

from examples.airflow.supervise import BIN, LOOPBACK, ROOT, Processes, airflow_environment, free_port, run
from examples.airflow.up import START, start_airflow

DAG = "ingest_stream"
EXECUTOR, TASK = "airflow worker -- LocalExecutor", "airflow worker -- "
"""How the titles begin of processes that have tasks run, and of those that are a task."""


LAST_RUN = 900.0
"""Longest wait for the end of a run, in seconds: it goes on for five minutes, where the machine keeps up."""


class Scheduled:
    """`ingest_stream` in an Airflow with SQLite and tasks on the same machine, as `make up` starts it."""

    limit = 60.0

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._home, self._news, self.used = folder / "airflow", folder / "news.db", 0.0
        port = str(free_port())
        self._url, self._stack = f"http://{LOOPBACK}:{port}", ExitStack()
        self._environment = airflow_environment(
            self._home,
            environment,
            PYTHONPATH=str(ROOT),  # for the triggerer, which imports `dags.feeds_due`
            AIRFLOW__API__HOST=LOOPBACK,
            AIRFLOW__API__PORT=port,
            AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="True",
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"{self._url}/execution/",
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
        )

    def __enter__(self) -> Self:
        airflow, environment = BIN / "airflow", self._environment
        run([airflow, "db", "migrate"], environment, log=self._home / "migrate.log")
        self._all = self._stack.enter_context(Processes(self._home / "output"))
        start_airflow(self._all, self._url, environment)
        self._all.start("triggerer", [airflow, "triggerer", "--skip-serve-logs"], environment)
        self._all.wait_for("the DAG", lambda: self._count("dag", f"dag_id = '{DAG}'") > 0, START)
        run([airflow, "dags", "unpause", DAG], environment)
        self._all.wait_for("a first run", lambda: self._is_at_work("host"), START)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def processes(self) -> list[psutil.Process]:
        """All of Airflow."""
        return self._all.members()

    def kill(self) -> None:
        """Kill the process of a task that is at work, with its readers; Airflow is to try again."""
        self._all.wait_for("a task at work", lambda: self._is_at_work("page"), START)
        for task in filter(_is_task, self.processes()):
            with suppress(psutil.Error):
                for part in [*task.children(recursive=True), task]:
                    part.kill()

    def end(self) -> int:
        """Have the run that is under way come to its end, and then end as `make up` does; 1 where a run was red."""
        run([BIN / "airflow", "dags", "pause", DAG], self._environment)
        # Tasks, not runs: the scheduler does not look at those of a DAG that is paused.
        self._all.wait_for("the last run", lambda: not self._count("task_instance", "state = 'running'"), LAST_RUN)
        red = self._count("task_instance", "state = 'failed'")
        again = self._count("task_instance", "try_number > 1")
        print(f"runs              {self._count('dag_run', 'TRUE')}, {red} of them red, {again} tasks tried again")
        self._stack.close()
        return int(red > 0 or not again)

    def _is_at_work(self, on: str) -> bool:
        with closing(sqlite3.connect(self._news)) as database:
            claimed = database.execute(f"SELECT count(*) FROM {on} WHERE leased_until IS NOT NULL").fetchone()[0]
        return bool(claimed) and any(map(_is_task, self.processes()))

    def _count(self, table: str, where: str) -> int:
        with closing(sqlite3.connect(self._home / "airflow.db")) as database:
            return int(database.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])


def _is_task(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        title = " ".join(process.cmdline())
        return title.startswith(TASK) and not title.startswith(EXECUTOR)
    return False
