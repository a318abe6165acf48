"""The DAG `backfill_archive`: what it is made of, and one real run of a day."""

import sqlite3
from contextlib import closing, nullcontext
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations.upgrade import upgrade_schema
from tests.support.airflow_runs import asset_events
from tests.support.filling import XML, urlset
from tests.support.stories import article_page
from tests.support.web import Web, page

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def archive_dag(bag):
    return bag.dags["backfill_archive"]


@pytest.fixture(scope="module")
def code(archive_dag):
    """The module that the DAG was read from."""
    return SimpleNamespace(**archive_dag.get_task("plan").python_callable.__globals__)


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ((2026, 1, 31), (2026, 2, 1)),
        ((2026, 2, 28), (2026, 3, 1)),
        ((2028, 2, 28), (2028, 2, 29)),
        ((2028, 2, 29), (2028, 3, 1)),
        ((2025, 12, 31), (2026, 1, 1)),
        ((2026, 3, 29), (2026, 3, 30)),
        ((2026, 10, 25), (2026, 10, 26)),
    ],
    ids=["january", "february", "before leap day", "leap day", "year", "summer time", "winter time"],
)
def test_a_run_covers_a_day_in_utc(archive_dag, day, following):
    from airflow.serialization.encoders import coerce_to_core_timetable

    interval = coerce_to_core_timetable(archive_dag.timetable).infer_manual_data_interval(run_after=at(*following, 5))
    assert (interval.start, interval.end) == (at(*day), at(*following))


def test_the_tasks_follow_each_other_and_the_report_is_made_whatever_happened(archive_dag):
    assert archive_dag.get_task("plan").downstream_task_ids == {"fill", "report"}
    assert archive_dag.get_task("fill").is_mapped
    assert archive_dag.get_task("report").trigger_rule == "all_done"
    assert all(archive_dag.get_task(name).retries >= 1 for name in ("plan", "fill", "report"))


@pytest.mark.parametrize(
    ("given", "is_valid"),
    [
        ({"source": "wayback", "site": "example.org", "limit": 5}, True),
        ({"source": "gopher"}, False),
        ({"limit": 0}, False),
        ({"workers": 17}, False),
    ],
    ids=["all", "unknown source", "no page", "too many workers"],
)
def test_the_form_takes_what_it_should_and_nothing_else(archive_dag, given, is_valid):
    from airflow.sdk.exceptions import ParamValidationError

    params = deepcopy(archive_dag.params)
    with nullcontext() if is_valid else pytest.raises(ParamValidationError):
        params.update(given)


def test_a_worker_for_each_unit_up_to_so_many(code):
    assert code.shares(7, [1, 2, 3], 2) == [
        {"job": 7, "unit": 1, "worker": 1, "of": 2},
        {"job": 7, "unit": 2, "worker": 2, "of": 2},
    ]


@pytest.mark.parametrize(
    ("workers", "units", "is_good"),
    [
        (1, [{"done": 3}], True),
        (1, [{"done": 3, "failed": 1}], True),
        (1, [{"failed": 2}], False),
        (2, [], False),
        (0, [], True),
    ],
    ids=["done", "in part", "every unit failed", "no worker ended", "nothing to do"],
)
def test_a_run_is_red_when_it_came_to_nothing(code, workers, units, is_good):
    assert (code.judge(workers, units) is None) == is_good


@pytest.fixture(scope="module")
def finished(archive_dag, airflow_database, tmp_path_factory):
    """A run of a day, and one that the scheduler would start by itself."""
    file = tmp_path_factory.mktemp("backfill") / "news.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade_schema(engine)
    engine.dispose()
    with pytest.MonkeyPatch.context() as environment, Web() as web:
        environment.setenv("NEWS_DATABASE_URL", f"sqlite:///{file}")
        environment.setenv("NEWS_ALLOW_NETWORKS", "127.0.0.0/8")
        environment.setenv("NEWS_HOST_DELAY", "0")
        listed = {web.url(f"/2026/03/{day:02}/story-{day}"): None for day in (4, 5, 6)}
        web.routes |= {f"/2026/03/{day:02}/story-{day}": page(article_page(day)) for day in (4, 5, 6)}
        web.routes["/sitemap.xml"] = page(urlset(listed), XML)
        idle = archive_dag.test(logical_date=at(2026, 3, 5))
        run = archive_dag.test(logical_date=at(2026, 3, 6), run_conf={"source": "sitemap", "site": web.url("/")})
        yield SimpleNamespace(run=run, idle=idle, file=file)


def test_a_real_run_stores_the_articles_of_its_day_and_of_no_other(finished):
    assert finished.run.state == "success"
    assert finished.run.data_interval_end - finished.run.data_interval_start == timedelta(days=1)
    with closing(sqlite3.connect(finished.file)) as connection:
        stored = [row[0] for row in connection.execute("SELECT url FROM article")]
    assert [url.rpartition("-")[2] for url in stored] == [str(finished.run.data_interval_start.day)]


def test_a_run_that_asks_for_nothing_is_green(finished):
    assert {task.task_id: task.state for task in finished.idle.get_task_instances()} == {
        "plan": "success",
        "fill": "skipped",
        "report": "skipped",
    }
    assert finished.idle.state == "success"


def test_the_asset_is_updated_by_a_run_that_filled_its_day_and_by_no_other(finished):
    (extra,) = asset_events(finished.run)
    assert extra["new"] == 1
    assert extra["data_interval_start"] == finished.run.data_interval_start.isoformat()
    assert asset_events(finished.idle) == []
