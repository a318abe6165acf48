"""One cluster under one load: what can be seen of it and asked of it while something goes wrong."""

import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError

import psycopg

from bench.cluster_load import DAY, Load
from bench.measured import proportional_memory
from examples.airflow.supervise import Processes, ScriptError
from examples.airflow.topology import Cluster

LIVE, BACKFILL, STREAM = "ingest_hourly", "backfill_archive", "ingest_stream"
AWAY = (ScriptError, URLError, OSError, psycopg.OperationalError)
"""How it shows that a database or the API server is away for a moment."""

LOOK = 3.0
SETTINGS = {
    "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
    "NEWS_HOST_DELAY": "1",
    "NEWS_CONCURRENCY": "4",
    "NEWS_JOBS": "1",
    "NEWS_REVISITS": "0",
    "NEWS_TDM_FILE": "off",
    # The longest waits are made short: claims last 300 s otherwise, and docker-compose.yml says 60 s twice.
    "NEWS_LEASE": "20",
    "NEWS_RETRY_DELAY": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
}
DELAY = float(SETTINGS["NEWS_HOST_DELAY"])


@dataclass
class Trial:
    """A cluster, its load, and the DAG that has to bring it in."""

    processes: Processes
    cluster: Cluster
    load: Load
    dag: str

    def begin(self) -> None:
        """Start Airflow, and see to it that the DAG, and no other, has something to do."""
        if self.dag == LIVE:
            self.load.subscribe(self.cluster)
        self.cluster.start()
        api = self.cluster.api
        self.processes.wait_for(self.dag, lambda: bool(api.get(f"/api/v2/dags/{self.dag}", missing={})), 600)
        if self.dag == STREAM:
            self._pause(LIVE, is_paused=True)
            self._pause(STREAM, is_paused=False)
        if self.dag == BACKFILL:
            self.ask()

    def ask(self) -> None:
        """Begin a run: the next hour's before its time, or the backfill of the day."""
        conf = {"source": "sitemap", "site": self.load.sites, "workers": 4} if self.dag == BACKFILL else {}
        moment = DAY if self.dag == BACKFILL else None
        self.cluster.api.send("POST", f"/api/v2/dags/{self.dag}/dagRuns", {"logical_date": moment, "conf": conf})

    def _pause(self, dag: str, *, is_paused: bool) -> None:
        self.cluster.api.send("PATCH", f"/api/v2/dags/{dag}", {"is_paused": is_paused})

    def stored(self) -> int:
        """How many articles are stored; 0 while that cannot be told."""
        try:
            return self.cluster.number("SELECT count(*) FROM article")
        except AWAY:
            return 0

    def runs(self) -> list[dict[str, Any]]:
        """The runs of the DAG; none while that cannot be told."""
        try:
            return self.cluster.runs(self.dag)
        except AWAY:
            return []

    def pass_time(self, seconds: float) -> None:
        """Let time go by, in which what ends by itself is started again."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            self.cluster.tend()
            time.sleep(0.5)

    def await_stored(self, share: float, patience: float = 1200.0) -> None:
        """Return once this share of the articles is stored."""
        ends_at = time.monotonic() + patience
        while self.stored() < share * self.load.articles:
            if time.monotonic() > ends_at:
                raise ScriptError(f"only {self.stored()} articles were stored within {patience:.0f} s")
            self.pass_time(0.5)

    def busiest(self) -> tuple[str, set[int]]:
        """The worker with most tasks at work, and their processes."""
        while not (found := self.cluster.at_work()):
            self.pass_time(0.5)
        return max(found.items(), key=lambda item: len(item[1]))


class MemoryWatch(threading.Thread):
    """Looks at the memory of all processes each few seconds until it is ended."""

    def __init__(self, processes: Processes) -> None:
        super().__init__(daemon=True)
        self._processes = processes
        self._ended = threading.Event()
        self.peak = 0.0
        """The largest sum, in MB; shared memory is counted once."""

    def run(self) -> None:
        """Look."""
        while not self._ended.wait(LOOK):
            self.peak = max(self.peak, sum(proportional_memory(self._processes.members())) / 1024)

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()
