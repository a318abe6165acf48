"""How much memory exports take as archives grow: peak memory and speed of archives of several sizes.

    python -m bench.export FOLDER                            # 10,000, 100,000 and 1,000,000 articles, both databases
    python -m bench.export FOLDER --rows 2000 --rows 20000 --only sqlite

Archives are made in the folder where they are not there; those of bench.queries are the same ones. Each export runs in
a process of its own, whose peak is the kernel's count (VmHWM: Linux). The files are read back by DuckDB, pandas and
polars, which have to agree on what the archive holds. Fails where they do not, or where the largest archive takes a
fifth more memory than the one before it.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bench.archive import open_archive, open_filled
from pipeline.export import ExportPlan, export_articles
from pipeline.store.connection.engine import reading

SIZES = (10_000, 100_000, 1_000_000)
FORMATS = ("parquet", "jsonl.zst", "csv")
MAX_GROWTH = 1.2
"""Of memory beside the next smaller archive; the smallest one fills hardly any buffer."""


def measure(url: str, out: Path) -> dict[str, float]:
    """Export in this process: rows, seconds, and its peak memory in MB before and after."""
    engine = open_archive(url)
    with reading(engine) as connection:
        connection.execute(sa.text("SELECT 1"))
    before = peak()
    begin = time.perf_counter()
    done = export_articles(engine, ExportPlan(out.name.split(".")[1], out))
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


def measure_all(engine: Engine, rows: int, folder: Path) -> Iterator[tuple[str, float]]:
    """Export to each format, and print what that took; gives its name and peak memory, and of the reading back."""
    url = engine.url.render_as_string(hide_password=False)
    engine.dispose()
    for name in FORMATS:
        file = folder / f"{engine.dialect.name}-{rows}.{name}"
        words = [sys.executable, "-m", "bench.export", "--measure", url, str(file), str(folder)]
        done = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        print(
            f"{engine.dialect.name:10} {name:10} {done['rows']:9,} {done['seconds']:8.1f}"
            f" {done['rows'] / done['seconds']:8.0f} {done['bytes'] / 1e6:8.1f} {done['before']:10.0f}"
            f" {done['peak']:8.0f}",
            flush=True,
        )
        if done["rows"] != rows:
            raise SystemExit(f"{done['rows']} rows of {rows} were exported")
        yield name, done["peak"]
        if name == "parquet" and not read_back(file, url):
            raise SystemExit("DuckDB, polars, pandas and the archive differ")
        file.unlink()


def main() -> None:
    """Fill, export, read back, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the archives are kept, and files for as long as they are read")
    parser.add_argument("--rows", type=int, action="append", help="articles, again for further archives")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    parser.add_argument("--measure", nargs=2, metavar=("URL", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], Path(options.measure[1]))))
        return
    print(
        f"{'':10} {'format':10} {'rows':>9} {'seconds':>8} {'rows/s':>8} {'MB file':>8} {'MB begin':>10} {'MB peak':>8}"
    )
    grown = False
    for database in (options.only,) if options.only else ("sqlite", "postgresql"):
        peaks: dict[str, list[float]] = {name: [] for name in FORMATS}
        for rows in sorted(options.rows or SIZES):
            engine = open_filled(options.folder, database, rows)
            for name, most in measure_all(engine, rows, options.folder):
                peaks[name].append(most)
        grown |= any(most[-1] > MAX_GROWTH * most[-2] for most in peaks.values() if len(most) > 1)
    print("DuckDB, polars, pandas and the archives agree")
    sys.exit("memory grows with the archive" if grown else None)


if __name__ == "__main__":
    main()
