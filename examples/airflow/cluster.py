"""`make cluster` (`python -m examples.airflow.cluster`): docker-compose.yml as processes, and a worker killed.

Starts what `examples.airflow.topology` describes, over the sample newsroom. The scheduler starts `ingest_hourly` by
itself; once its tasks are at work on both workers, one worker is killed with all that it runs. The run has to end
green all the same, with every article stored once and the asset `news_articles` updated once. Takes two to three
minutes; with `--quick`, which kills nobody, one minute less. `make cluster-test` tries more that can go wrong.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from examples.airflow.supervise import BIN, LOOPBACK, ROOT, Processes, ScriptError, run, stopping_on_signals
from examples.airflow.topology import Cluster
from examples.newsroom.expectations import OPML, PORT, expected_files

DAG = "ingest_hourly"
ASSET = "news_articles"

# A pause between two requests to a host keeps the run going for long enough to be disturbed.
SETTINGS = {
    "NEWS_RESOLVE": f"*.newsroom.example={LOOPBACK}",
    "NEWS_ALLOW_NETWORKS": f"{LOOPBACK}/8",
    "NEWS_HOST_DELAY": "1",
    "NEWS_CONCURRENCY": "2",
    "NEWS_JOBS": "1",
    # docker-compose.yml says 60 s, and claims last for 300 s; nobody wants to wait for that.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "NEWS_LEASE": "20",
}

BEGUN = time.monotonic()


def main() -> int:
    """Run it all; returns the exit code."""
    parser = argparse.ArgumentParser(description="Run docker-compose's topology as plain processes.")
    parser.add_argument("--quick", action="store_true", help="let both workers live, which saves a minute")
    is_quick = parser.parse_args().quick
    folder = Path(tempfile.mkdtemp(prefix="news-cluster-"))
    folder.chmod(0o755)  # PostgreSQL may have to run as another user
    try:
        with stopping_on_signals(), Processes(folder / "output") as processes:
            cluster = Cluster(processes, folder, SETTINGS)
            say(f"PostgreSQL on port {cluster.postgres_port}, Redis on {cluster.redis_port}; migrating both databases")
            cluster.migrate()
            expected = start_newsroom(processes, cluster)
            say("Starting API server, two Celery workers, dag-processor, scheduler and triggerer")
            cluster.start()
            worker = await_work(processes, cluster)
            if not is_quick:
                say(f"Killing {worker}, and its tasks")
                cluster.kill(worker)
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


def await_work(processes: Processes, cluster: Cluster) -> str:
    """Return once articles are being stored and tasks are at work; the worker that has most of these."""
    processes.wait_for("the first run", lambda: bool(cluster.runs(DAG)), timeout=600)
    say(f"The scheduler began {DAG} for the hour to {cluster.runs(DAG)[0]['data_interval_end']}")
    at_work: dict[str, set[int]] = {}

    def is_under_way() -> bool:
        if (state := cluster.runs(DAG)[0]["state"]) not in {"queued", "running"}:
            raise ScriptError(f"the run is {state} before it was seen at work: see {cluster.folder}/airflow/logs")
        at_work.update(cluster.at_work())
        return stored(cluster) > 0 and bool(at_work)

    processes.wait_for("the first articles", is_under_way, timeout=600)
    tasks = ", ".join(f"{len(pids)} on {name}" for name, pids in sorted(at_work.items()))
    say(f"{stored(cluster)} articles are stored; tasks at work: {tasks}")
    return max(at_work, key=lambda name: len(at_work[name]))


def await_end(processes: Processes, cluster: Cluster, expected: set[str], *, was_killed: bool) -> list[str]:
    """Follow the run to its end; returns what is not as it should be."""
    end_at = time.monotonic() + 900
    shown: dict[str, int] = {}
    while cluster.runs(DAG)[0]["state"] in {"queued", "running"}:
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
    first, tasks = cluster.runs(DAG)[0], cluster.mapped(DAG, "ingest")
    tries = {task["rendered_map_index"] or task["map_index"]: task["try_number"] for task in tasks}
    urls = [url for (url,) in cluster.news("SELECT url FROM article")]
    # What a worker of another machine held when it was killed lapses; it stays written down where nothing was left.
    is_claim = "leased_until > timezone('utc', now())" if was_killed else "lease_owner IS NOT NULL"
    tables = ("page", "feed", "host")
    claimed = sum(cluster.number(f"SELECT count(*) FROM {table} WHERE {is_claim}") for table in tables)
    archived = cluster.number("SELECT count(*) FROM raw WHERE kind = 'page' AND status = 200")
    files = list(cluster.archive.glob("*.warc.gz*"))
    events = cluster.api.get("/api/v2/assets/events")["asset_events"]
    ours = [event for event in events if event["name"] == ASSET and event["source_run_id"] == first["dag_run_id"]]
    updates = [event["source_dag_id"] for event in ours]
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


def states(cluster: Cluster) -> Counter[str]:
    """How many mapped tasks of the first run are in each state."""
    return Counter(str(task["state"]) for task in cluster.mapped(DAG, "ingest"))


def stored(cluster: Cluster) -> int:
    """How many articles are in the archive."""
    return cluster.number("SELECT count(*) FROM article")


def say(text: str) -> None:
    """Print a line with the time since the start, at once."""
    print(f"{time.monotonic() - BEGUN:6.1f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
