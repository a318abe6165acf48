"""Airflow on several workers, and what happens to machines: a row of a table for each fault.

    python -m bench.cluster                                     all faults, 5,000 articles each; or: make cluster-test
    python -m bench.cluster --fault scheduler --articles 500    one of them, with a smaller load

For each fault `examples.airflow.topology` is started anew, with 100 hosts of the replay server as its load. The harm
(`bench.cluster_faults`) is done while articles are stored. Then it is let alone: what ends by itself is started again,
as compose does, tasks are tried again by Airflow, and where a run was red, or ended before all was stored, the next
hour's is begun at once, three times at most. Fails (exit code 1) when after that

- an article is not stored, or one is stored twice, or has a second revision;
- the last run is not green;
- a claim is left that has not run out, or a page that waits for nothing;
- robots.txt was violated, or a host saw two requests at once, or two with less than its pause between them;
- the raw archive and SQL do not agree once `news archive check --repair` was there.

Disks are filled and taken away by mounting, which needs root: elsewhere these faults are passed over. Needs the replay
server and the pages beside the checkout; where they are not, nothing is tested and the code is 0.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.cluster_faults import FAULTS, Fault
from bench.cluster_load import Load, chosen
from bench.cluster_trial import BACKFILL, DELAY, LIVE, SETTINGS, STREAM, MemoryWatch, Trial
from bench.replay import PAGES, SCRIPT
from examples.airflow.supervise import BIN, Processes, ScriptError, run, stopping_on_signals
from examples.airflow.topology import Cluster

RUNS = 3
LIMIT = 1800.0
"""Seconds after which a fault counts as one that does not end."""


@dataclass
class Verdict:
    """What one fault came to."""

    name: str
    articles: int
    stored: int = 0
    twice: int = 0
    states: list[str] = field(default_factory=list)
    tries: int = 0
    again: int = 0
    restarts: Counter[str] = field(default_factory=Counter)
    violations: int = 0
    at_once: int = 0
    gap: float = 0.0
    left: int = 0
    archive: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: float = 0.0
    problem: str = ""

    @property
    def complaints(self) -> list[str]:
        """What is wrong, in words; empty where nothing is."""
        checks = [
            (not self.problem, self.problem),
            (self.stored == self.articles, f"{self.stored} of {self.articles} are stored"),
            (not self.twice, f"{self.twice} are stored twice, or have a second revision"),
            (self.states[-1:] == ["success"], f"runs: {', '.join(self.states) or 'none'}"),
            (not self.left, f"{self.left} claims or pages are left behind"),
            (not self.violations, f"{self.violations} pages were asked for against robots.txt"),
            (self.at_once <= 1, f"{self.at_once} requests at once to one host"),
            (self.gap >= 0.9 * DELAY, f"two requests to one host {self.gap:.2f} s apart"),
            (not self.archive, f"the raw archive: {'; '.join(self.archive)}"),
        ]
        return [words for is_well, words in checks if not is_well]


COLUMNS = ("articles", "twice", "violations", "at once", "gap s", "asked again", "runs", "tries", "seconds", "peak MB")


def line(verdict: Verdict) -> str:
    """One line of the table."""
    cells = (
        f"{verdict.stored}/{verdict.articles}",
        verdict.twice,
        verdict.violations,
        verdict.at_once,
        f"{verdict.gap:.2f}",
        verdict.again,
        len(verdict.states),
        verdict.tries,
        f"{verdict.seconds:.0f}",
        f"{verdict.peak_mb:.0f}",
    )
    return f"{verdict.name:16}" + "".join(f"{cell!s:>12}" for cell in cells)


def tried(name: str, fault: Fault, articles: int, pages: Path, folder: Path) -> Verdict:
    """Start everything, do the harm, and look what came of it."""
    verdict = Verdict(name, articles)
    with Processes(folder / "output") as processes, Load(articles, pages) as load:
        cluster = Cluster(processes, folder, SETTINGS)
        cluster.migrate()
        trial, watch = Trial(processes, cluster, load, fault.dag), MemoryWatch(processes)
        with fault.prepare(cluster, articles):
            watch.start()
            try:
                trial.begin()
                began = time.monotonic()
                fault.harm(trial)
                follow(trial)
                verdict.seconds = time.monotonic() - began
            except ScriptError as failure:
                verdict.problem = str(failure)
            watch.end()
            verdict.peak_mb, verdict.restarts = watch.peak, Counter(cluster.restarts)
            judge(verdict, trial)
    return verdict


def follow(trial: Trial) -> None:
    """Wait until all is stored and the runs have ended; begin the next hour's run where the last one did not do."""
    ends_at, asked = time.monotonic() + LIMIT, 1
    while time.monotonic() < ends_at:
        trial.pass_time(1)
        states = [run["state"] for run in trial.runs()]
        is_complete = trial.stored() >= trial.load.articles
        ended = [state for state in states if state not in {"queued", "running"}]
        if trial.dag == STREAM and is_complete and ended[-1:] == ["success"]:
            return
        if trial.dag == STREAM or not states or len(ended) < len(states):
            continue
        if (is_complete and states[-1] == "success") or asked == RUNS or trial.dag == BACKFILL:
            return
        trial.ask()
        asked += 1
    raise ScriptError(f"it did not end within {LIMIT:.0f} s: {trial.stored()} articles, runs {trial.runs()}")


def judge(verdict: Verdict, trial: Trial) -> None:
    """Count what is in the archive and what the server saw."""
    trial.pass_time(float(SETTINGS["NEWS_LEASE"]))
    cluster, stats = trial.cluster, trial.load.stats()
    urls = [url for (url,) in cluster.news("SELECT url FROM article")]
    verdict.stored = len(trial.load.urls & set(urls))
    verdict.twice = len(urls) - len(set(urls)) + cluster.number("SELECT count(*) FROM revision") - len(urls)
    claims = [f"(SELECT count(*) FROM {table} WHERE {CLAIM})" for table in ("page", "feed", "host", "backfill_unit")]
    waiting = "(SELECT count(*) FROM page WHERE state = 'queued' AND next_fetch_at IS NULL)"
    verdict.left = cluster.number(f"SELECT {' + '.join([*claims, waiting])}")
    verdict.states = [str(run["state"]) for run in trial.runs() if run["state"] not in {"queued", "running"}]
    task = {LIVE: "ingest", BACKFILL: "fill"}.get(trial.dag)
    rows = (
        [row for number in range(len(trial.runs())) for row in cluster.mapped(trial.dag, task, number)] if task else []
    )
    verdict.tries = max((row["try_number"] for row in rows), default=0)
    verdict.violations, verdict.at_once = stats["robots_violations"], stats["peak_concurrency_per_host"]
    verdict.gap, verdict.again = stats["min_gap_s"] or 0.0, stats["article_requests"] - stats["distinct_articles"]
    verdict.archive = wrong_files(cluster)


CLAIM = "leased_until > timezone('utc', now())"


def wrong_files(cluster: Cluster) -> list[str]:
    """What of the raw archive does not agree with SQL, once it was put in order."""
    environment = cluster.environment("news")
    try:
        run([BIN / "news", "archive", "check", "--repair"], environment)
        run([BIN / "news", "archive", "check"], environment)
    except ScriptError as failure:
        return [str(failure)]
    kept = "SELECT 1 FROM raw r WHERE r.page_id = a.page_id AND r.status = 200"
    missing = cluster.number(f"SELECT count(*) FROM article a WHERE NOT EXISTS ({kept})")
    return [f"{missing} articles have no archived response"] if missing else []


def main() -> int:
    """Try what was asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", action="append", choices=FAULTS, help="only this one; repeatable")
    parser.add_argument("--articles", type=int, default=5000, help="a multiple of 100 (default: 5000)")
    parser.add_argument("--keep", action="store_true", help="keep logs and data of what passed, too")
    given = parser.parse_args()
    if not SCRIPT.exists() or not PAGES.is_dir():
        print(f"Nothing was tested: there is no replay server at {SCRIPT}, or no page in {PAGES}.")
        return 0
    failed, names = 0, given.fault or list(FAULTS)
    with tempfile.TemporaryDirectory(prefix="news-pages-") as scratch, stopping_on_signals():
        pages = chosen(Path(scratch) / "pages", given.articles)
        print(f"{'fault':16}" + "".join(f"{name:>12}" for name in COLUMNS), flush=True)
        for name in names:
            if not FAULTS[name].is_possible:
                print(f"{name:16} passed over: it takes the right to mount a file system", flush=True)
                continue
            folder = Path(tempfile.mkdtemp(prefix=f"news-cluster-{name}-"))
            folder.chmod(0o755)  # PostgreSQL may have to run as another user
            verdict = tried(name, FAULTS[name], given.articles, pages, folder)
            print(line(verdict), flush=True)
            if verdict.restarts:
                print(f"    ended by themselves, and started again: {json.dumps(verdict.restarts)}", flush=True)
            for words in verdict.complaints:
                print(f"    wrong: {words}", flush=True)
            if verdict.complaints or given.keep:
                print(f"    logs and data: {folder}", flush=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
            failed += bool(verdict.complaints)
    print(f"{failed} of {len(names)} failed" if failed else f"all {len(names)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
