"""The DAGs `export_daily` and `watch_volume`: what they are made of, and real runs over an archive."""

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipeline.model import Entry
from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations.upgrade import upgrade_schema
from tests.support.airflow_runs import asset_events
from tests.support.archive import Archive, article

pytestmark = pytest.mark.airflow

LAST = datetime(2026, 11, 19, 12, tzinfo=UTC)
"""The last day of the archive here; the day before, one.example fell silent."""
FALLEN = LAST - timedelta(days=1)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A month of two sites, of which one publishes but one article on the last day but one."""
    file = tmp_path_factory.mktemp("downstream") / "news.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade_schema(engine)
    archive = Archive(engine)
    for days in range(29, 0, -1):
        day = LAST - timedelta(days=days - 1)
        count = 1 if day.date() == FALLEN.date() else 3
        urls = [f"https://one.example/{day:%m%d}-{n}" for n in range(count)] + [f"https://two.example/{day:%m%d}"]
        archive.poll(*(Entry(guid=url, url=url, hash=url) for url in urls), now=day)
        for host in ("one.example", "two.example"):
            while page := archive.claim(now=day, host=host):  # those of the day before, too, which are looked at again
                text = f"The text of {page.url}."
                archive.save(page, article(page.url, text=text, site=host), now=day)
    engine.dispose()
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def runs(bag, airflow_database, database, tmp_path_factory):
    """A run of each DAG for a day, by name and day."""
    folder = tmp_path_factory.mktemp("files")

    def run(name, day, **conf):
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("NEWS_DATABASE_URL", database)
            environment.setenv("NEWS_EXPORT_DIR", str(folder))
            # A run for a time takes the interval that has ended by then.
            after = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)
            return bag.dags[name].test(logical_date=after, run_conf=conf)

    return SimpleNamespace(run=run, folder=folder)


@pytest.mark.parametrize("name", ["export_daily", "watch_volume"])
def test_each_run_covers_one_day_and_missed_days_are_left_to_a_backfill(bag, name):
    from airflow.serialization.encoders import coerce_to_core_timetable
    from pendulum import datetime as moment

    dag = bag.dags[name]
    interval = coerce_to_core_timetable(dag.timetable).infer_manual_data_interval(run_after=moment(2026, 11, 22, 9))
    assert (interval.start, interval.end) == (moment(2026, 11, 21), moment(2026, 11, 22))
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert all(task.execution_timeout for task in dag.tasks)
    assert "**When it fails**" in dag.doc_md


def test_loading_them_loads_nothing_of_the_pipeline(bag):
    for name, task in (("export_daily", "export"), ("watch_volume", "compare")):
        code = bag.dags[name].get_task(task).python_callable.__globals__
        assert [key for key, value in code.items() if getattr(value, "__module__", "").startswith("pipeline")] == []


def test_a_day_is_one_file_and_again_the_same_and_the_asset_is_told(runs):
    polars = pytest.importorskip("polars")
    first = runs.run("export_daily", LAST.date())
    told = first.get_task_instance("export").xcom_pull(task_ids="export")
    file = runs.folder / "day=2026-11-19/articles.parquet"
    rows = polars.read_parquet(file)
    second = runs.run("export_daily", LAST.date())  # takes the place of the first in Airflow's own database
    assert (first.state, second.state) == ("success", "success")
    assert sorted(rows["site"]) == ["one.example"] * 3 + ["two.example"]
    assert polars.read_parquet(file).equals(rows)
    assert [path.name for path in file.parent.iterdir()] == ["articles.parquet"]
    assert told == {"day": "2026-11-19", "rows": 4, "bytes": file.stat().st_size, "file": str(file)}
    assert told in asset_events(second)


def test_a_source_that_falls_makes_the_run_red_and_is_told_to_the_notifier(runs, caplog):
    with caplog.at_level(logging.ERROR, logger="news.alerts"):
        run = runs.run("watch_volume", FALLEN.date(), share=0.5, least=2)
    assert run.state == "failed"
    assert {task.task_id: task.state for task in run.get_task_instances()} == {"compare": "success", "judge": "failed"}
    (alert,) = [record.getMessage() for record in caplog.records if record.name == "news.alerts"]
    assert alert == "2026-11-18: 1 of 2 sources fell\none.example: 1 of 3 expected (1 announced, 0 failed)"


def test_a_day_as_expected_is_green(runs):
    assert runs.run("watch_volume", LAST.date(), share=0.5, least=2).state == "success"
