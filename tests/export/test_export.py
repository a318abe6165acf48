"""Exports: every format read back by what analysts read it with, whole files or none, and only what changed."""

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
import zstandard
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.errors import ConfigError
from pipeline.export import ExportPlan, export_articles
from pipeline.export.formats import FIELDS, NAMES, VERSION, csv_line, json_line
from pipeline.store.connection.engine import open_engine
from pipeline.store.queries.sampling import STRATA, Sample, draw_sample
from pipeline.store.queries.selection import Selection
from pipeline.store.schema.tables import ArticleRow
from tests.support.archive import HOUR, NOW, Archive

DAY = timedelta(days=1)
EAST = timezone(timedelta(hours=5, minutes=30))
LARGE = "A sentence of some length that is said again. " * 2_000
ODD = 'Quotes " and \' and, commas;\tand tabs\r\nand lines\n\nand ünïcödé — 日本語 🚢 \\N \\" null'
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def archive(engine):
    """Articles of two sites with all that values can be: long, odd, empty, missing."""
    archive = Archive(engine)
    archive.store(
        "https://one.example/a",
        site="one.example",
        title=ODD,
        text=ODD,
        language="en",
        authors=('Ada "A" Ruiz', "Bo; Lind", "李雷"),
        published_at=datetime(2026, 11, 20, 1, 30, 15, 123456, EAST),
        modified_at=NOW,
        section="",
        image="https://one.example/a.jpg",
        captions=("One, “first”", ODD),
        corrections=("Correction: May.",),
        access="metered",
        publisher="One Press",
    )
    archive.store("https://one.example/b", site="one.example", text=LARGE, language="de", authors=(), tags=())
    archive.store("https://two.example/c", site="two.example", title=None, text="x", published_at=NOW - 30 * DAY)
    archive.store("https://two.example/d", now=NOW + HOUR, site="two.example", text="Short.", language="en")
    return archive


def rows_of(archive):
    """What an export has to hold: read by SQL of the test's own, as values of Python."""
    query = sa.text(
        "SELECT v.*, a.authors AS authors_list, a.tags AS tags_list, a.captions AS captions_list,"
        " a.corrections AS corrections_list FROM v_article AS v JOIN article AS a ON a.id = v.article_id"
        " ORDER BY v.article_id"
    )
    with archive.engine.connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    return [{name: _value(row, name) for name in NAMES[:-2]} for row in found]


def _value(row, name):
    if name in {"authors", "tags", "captions", "corrections"}:
        value = row[f"{name}_list"]
        return json.loads(value) if isinstance(value, str) else value
    value = row[name]
    if name.endswith("_at") and isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def times(row):
    """Times as ISO text, which is how JSON lines have them."""
    iso = {name: value.isoformat(timespec="microseconds") for name, value in row.items() if isinstance(value, datetime)}
    return row | iso


def own(rows):
    """Rows of a file without the export's own two columns."""
    return [{name: row[name] for name in NAMES[:-2]} for row in rows]


def by_duckdb(file):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        table = connection.sql(f"SELECT * FROM read_parquet('{file}') ORDER BY article_id").to_arrow_table()
    return table.to_pylist()


def by_pandas(file):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(file, dtype_backend="pyarrow")
    return [{name: _unpacked(value, pandas) for name, value in row.items()} for row in frame.to_dict(orient="records")]


def _unpacked(value, pandas):
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, pandas.Timestamp):
        return value.to_pydatetime()
    return None if value is pandas.NA or value is pandas.NaT else value


def by_polars(file):
    return pytest.importorskip("polars").read_parquet(file).to_dicts()


READERS = pytest.mark.parametrize("read", [by_duckdb, by_pandas, by_polars], ids=["duckdb", "pandas", "polars"])


def run(archive, out, format_="parquet", **plan):
    if format_ == "parquet":
        pytest.importorskip("pyarrow")
    return export_articles(archive.engine, ExportPlan(format_, out, **plan))


# ---------------------------------------------------------------- formats


@READERS
def test_parquet_is_read_back_equal(archive, tmp_path, read):
    done = run(archive, tmp_path / "a.parquet")
    rows = read(tmp_path / "a.parquet")
    assert done.rows == len(rows) == 4
    assert own(rows) == rows_of(archive)
    assert {(row["deleted"], row["cursor"]) for row in rows} == {(False, None)}


@READERS
def test_an_empty_result_is_a_file_with_all_columns(engine, tmp_path, read):
    done = run(Archive(engine), tmp_path / "a.parquet")
    assert (done.rows, done.files) == (0, (tmp_path / "a.parquet",))
    assert read(tmp_path / "a.parquet") == []


def test_a_text_of_many_megabytes_is_exported_whole(archive, tmp_path):
    text = "Ein sehr langer Text. " * 600_000
    with archive.engine.begin() as connection:
        connection.execute(sa.update(ArticleRow).where(ArticleRow.title.is_(None)).values(text=text))
    run(archive, tmp_path / "a.parquet")
    assert [row["text"] == text for row in by_polars(tmp_path / "a.parquet")] == [False, False, True, False]


def test_parquet_says_which_schema_it_has_and_is_compressed_with_zstd(archive, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    run(archive, tmp_path / "a.parquet", selection=Selection(sites=("one.example",)))
    file = parquet.ParquetFile(tmp_path / "a.parquet")
    metadata = {key.decode(): value.decode() for key, value in file.schema_arrow.metadata.items()}
    assert metadata["news.schema_version"] == VERSION
    assert json.loads(metadata["news.selection"]) == {"time": "published", "sites": ["one.example"]}
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.schema_arrow.names == list(NAMES)
    assert [str(type_) for type_ in file.schema_arrow.types] == [arrow_name(field) for field in FIELDS]
    assert [field.nullable for field in file.schema_arrow] == [not field.is_required for field in FIELDS]


def arrow_name(field):
    return {"timestamp": "timestamp[us, tz=UTC]", "list<string>": "list<element: string>"}.get(field.kind, field.kind)


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("a.jsonl", lambda file: file.read_bytes()),
        ("a.jsonl.gz", lambda file: gzip.decompress(file.read_bytes())),
        ("a.jsonl.zst", lambda file: zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()),
    ],
    ids=["plain", "gzip", "zstd"],
)
def test_json_lines_are_read_back_equal(archive, tmp_path, name, opened):
    run(archive, tmp_path / name, "jsonl")
    lines = opened(tmp_path / name).decode().split("\n")[:-1]
    rows = [json.loads(line) for line in lines]
    assert own(rows) == [times(row) for row in rows_of(archive)]
    assert [list(row) for row in rows] == [list(NAMES)] * 4


def test_json_lines_are_read_by_polars_and_duckdb(archive, tmp_path):
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    file = tmp_path / "a.jsonl.zst"
    run(archive, file, "jsonl")
    expected = [(row["url"], row["text"], row["authors"]) for row in rows_of(archive)]
    frame = polars.read_ndjson(zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read())
    assert frame.select("url", "text", "authors").rows() == expected
    query = "SELECT url, text, authors FROM read_json(?, maximum_object_size = 100000000) ORDER BY article_id"
    with duckdb.connect() as connection:
        assert connection.execute(query, [str(file)]).fetchall() == expected


def test_csv_is_read_back_equal_by_all_three(archive, tmp_path):
    pandas, polars, duckdb = (pytest.importorskip(name) for name in ("pandas", "polars", "duckdb"))
    file = tmp_path / "a.csv"
    run(archive, file, "csv")
    expected = [(row["article_id"], row["title"], row["text"], row["section"]) for row in rows_of(archive)]
    columns = ["article_id", "title", "text", "section"]
    with duckdb.connect() as connection:
        query = (
            f"SELECT {', '.join(columns)} FROM read_csv(?, strict_mode = true, max_line_size = 10000000,"
            " quote = '\"', escape = '\"', delim = ',', header = true, allow_quoted_nulls = false) ORDER BY 1"
        )
        assert connection.execute(query, [str(file)]).fetchall() == expected
    assert polars.read_csv(file).select(columns).rows() == expected
    # pandas cannot tell an empty text from none: its readers of CSV do not look at quotes.
    frame = pandas.read_csv(file, keep_default_na=False)
    assert [tuple(row) for row in frame[columns].itertuples(index=False)] == [
        tuple("" if value is None else value for value in row) for row in expected
    ]
    assert [json.loads(value) for value in frame["authors"]] == [row["authors"] for row in rows_of(archive)]
    first = pandas.to_datetime(frame["published_at"])[0]
    assert first == rows_of(archive)[0]["published_at"]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.zst"])
def test_duckdb_reads_times_as_times(archive, tmp_path, name):
    """Without being told which columns are times; what no row has (`gone_at`) has a type in Parquet alone."""
    duckdb = pytest.importorskip("duckdb")
    run(archive, tmp_path / name, name.split(".")[1])
    told = [field.name for field in FIELDS if field.kind == "timestamp"]
    told = [column for column in told if any(row[column] for row in rows_of(archive))]
    assert {"published_at", "modified_at", "first_seen_at"} <= {*told}
    shown = ", ".join(f"typeof({column}), epoch_us({column})" for column in told)
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {shown} FROM '{tmp_path / name}' ORDER BY article_id").fetchall()
    epoch, microsecond = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
    for read, row in zip(found, rows_of(archive), strict=True):
        assert set(read[::2]) == {"TIMESTAMP WITH TIME ZONE"}
        assert list(read[1::2]) == [row[at] and (row[at] - epoch) // microsecond for at in told]


def test_lines_tell_an_empty_text_from_none():
    row = (1, None, "", True, NOW, ["a"])
    assert csv_line(row) == '1,,"",true,2026-11-22T12:00:00.000000+00:00,"[""a""]"\r\n'
    whole = (1, *(None,) * (len(NAMES) - 1))
    assert json.loads(json_line(NAMES, whole)) == {"article_id": 1} | dict.fromkeys(NAMES[1:])


# ---------------------------------------------------------------- selections and partitions


SELECTIONS = {
    "all": (Selection(), "abcd"),
    "site": (Selection(sites=("two.example",)), "cd"),
    "sites and language": (Selection(sites=("two.example", "one.example"), languages=("en",)), "ad"),
    "since": (Selection(since=NOW - DAY), "bd"),
    "until": (Selection(until=NOW - DAY), "ac"),
    "stored since": (Selection(since=NOW, time="stored"), "abcd"),
    "stored until": (Selection(until=NOW + HOUR, time="stored"), "abc"),
    "changed since": (Selection(since=NOW + HOUR, time="changed"), "d"),
    "where": (Selection(where="word_count = 1 OR language = 'de'"), "bcd"),
    "where with a comment": (Selection(where="title LIKE 'Quotes%' -- and more"), "a"),
    "authors": (Selection(where="authors LIKE '%Lind%'"), "a"),
    "what looks like a parameter": (Selection(where="url LIKE '%:a' OR language = ':x'"), ""),
    "sample of more than there are": (Selection(sample=Sample(9)), "abcd"),
    "sample of each site": (Selection(sample=Sample(2, strata=("site",))), "bd"),
    "sample of each site with another seed": (Selection(sample=Sample(2, seed=7, strata=("site",))), "ad"),
    "sample of a site": (Selection(sites=("two.example",), sample=Sample(1)), "d"),
    "sample of nothing": (Selection(sites=("two.example",), where="1 = 0", sample=Sample(1)), ""),
    "where and site": (Selection(where="word_count = 1 OR language = 'de'", sites=("one.example",)), "b"),
}


def test_what_is_selected(archive, tmp_path):
    """One archive for all of them: to make it costs more than to ask it."""
    found = {}
    for name, (selection, _) in SELECTIONS.items():
        run(archive, tmp_path / "a.jsonl", "jsonl", selection=selection)
        urls = [json.loads(line)["url"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
        found[name] = "".join(url[-1] for url in urls)
    assert found == {name: expected for name, (_, expected) in SELECTIONS.items()}


def test_a_sample_is_the_same_each_time_and_is_spread_evenly(archive, tmp_path):
    def drawn(*words):
        done = news(archive, "export", "jsonl", "--out", "-", "--sample", "3", *words)
        assert done.exit_code == 0, done.output
        return [json.loads(line)["url"] for line in done.stdout.splitlines()]

    everything = [drawn("--stratify", name) for name in STRATA]
    assert {len(urls) for urls in everything} == {3}
    assert everything == [drawn("--stratify", name) for name in STRATA]
    assert {
        len({url.split("/")[2] for url in drawn("--seed", str(seed), "--stratify", "site,month")}) for seed in range(9)
    } == {2}
    groups = [(number, ("large" if number % 10 else number,)) for number in range(1000)]
    for seed in range(5):
        ids = draw_sample(groups, Sample(120, seed))
        assert sum(number % 10 > 0 for number in ids) == 20
        grown = draw_sample([*groups, *((number, ("large",)) for number in range(1001, 1021))], Sample(120, seed))
        assert len(set(ids) & set(grown)) >= 110


def test_a_condition_that_is_no_condition_says_so_and_leaves_nothing(archive, tmp_path):
    for where in ("no_such_column = 1", "1 = 1; DELETE FROM article", "("):
        with pytest.raises(ConfigError, match="--where"):
            run(archive, tmp_path / "a.jsonl", "jsonl", selection=Selection(where=where))
    assert list(tmp_path.glob("*.jsonl")) == list(tmp_path.glob(".*.part")) == []
    assert len(archive.rows(ArticleRow, ArticleRow.id)) == 4


@pytest.mark.parametrize(
    ("partition", "time", "folders"),
    [
        ("day", "published", {"day=2026-10-23": 1, "day=2026-11-19": 1, "day=2026-11-22": 2}),
        ("month", "published", {"month=2026-10": 1, "month=2026-11": 3}),
        ("day", "stored", {"day=2026-11-22": 4}),
        ("site", "published", {"site=one.example": 2, "site=two.example": 2}),
        ("language", "published", {"language=en": 2, "language=de": 1, "language=__HIVE_DEFAULT_PARTITION__": 1}),
    ],
    ids=["day", "month", "stored", "site", "language"],
)
def test_partitions_are_folders_that_readers_know(archive, tmp_path, partition, time, folders):
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    done = run(archive, tmp_path / "out", partition=partition, selection=Selection(time=time))
    assert {file.parent.name: len(by_polars(file)) for file in done.files} == folders
    assert {file.name for file in done.files} == {"articles.parquet"}
    pattern = str(tmp_path / "out/*/*.parquet")
    with duckdb.connect() as connection:
        query = f"SELECT count(*), count(DISTINCT {partition}) FROM read_parquet(?, hive_partitioning = true)"
        total, parts = connection.execute(query, [pattern]).fetchone()
        assert (total, parts) == (4, len([name for name in folders if "__HIVE" not in name]))
    assert polars.scan_parquet(pattern, hive_partitioning=partition in {"day", "month"}).collect().height == 4


def test_the_same_export_twice_is_the_same_as_once(archive, tmp_path):
    first = run(archive, tmp_path / "out", "csv", partition="site")
    before = {file: file.read_bytes() for file in first.files}
    second = run(archive, tmp_path / "out", "csv", partition="site")
    assert {file: file.read_bytes() for file in second.files} == before
    assert sorted(tmp_path.rglob("*.csv")) == sorted(before)


def test_an_export_that_breaks_off_leaves_what_was_there(archive, tmp_path):
    run(archive, tmp_path / "a.jsonl", "jsonl")
    before = (tmp_path / "a.jsonl").read_bytes()

    def stop(_rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_articles(
            archive.engine, ExportPlan("jsonl", tmp_path / "a.jsonl", Selection(sites=("one.example",))), stop
        )
    assert (tmp_path / "a.jsonl").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []


# ---------------------------------------------------------------- cursors


def changes(archive, tmp_path, **plan):
    """One incremental export as JSON lines; the rows of its files by the last letter of their URL."""
    done = run(archive, tmp_path / "out", "jsonl", cursor=tmp_path / "cursor.json", **plan)
    rows = [json.loads(line) for file in done.files for line in file.read_text().splitlines()]
    return done, {row["url"][-1]: row for row in rows}


def test_with_a_cursor_only_what_changed_since_is_exported(archive, tmp_path):
    first, rows = changes(archive, tmp_path)
    assert sorted(rows) == list("abcd")
    assert {row["cursor"] for row in rows.values()} == {first.cursor}
    again, rows = changes(archive, tmp_path)
    assert (again.rows, again.files, again.cursor) == (0, (), first.cursor)
    archive.store("https://one.example/b", now=NOW + DAY, site="one.example", text="Rewritten.", language="de")
    archive.store("https://one.example/e", now=NOW + DAY, site="one.example", text="New.")
    third, rows = changes(archive, tmp_path)
    assert {letter: row["text"] for letter, row in rows.items()} == {"b": "Rewritten.", "e": "New."}
    assert third.cursor > first.cursor
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_what_was_taken_down_is_told(archive, tmp_path):
    changes(archive, tmp_path)
    archive(lambda connection: connection.execute(sa.text("DELETE FROM article WHERE url LIKE '%/a'")))
    done, rows = changes(archive, tmp_path)
    assert (done.rows, done.deleted) == (0, 1)
    assert rows["a"] == dict.fromkeys(NAMES) | {
        "article_id": rows["a"]["article_id"],
        "url": "https://one.example/a",
        "site": "one.example",
        "deleted": True,
        "cursor": done.cursor,
    }


def test_an_export_that_breaks_off_does_not_move_the_cursor(archive, tmp_path):
    changes(archive, tmp_path)
    archive.store("https://one.example/e", now=NOW + DAY, site="one.example", text="New.")
    before = (tmp_path / "cursor.json").read_bytes()

    def stop(_rows):
        raise KeyboardInterrupt

    plan = ExportPlan("jsonl", tmp_path / "out", cursor=tmp_path / "cursor.json")
    with pytest.raises(KeyboardInterrupt):
        export_articles(archive.engine, plan, stop)
    assert (tmp_path / "cursor.json").read_bytes() == before
    assert sorted(changes(archive, tmp_path)[1]) == ["e"]


def test_increments_put_together_are_the_archive(archive, tmp_path):
    polars = pytest.importorskip("polars")
    plan = {"cursor": tmp_path / "cursor.json", "partition": "site"}
    run(archive, tmp_path / "out", **plan)
    archive.store("https://one.example/b", now=NOW + DAY, site="one.example", text="Rewritten.", language="de")
    run(archive, tmp_path / "out", **plan)
    archive(lambda connection: connection.execute(sa.text("DELETE FROM article WHERE url LIKE '%/c'")))
    archive.store("https://three.example/f", now=NOW + DAY, site="three.example", text="Last.")
    run(archive, tmp_path / "out", **plan)
    rows = polars.read_parquet(str(tmp_path / "out/*/*.parquet"), hive_partitioning=False)
    newest = rows.sort("cursor").group_by("article_id", maintain_order=True).last()
    current = newest.filter(~polars.col("deleted")).sort("article_id").to_dicts()
    assert own(current) == rows_of(archive)


def test_the_documented_way_puts_files_of_two_versions_together(archive, tmp_path):
    """As it stands on the page, over a file that lacks columns which came later."""
    polars = pytest.importorskip("polars")
    plan = {"cursor": tmp_path / "changes/cursor.json"}
    run(archive, tmp_path / "changes", **plan)
    (file,) = (tmp_path / "changes").glob("*.parquet")
    polars.read_parquet(file).drop("access", "captions").write_parquet(file)
    archive.store("https://one.example/b", now=NOW + DAY, site="one.example", text="Rewritten.", access="paid")
    archive(lambda connection: connection.execute(sa.text("DELETE FROM article WHERE url LIKE '%/c'")))
    run(archive, tmp_path / "changes", **plan)
    (shown,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.DOTALL)
    show = "print(articles.sort('article_id').select('url', 'access').write_json())"
    words = [sys.executable, "-c", f"{shown}\n{show}"]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert [(row["url"][-1], row["access"]) for row in json.loads(done.stdout)] == [
        ("a", None),
        ("b", "paid"),
        ("d", None),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no cursor of an export"),
        ("[1]", "no cursor of an export"),
        ('{"cursor": "x", "selection": {}}', "no cursor of an export"),
        ('{"cursor": "9999999999999999999999999999", "selection": {"time": "published"}}', "another one"),
        ('{"cursor": "0000000000000000000000000000", "selection": {"sites": ["a"]}}', "another selection"),
    ],
    ids=["empty", "a list", "no number", "another archive", "another selection"],
)
def test_a_cursor_that_does_not_fit_is_refused(sqlite_url, tmp_path, content, message):
    archive = Archive(open_engine(sqlite_url))
    (tmp_path / "cursor.json").write_text(content)
    with pytest.raises(ConfigError, match=message):
        changes(archive, tmp_path)


def test_a_file_of_changes_is_never_written_over(archive, tmp_path):
    plan = {"cursor": tmp_path / "cursor.json"}
    run(archive, tmp_path / "a.jsonl", "jsonl", **plan)
    with pytest.raises(ConfigError, match="a file of its own"):
        run(archive, tmp_path / "a.jsonl", "jsonl", **plan)


# ---------------------------------------------------------------- the command


def news(archive, *words):
    url = archive.engine.url.render_as_string(hide_password=False)
    return CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url})


def test_the_command_exports_and_says_what_it_did(archive, tmp_path):
    out = tmp_path / "a.jsonl"
    done = news(archive, "export", "jsonl", "--out", str(out), "--language", "en", "--since", "2026-11", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told == {"rows": 2, "deleted": 0, "bytes": out.stat().st_size, "cursor": None, "files": [str(out)]}


@pytest.mark.parametrize(
    "words",
    [
        ["csv", "--out", "a.csv", "--since", "someday"],
        ["csv", "--out", "a.csv", "--partition-by", "day"],
        ["xml", "--out", "a.xml"],
        ["csv", "--out", "a.csv", "--where", "nothing_there > 1"],
        ["csv", "--out", "a.csv", "--sample", "2", "--stratify", "colour"],
        ["csv", "--out", "a.csv", "--stratify", "site"],
        ["csv", "--out", "a.csv", "--sample", "2", "--cursor", "a.json"],
        ["csv"],
    ],
    ids=["time", "partition of a file", "format", "where", "stratum", "no sample", "sample of changes", "no out"],
)
def test_wrong_command_lines_exit_with_2(sqlite_url, tmp_path, words):
    archive = Archive(open_engine(sqlite_url))
    words = [str(tmp_path / word) if word.startswith("a.") else word for word in words]
    assert news(archive, "export", *words).exit_code == 2
    assert list(tmp_path.glob("a.*")) == []


def test_without_the_library_parquet_names_the_extra_that_brings_it(sqlite_url, tmp_path):
    """Run where pyarrow cannot be imported: a package of that name that says so comes first."""
    (tmp_path / "pyarrow.py").write_text("raise ModuleNotFoundError('No module named pyarrow', name='pyarrow')")
    environ = os.environ | {"NEWS_DATABASE_URL": sqlite_url, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    words = [sys.executable, "-m", "pipeline", "export", "parquet", "--out", str(tmp_path / "a.parquet")]
    done = subprocess.run(words, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 2
    assert "pip install pyarrow" in done.stderr
    assert "extra export" in done.stderr
    assert not (tmp_path / "a.parquet").exists()


def test_the_documentation_shows_what_exports_have_beyond_the_view():
    rows = [f"| `{field.name}` | {field.kind} | {field.comment} |" for field in FIELDS[-2:]]
    told = (ROOT / "docs/export.md").read_text()
    assert "\n".join(["| column | type | what it is |", "| --- | --- | --- |", *rows]) in told
    assert all(f"\n| {field.kind} |".replace("<string>", r"\<string\>") in told for field in FIELDS)
    assert f"version {VERSION}" in told


# ---------------------------------------------------------------- standard output, spreadsheets, unknown sites


def test_a_dash_is_standard_output_and_no_folder(archive, tmp_path):
    folder = Path.cwd() / "-"
    done = news(archive, "export", "jsonl", "--out", "-", "--site", "one.example")
    assert [json.loads(line)["url"][-1] for line in done.stdout.splitlines()] == ["a", "b"]
    assert "2 articles" in done.stderr
    packed = news(archive, "export", "csv", "--out", "-", "--compress", "gz").stdout_bytes
    assert len(gzip.decompress(packed)) > 1000
    for refused in (["parquet"], ["csv", "--partition-by", "day"], ["jsonl", "--cursor", str(tmp_path / "c.json")]):
        assert news(archive, "export", *refused, "--out", "-").exit_code == 2
    assert not folder.exists()


FORMULAS = {
    "equals": "=HYPERLINK(1)",
    "plus": "+1",
    "minus": "-1+cmd",
    "at": "@SUM(A1)",
    "tab": "\t=1",
    "wide": "＝1",
    "none": "1=1",
    "blank": "",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_of_csv_for_spreadsheets_begins_as_a_formula(archive, tmp_path, name):
    title = FORMULAS[name]
    with archive.engine.begin() as connection:
        connection.execute(sa.update(ArticleRow).values(title=title, authors=[title], word_count=-1))
    run(archive, tmp_path / "a.csv", "csv", is_for_excel=True)
    text = (tmp_path / "a.csv").read_bytes().decode()
    assert text.startswith("\ufeffarticle_id,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert {row["title"] for row in rows} == {title if name in {"none", "blank"} else f"'{title}"}
    assert not [row for row in rows for value in row.values() if value[:1] in "=+@\t＝" and value]
    assert {row["word_count"] for row in rows} == {"-1"}
    assert {tuple(json.loads(row["authors"])) for row in rows} == {(title,)}


def test_spreadsheets_read_csv_alone(archive, tmp_path):
    with pytest.raises(ConfigError, match="--excel is for csv"):
        run(archive, tmp_path / "a.jsonl", "jsonl", is_for_excel=True)


def test_a_site_that_no_article_is_of_is_refused_with_those_that_are_like_it(archive, tmp_path):
    done = news(archive, "export", "jsonl", "--out", str(tmp_path / "a.jsonl"), "--site", "onee.example")
    assert done.exit_code == 2
    assert "no article is of the site 'onee.example'; did you mean one.example" in done.stderr
    assert not (tmp_path / "a.jsonl").exists()
    assert "did you mean" in news(archive, "export", "jsonl", "--out", "-", "--site", "www.one.example").stderr


def test_a_site_that_was_taken_down_is_known_still(archive, tmp_path):
    with archive.engine.begin() as connection:
        connection.execute(sa.delete(ArticleRow).where(ArticleRow.site == "two.example"))
    assert run(archive, tmp_path / "a.jsonl", "jsonl", selection=Selection(sites=("two.example",))).rows == 0
