"""Who is told when something is wrong, and that `watch_health` sees it."""

import json
import logging

import pytest
import sqlalchemy as sa
import structlog

from pipeline.store.connection.engine import open_engine
from pipeline.store.schema.tables import FeedRow
from tests.support.newsroom import Pipeline
from tests.support.web import Web

TOLD = []


def notifier(**arguments):
    """A notifier as NEWS_ALERTS names them: made with its arguments, called with Airflow's context."""
    return lambda context: TOLD.append((arguments, str(context["exception"])))


def broken(**arguments):
    raise RuntimeError("out of order")


@pytest.fixture
def health(bag, airflow_database, sqlite_url, monkeypatch):
    """Runs `watch_health` over an archive with one feed that was polled just now."""
    monkeypatch.setenv("NEWS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("NEWS_CHECK_DISK", "0,0")
    here = [["tests.dags.test_alerts.broken", {}], ["tests.dags.test_alerts.notifier", {"to": "desk"}]]
    monkeypatch.setenv("NEWS_ALERTS", json.dumps(here))
    TOLD.clear()
    with Web() as web:
        newsroom = Pipeline(web, sqlite_url)
        newsroom.serve_stories(1)
        newsroom.ingest()
        newsroom.engine.dispose()
    return lambda **conf: bag.dags["watch_health"].test(run_conf=conf).state


def test_an_archive_that_is_well_is_green(health):
    assert health() == "success"
    assert TOLD == []


def test_what_is_wrong_is_told_to_every_notifier_and_the_log(health, sqlite_url, caplog):
    engine = open_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(sa.update(FeedRow).values(state="gone"))
    engine.dispose()
    assert health() == "success"  # one feed that is gone is a warning
    with caplog.at_level(logging.ERROR, logger="news.alerts"):
        assert health(level="warning") == "failed"
    assert TOLD == [({"to": "desk"}, "warning gone_feeds: 1 feeds are gone")]
    told = [record.getMessage() for record in caplog.records if record.name == "news.alerts"]
    assert told[0] == "warning gone_feeds: 1 feeds are gone"
    assert told[1].startswith("The notifier tests.dags.test_alerts.broken failed")


def end_run(bag, dag_id, reason):
    """What the dag-processor does where the scheduler says that a run has failed."""
    from airflow.callbacks.callback_requests import DagCallbackRequest
    from airflow.dag_processing.processor import _execute_dag_callbacks

    request = DagCallbackRequest(
        filepath="",
        bundle_name="",
        bundle_version=None,
        dag_id=dag_id,
        run_id="r",
        is_failure_callback=True,
        msg=reason,
    )
    _execute_dag_callbacks(bag, request, structlog.get_logger())


@pytest.mark.parametrize("dag_id", ["export_daily", "ingest_hourly", "ingest_stream", "watch_health", "watch_volume"])
def test_runs_whose_time_is_up_are_told_of_and_others_by_their_tasks_alone(bag, monkeypatch, dag_id):
    monkeypatch.setenv("NEWS_ALERTS", json.dumps([["tests.dags.test_alerts.notifier", {"to": "desk"}]]))
    TOLD.clear()
    end_run(bag, dag_id, "task_failure")
    assert TOLD == []
    end_run(bag, dag_id, "timed_out")
    limit = bag.dags[dag_id].dagrun_timeout
    assert [({"to": "desk"}, f"{dag_id}: the run took longer than {limit}")] == TOLD


@pytest.mark.parametrize(
    ("dag_id", "task"),
    [("ingest_hourly", "report"), ("watch_health", "check"), ("watch_volume", "compare"), ("export_daily", "export")],
)
def test_a_task_that_nobody_follows_up_is_told_of_when_it_fails(bag, dag_id, task):
    from dags.alerts import alert

    assert alert in bag.dags[dag_id].get_task(task).on_failure_callback
