"""What keeping raw copies costs a run, and whether cleaning them again gives the same rows.

    python -m bench.raw_copies [--hosts 20] [--items 20]
    python -m bench.raw_copies --hosts 50 --items 40 --rounds 0     # 2,000 pages, cleaned again; no cost measured

Needs the replay server and the pages beside the checkout (``../shared``). Each run is ``news ingest`` in a process of
its own. The processor time is that of the process that fetches and keeps; those that extract do not count for it.

Cleaning again may change what was stored before a block was learned to be boilerplate, and that alone; cleaning once
more must change nothing. The exit code is 1 where either does not hold, or where the dry run foresaw something else.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.schema.tables import ArticleRow, PageRow, RevisionRow

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
NEWS = [sys.executable, "-m", "pipeline"]


def serve(hosts: int, items: int, port: int) -> subprocess.Popen[bytes]:
    words = ["--corpus", f"dir:{SHARED / 'corpus' / 'pages'}", "--hosts", str(hosts), "--items", str(items)]
    server = subprocess.Popen(
        [sys.executable, str(SHARED / "tools" / "replay.py"), *words, "--port", str(port), "--warm"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.1.1:{port}/__feeds", timeout=5).read()
        except OSError:
            time.sleep(0.2)
        else:
            return server
    raise SystemExit("the replay server does not start")


def news(environment: dict[str, str], *words: str, given: bytes = b"") -> tuple[float, float, bytes]:
    """Run a command; returns wall time and processor time in seconds, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [*NEWS, *words], env=os.environ | environment, input=given, stdout=subprocess.PIPE, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, processor, done.stdout


def rows(url: str) -> list[list[sa.Row]]:
    with open_archive(Settings(database_url=url)) as engine, reading(engine) as connection:
        return [
            list(connection.execute(sa.select(table.__table__).order_by(table.id)))
            for table in (ArticleRow, RevisionRow, PageRow)
        ]


def measure(folder: Path, port: int, archive: str, feeds: bytes) -> dict[str, str]:
    folder.mkdir()
    environment = {
        "NEWS_DATABASE_URL": f"sqlite:///{folder}/news.db",
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0",
        "NEWS_ARCHIVE_URL": archive,
        "NEWS_LOG_LEVEL": "error",
    }
    news(environment, "db", "upgrade")
    news(environment, "feeds", "import", "-", given=feeds)
    wall, processor, output = news(environment, "ingest", "--json")
    counts = json.loads(output)
    kept = sum(file.stat().st_size for file in (folder / "raw").glob("*")) if (folder / "raw").is_dir() else 0
    size = (folder / "news.db").stat().st_size
    print(
        f"{archive:5s} {counts['pages']:5d} pages  wall {wall:6.1f} s  processor {processor:6.1f} s  "
        f"database {size / 1e6:6.1f} MB  raw {kept / 1e6:6.1f} MB",
        flush=True,
    )
    return environment


def clean_again(environment: dict[str, str]) -> bool:
    """Clean twice, each time foretold by a dry run; whether nothing changed but what was learned meanwhile."""
    url, good = environment["NEWS_DATABASE_URL"], True
    for time_of_many in range(2):
        before = rows(url)
        _, _, output = news(environment, "reclean", "--dry-run", "--json")
        foreseen = json.loads(output)["pages"]
        good &= rows(url) == before
        wall, processor, output = news(environment, "reclean", "--json")
        kinds = json.loads(output)["pages"]
        after = rows(url)
        changed = [pair for pair in zip(before[0], after[0], strict=True) if pair[0] != pair[1]]
        odd = [new.url for old, new in changed if time_of_many or not is_learned(old, new)]
        print(f"reclean {kinds}, foreseen {foreseen}  wall {wall:.1f} s  processor {processor:.1f} s")
        print(f"{len(changed)} articles changed; not by what was learned: {odd or 'none'}", flush=True)
        good &= kinds == foreseen and not odd and before[2] == after[2]
        good &= before[1] == after[1] if not changed else len(after[1]) - len(before[1]) <= len(changed)
    return good


def is_learned(old: sa.Row, new: sa.Row) -> bool:
    """Whether the text differs by paragraphs alone that recur on the site."""
    recurring = {block["text"] for row in (old, new) for block in row.removed if block["reason"] == "recurring"}
    texts = [[part for part in row.text.split("\n\n") if part not in recurring] for row in (old, new)]
    return texts[0] == texts[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--port", type=int, default=8971)
    parser.add_argument("--rounds", type=int, default=2, help="runs with and without raw copies; 0: one with them")
    options = parser.parse_args()
    if not SHARED.is_dir():
        raise SystemExit(f"{SHARED} is not there: nothing to measure with")
    server = serve(options.hosts, options.items, options.port)
    try:
        feeds = urllib.request.urlopen(f"http://127.0.1.1:{options.port}/__feeds").read()
        with tempfile.TemporaryDirectory(prefix="news-bench-") as temporary:
            runs = [f"{archive}{number}" for number in range(options.rounds) for archive in ("off", "auto")]
            for name in runs or ["auto0"]:
                environment = measure(Path(temporary) / name, options.port, name[:-1], feeds)
            return 0 if clean_again(environment) else 1
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
