"""`ingest_stream`: what it is fired by, how often, and what it does beside other runs."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest

from pipeline.store.schema.tables import FeedRow
from tests.support.newsroom import Pipeline
from tests.support.web import Web


@pytest.fixture
def newsroom(sqlite_url, monkeypatch):
    monkeypatch.setenv("NEWS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("NEWS_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("NEWS_HOST_DELAY", "0")
    monkeypatch.setenv("NEWS_JOBS", "1")
    monkeypatch.setenv("NEWS_MIN_POLL_INTERVAL", "3600")
    with Web() as web:
        pipeline = Pipeline(web, sqlite_url)
        yield pipeline
        pipeline.engine.dispose()


@pytest.fixture
def fired(bag):
    """Starts a trigger, as the triggerer makes it from the DAG; its events come into a list with their times."""
    from airflow.sdk.module_loading import import_string

    (asset,) = bag.dags["ingest_stream"].timetable.asset_condition.objects
    (watcher,) = asset.watchers
    path, _ = watcher.trigger.serialize()

    def start(seconds, **options):
        async def listen():
            events = []

            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for _ in import_string(path)(**options).run():
                        events.append(time.monotonic())  # noqa: PERF401  # until the time is up
            return events

        return asyncio.run(listen())

    return start


def test_it_is_fired_while_something_is_due_and_not_more_often_than_its_floor(newsroom, fired):
    assert fired(1.0, look=0.1, floor=0.3) == []
    newsroom.serve_stories(1)
    events = fired(2.5, look=0.1, floor=0.6)
    assert len(events) >= 2
    assert all(later - earlier >= 0.6 for earlier, later in pairwise(events))
    newsroom.ingest()
    assert fired(1.0, look=0.1, floor=0.3) == []


def test_an_archive_that_cannot_be_read_is_looked_at_again(newsroom, fired, monkeypatch):
    newsroom.serve_stories(1)
    monkeypatch.setenv("NEWS_DATABASE_URL", "sqlite:////nowhere/news.db")
    assert fired(0.5, look=0.1, floor=0.3) == []


def test_a_run_does_what_is_due_and_beside_another_nothing_twice(bag, airflow_database, newsroom):
    newsroom.serve_stories(1, 2)
    run = bag.dags["ingest_stream"].test()
    assert run.state == "success"
    counts = run.get_task_instance("ingest").xcom_pull(task_ids="ingest")
    assert (counts["polls"], counts["new"]) == (1, 2)
    again = bag.dags["ingest_stream"].test()
    counts = again.get_task_instance("ingest").xcom_pull(task_ids="ingest")
    assert (counts["polls"], counts["pages"]) == (0, 0)
    (feed,) = newsroom.rows(FeedRow)
    assert feed["next_poll_at"] - feed["last_polled_at"] >= timedelta(hours=1)  # the next run may begin at once


def test_one_run_at_a_time_that_is_off_until_it_is_wanted(bag):
    dag = bag.dags["ingest_stream"]
    assert (dag.max_active_runs, dag.is_paused_upon_creation) == (1, True)


def test_every_dag_says_what_it_is_and_whose(bag):
    assert bag.import_errors == {}
    for dag in bag.dags.values():
        assert dag.description, dag.dag_id
        assert {task.owner for task in dag.tasks} == {"news"}, dag.dag_id
        assert dag.doc_md, dag.dag_id
