"""How much memory exports take as archives grow: peak memory and speed for N rows and for ten times as many.

    python -m bench.export --rows 20000                     # SQLite, in a temporary folder
    python -m bench.export --rows 20000 --url postgresql:///FOLDER

Each export runs in a process of its own, whose peak is the kernel's count (VmHWM: Linux). The files are read back by
DuckDB, pandas and polars, which have to agree on what the archive holds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from bench.archive import fill, open_archive
from pipeline.export import Plan, export
from pipeline.store.engine import reading

SIZES = (1, 10)
FORMATS = ("parquet", "jsonl.zst", "csv")


def measure(url: str, out: Path) -> dict[str, float]:
    """Export in this process: rows, seconds, and its peak memory in MB before and after."""
    engine = open_archive(url)
    with reading(engine) as connection:
        connection.execute(sa.text("SELECT 1"))
    before = peak()
    begin = time.perf_counter()
    done = export(engine, Plan(out.name.split(".")[1], out))
    return {
        "rows": done.rows,
        "seconds": time.perf_counter() - begin,
        "bytes": done.bytes,
        "before": before,
        "peak": peak(),
    }


def peak() -> float:
    """The most memory that this process has held, in MB. Not ru_maxrss, which a child takes over from its parent."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def read_back(file: Path, url: str) -> bool:
    """Whether three readers of the Parquet file and the archive agree on rows, words, and length of all texts."""
    import duckdb
    import polars

    question = "SELECT count(*), sum(word_count), sum(length(text)), count(DISTINCT url) FROM "
    with reading(open_archive(url)) as connection:
        asked = [int(value) for value in connection.execute(sa.text(f"{question} article")).one()]
    with duckdb.connect() as connection:
        by_duckdb = [int(value) for value in connection.execute(f"{question} read_parquet('{file}')").fetchone()]
    frame = polars.scan_parquet(file).select(
        polars.len(),
        polars.col("word_count").sum(),
        polars.col("text").str.len_chars().cast(polars.Int64).sum(),
        polars.col("url").n_unique(),
    )
    by_polars = [int(value) for value in frame.collect(engine="streaming").row(0)]
    return asked == by_duckdb == by_polars == by_pandas(file)


def by_pandas(file: Path) -> list[int]:
    """The same by pandas, a row group at a time: it would hold the whole file else."""
    from pyarrow.parquet import ParquetFile

    counts, urls = [0, 0, 0], set()
    for batch in ParquetFile(file).iter_batches(columns=["word_count", "text", "url"]):
        frame = batch.to_pandas()
        counts = [counts[0] + len(frame), counts[1] + frame.word_count.sum(), counts[2] + frame.text.str.len().sum()]
        urls.update(frame.url)
    return [*map(int, counts), len(urls)]


def main() -> None:
    """Fill, export, read back, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="N; the second archive has ten times as many")
    parser.add_argument("--url", default="", help="of a PostgreSQL archive, or postgresql:///FOLDER; default: SQLite")
    parser.add_argument("--measure", nargs=2, metavar=("URL", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], Path(options.measure[1]))))
        return
    with tempfile.TemporaryDirectory(prefix="news-export-") as folder:
        print(f"{'format':10} {'rows':>9} {'seconds':>8} {'rows/s':>8} {'MB file':>8} {'MB before':>10} {'MB peak':>8}")
        for size in SIZES:
            rows = size * options.rows
            url = f"{options.url}-{rows}" if options.url else f"sqlite:///{folder}/{rows}.db"
            fill(open_archive(url), rows)
            for name in FORMATS:
                file = Path(folder) / f"{rows}.{name}"
                words = [sys.executable, "-m", "bench.export", "--measure", url, str(file)]
                done = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
                print(
                    f"{name:10} {done['rows']:9,} {done['seconds']:8.1f} {done['rows'] / done['seconds']:8.0f}"
                    f" {done['bytes'] / 1e6:8.1f} {done['before']:10.0f} {done['peak']:8.0f}",
                    flush=True,
                )
            agreed = read_back(Path(folder) / f"{rows}.parquet", url)
            print(f"DuckDB, polars, pandas and the archive agree: {'yes' if agreed else 'NO'}", flush=True)


if __name__ == "__main__":
    main()
