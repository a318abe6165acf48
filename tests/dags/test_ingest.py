"""The DAG `ingest_hourly`: what it is made of, what it decides, and one real run over the sample newsroom."""

import sqlite3
from contextlib import closing, nullcontext
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from examples.newsroom.serve import Newsroom
from pipeline.config import Settings
from pipeline.model import Subscription
from pipeline.store.connection.engine import open_engine, write
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.migrations.upgrade import upgrade_schema
from tests.support.airflow_runs import asset_events

# One worker process of the test run: each one that loads Airflow pays seconds for it.
pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def code(bag, dag):
    """The module that the DAG was read from."""
    return SimpleNamespace(**dag.get_task("plan").python_callable.__globals__)


def test_the_dags_load_without_errors(bag):
    assert bag.import_errors == {}
    assert {"ingest_hourly", "export_daily", "watch_volume"} <= set(bag.dags)


def test_loading_the_dags_loads_nothing_of_the_pipeline_but_its_errors(code):
    names = {name for name, value in vars(code).items() if getattr(value, "__module__", "").startswith("pipeline")}
    assert names == set()


def test_each_run_covers_one_hour_and_missed_hours_are_left_out(dag):
    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable = coerce_to_core_timetable(dag.timetable)
    interval = timetable.infer_manual_data_interval(run_after=_moment(12, 20))
    assert (interval.start, interval.end) == (_moment(11, 0), _moment(12, 0))
    assert dag.catchup is False
    assert dag.max_active_runs == 1


def test_time_limits_fit_into_the_hour_and_into_each_other(dag):
    assert dag.dagrun_timeout < timedelta(hours=1)
    limits = [dag.get_task(name).execution_timeout for name in ("plan", "ingest", "report")]
    assert all(limits)
    assert sum(limits, timedelta()) <= dag.dagrun_timeout


def test_the_tasks_follow_each_other_and_the_report_is_made_whatever_happened(dag):
    assert dag.get_task("plan").downstream_task_ids == {"ingest", "report"}
    assert dag.get_task("ingest").downstream_task_ids == {"report"}
    assert dag.get_task("ingest").is_mapped
    assert dag.get_task("report").trigger_rule == "all_done"
    assert [asset.name for asset in dag.get_task("report").outlets] == ["news_articles"]


def test_a_worker_that_dies_is_replaced(dag):
    """A dead worker counts as a try: without retries its task would fail for good."""
    assert all(dag.get_task(name).retries >= 1 for name in ("plan", "ingest", "report"))


@pytest.mark.parametrize(
    ("given", "is_valid"),
    [
        ({}, True),
        ({"workers": 16, "pages": 500, "poll_all": True}, True),
        ({"workers": 0}, False),
        ({"workers": 17}, False),
        ({"workers": "4"}, False),
        ({"pages": 0}, False),
        ({"poll_all": "yes"}, False),
    ],
    ids=["none", "all", "no worker", "too many workers", "text", "empty budget", "not a bool"],
)
def test_the_form_takes_what_it_should_and_nothing_else(dag, given, is_valid):
    from airflow.sdk.exceptions import ParamValidationError

    params = deepcopy(dag.params)
    with nullcontext() if is_valid else pytest.raises(ParamValidationError):
        params.update(given)  # checks each by its schema


def test_the_docstring_says_when_it_runs_and_what_to_do_when_it_fails(dag):
    for part in ("**What runs.**", "**When.**", "**When it fails**", "news db upgrade", "NEWS_LEASE"):
        assert part in dag.doc_md


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (ConnectionError("away"), "RETRY"),
        (TimeoutError("away"), "RETRY"),
        ("sqlalchemy.exc.OperationalError", "RETRY"),
        ("sqlalchemy.exc.ProgrammingError", "FAIL"),
        ("pipeline.errors.ConfigError", "FAIL"),
        (ValueError("a bug"), "FAIL"),
        (TypeError("a bug"), "FAIL"),
        ("airflow.sdk.exceptions.AirflowTaskTimeout", "FAIL"),
    ],
    ids=lambda value: getattr(type(value), "__name__", value) if isinstance(value, Exception) else str(value),
)
def test_errors_are_retried_by_their_class(code, error, action):
    decision = code.RETRIES.evaluate(_made(error), 1, 2)
    assert decision.action.name == action


@pytest.mark.parametrize(
    ("hosts", "at_once", "work", "workers", "pages", "budgets", "at_first"),
    [
        (0, 64, 0, 4, None, [], 0),
        (1, 64, 5_000, 4, None, [None], 1),
        (20, 64, 200, 4, None, [None] * 4, 5),
        (3, 64, 10_000, 4, None, [None] * 3, 1),
        (64, 64, 50, 4, None, [None], 64),
        (64, 64, 51, 4, None, [None, None], 32),
        (8, 2, 50, 6, None, [None] * 4, 2),
        (10_000, 64, 10_000, 4, None, [None] * 4, 2_500),
        (200, 64, 1_000, 3, 10, [4, 3, 3], 67),
        (200, 64, 1_000, 4, 2, [1, 1], 100),
    ],
    ids=[
        "nothing due",
        "one host",
        "a feed each",
        "few hosts with many pages",
        "a full task",
        "one page more",
        "more hosts than are asked at once",
        "at most",
        "budget",
        "budget below the workers",
    ],
)
def test_as_many_workers_as_the_due_work_calls_for(code, hosts, at_once, work, workers, pages, budgets, at_first):
    made = code.shares(hosts, at_once, work, workers, pages)
    assert [share["pages"] for share in made] == budgets
    assert [(share["worker"], share["of"]) for share in made] == [(n + 1, len(made)) for n in range(len(made))]
    assert all(share["hosts"] == at_first for share in made)


@pytest.mark.parametrize(
    ("workers", "counts", "verdict"),
    [
        (0, {"workers": 0}, None),
        (2, {"workers": 1, "polls": 40, "polls_failed": 3}, None),
        (2, {"workers": 0}, "none of the 2 workers"),
        (1, {"workers": 1, "polls": 40, "polls_failed": 20}, None),
        (1, {"workers": 1, "polls": 40, "polls_failed": 21}, "21 of 40 polls failed"),
        (1, {"workers": 1, "polls": 2, "polls_failed": 2}, None),
    ],
    ids=["nothing due", "one worker lost", "all workers lost", "half", "more than half", "too few to tell"],
)
def test_when_the_run_is_red(code, workers, counts, verdict):
    told = code.judge(workers, counts)
    assert (verdict is None and told is None) or verdict in told


@pytest.fixture(scope="module")
def finished(dag, airflow_database, tmp_path_factory):
    """One run of the DAG over the sample newsroom, and a second one with nothing due."""
    database = tmp_path_factory.mktemp("dag") / "news.db"
    with pytest.MonkeyPatch.context() as environment, Newsroom() as newsroom:
        environment.setenv("NEWS_DATABASE_URL", f"sqlite:///{database}")
        environment.setenv("NEWS_RESOLVE", "*.newsroom.example=127.0.0.1")
        environment.setenv("NEWS_ALLOW_NETWORKS", "127.0.0.0/8")
        environment.setenv("NEWS_HOST_DELAY", "0")
        environment.setenv("NEWS_CONCURRENCY", "2")
        subscribe(f"sqlite:///{database}", newsroom)
        run = dag.test(run_conf={"workers": 2, "poll_all": True})
        asked = len(newsroom.requests)
        # dag.test() leaves what it was given in the DAG's params: said again, each is what it would be by itself.
        second = dag.test(run_conf={"workers": 4, "poll_all": False})
        yield SimpleNamespace(run=run, second=second, newsroom=newsroom, asked=asked, database=database)


def test_a_run_over_the_newsroom_is_green_with_more_than_one_worker(finished):
    assert finished.run.state == "success"
    tasks = {(task.task_id, task.map_index): task for task in finished.run.get_task_instances()}
    assert {key: task.state for key, task in tasks.items()} == {
        ("plan", -1): "success",
        ("ingest", 0): "success",
        ("ingest", 1): "success",
        ("report", -1): "success",
    }
    assert [tasks["ingest", n].rendered_map_index for n in range(2)] == ["worker 1 of 2", "worker 2 of 2"]


def test_every_article_of_the_newsroom_is_stored_once(finished):
    expected = {told["url"] for told in finished.newsroom.expected()}
    stored = [url for (url,) in ask(finished, "SELECT url FROM article")]
    assert sorted(stored) == sorted(expected)


def test_no_claim_is_left(finished):
    for table in ("host", "feed", "page"):
        assert ask(finished, f"SELECT count(*) FROM {table} WHERE lease_owner IS NOT NULL") == [(0,)]


def test_the_report_adds_up_what_the_archive_holds(finished):
    counts = result(finished.run, "report")
    assert counts["workers"] == 2
    assert counts["polls"] == len(finished.newsroom.feed_urls)
    assert [(counts["new"] + counts["duplicate"],)] == ask(finished, "SELECT count(*) FROM article")


def test_the_asset_is_told_the_counts_and_the_hour(finished):
    extra = asset_events(finished.run)[0]
    counts = result(finished.run, "report")
    assert {name: extra[name] for name in counts} == counts
    start, end = (datetime.fromisoformat(extra[f"data_interval_{name}"]) for name in ("start", "end"))
    assert end - start == timedelta(hours=1)


def test_a_run_with_nothing_due_is_green_and_asks_nobody(finished):
    assert finished.second.state == "success"
    assert {task.task_id: task.state for task in finished.second.get_task_instances()} == {
        "plan": "success",
        "ingest": "skipped",
        "report": "success",
    }
    assert len(finished.newsroom.requests) == finished.asked
    assert result(finished.second, "report") == {"workers": 0}


def subscribe(url, newsroom):
    """A new archive that is subscribed to all feeds of the newsroom."""
    engine = open_engine(url)
    upgrade_schema(engine)
    feeds = [Subscription(feed) for feed in newsroom.feed_urls]
    write(engine, add_feeds, feeds, datetime.now(UTC), Settings().poll_interval)
    engine.dispose()


def ask(finished, sql):
    """What the archive answers."""
    with closing(sqlite3.connect(finished.database)) as connection:
        return connection.execute(sql).fetchall()


def result(run, task):
    """What a task returned."""
    return run.get_task_instance(task).xcom_pull(task_ids=task)


def _moment(hour, minute):
    import pendulum  # what Airflow's timetables count with

    return pendulum.datetime(2026, 11, 22, hour, minute)


def _made(error):
    """An exception of the class, made without its constructor where only the name is given."""
    if isinstance(error, str):
        from airflow.sdk.module_loading import import_string

        kind = import_string(error)
        return kind.__new__(kind)
    return error
