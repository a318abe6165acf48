"""`make cluster-up` and `make cluster-down`: docker-compose.yml's services as processes, to look at and to play with.

`python -m examples.airflow.cluster_up` starts what `examples.airflow.topology` describes and leaves it running; nobody
starts again what ends by itself. `python -m examples.airflow.cluster_up --down` ends exactly these processes, by the
ids that were noted in `.cluster/`, and removes what they wrote. One such cluster for a checkout at a time.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from examples.airflow.descendants import end_processes
from examples.airflow.supervise import BIN, GRACE, LOOPBACK, ROOT, Processes, ScriptError, Started, stopping_on_signals
from examples.airflow.topology import USER, Cluster

NOTES = ROOT / ".cluster" / "processes.json"
_ASKED = re.compile(r"\$\{(NEWS_\w+)")


def main() -> int:
    """Start it, or end it; returns the exit code."""
    parser = argparse.ArgumentParser(description="Start docker-compose's topology as plain processes, or end it.")
    parser.add_argument("--down", action="store_true", help="end what was started, and remove what it wrote")
    try:
        with stopping_on_signals():
            print(end() if parser.parse_args().down else start())
    except ScriptError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def start() -> str:
    """Start all of it, and note what that was; returns what to tell the user."""
    if NOTES.exists():
        raise ScriptError(f"There is a cluster already ({NOTES}): `make cluster-down` ends it")
    folder = Path(tempfile.mkdtemp(prefix="news-cluster-"))
    folder.chmod(0o755)  # PostgreSQL may have to run as another user
    with Processes(folder / "output") as processes:
        cluster = Cluster(processes, folder, passed_settings(os.environ))
        cluster.migrate()
        cluster.start()
        write_down(NOTES, folder, processes.leave())
    return banner(cluster)


def passed_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that docker-compose.yml takes from the environment: what may be fetched from is yours to say.

    NEWS_DATABASE_URL is none of them: the cluster has a database of its own, and would migrate an archive of yours.
    """
    asked = set(_ASKED.findall((ROOT / "docker-compose.yml").read_text("utf-8")))
    return {name: environ[name] for name in sorted(asked & environ.keys())}


def banner(cluster: Cluster) -> str:
    """Where everything is."""
    url = cluster.environment("news")["NEWS_DATABASE_URL"]
    return "\n".join(
        [
            f"Airflow     {cluster.api.url}  user {USER}, password {cluster.password}",
            f"News        NEWS_DATABASE_URL={url} {BIN / 'news'} status",
            f"PostgreSQL  {LOOPBACK}:{cluster.postgres_port}, databases news and airflow",
            f"Redis       {LOOPBACK}:{cluster.redis_port}",
            f"Workers     {', '.join(sorted(cluster.workers))}; logs in {cluster.folder / 'output'}",
            "`make cluster-down` ends it all, and removes what it wrote.",
        ]
    )


def write_down(notes: Path, folder: Path, started: list[Started]) -> None:
    """Note which processes these are, and where they write."""
    rows = []
    for one in started:
        created = psutil.Process(one.popen.pid).create_time()
        rows.append({"name": one.name, "pid": one.popen.pid, "mark": one.mark, "created": created})
    notes.parent.mkdir(exist_ok=True)
    notes.write_text(json.dumps({"folder": str(folder), "processes": rows}, indent=1), "utf-8")


def end(notes: Path = NOTES) -> str:
    """End what was noted, the last first, and remove it; returns what to tell the user."""
    if not notes.exists():
        raise ScriptError("No cluster is noted to run")
    told = json.loads(notes.read_text("utf-8"))
    for row in reversed(told["processes"]):
        end_processes({row["pid"]} if is_same(row) else set(), row["mark"], GRACE)
    shutil.rmtree(told["folder"], ignore_errors=True)
    notes.unlink()
    return f"Ended: {', '.join(row['name'] for row in told['processes'])}"


def is_same(row: dict[str, Any]) -> bool:
    """Whether the process of this id is still the one that was started: ids are used again."""
    try:
        return bool(abs(psutil.Process(row["pid"]).create_time() - row["created"]) < 0.01)
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main())
