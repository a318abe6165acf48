"""`ingest_stream`: what it is fired by, how often, and what it does beside other runs."""

import asyncio
import os
import time
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.store.connection.engine import write
from pipeline.store.frontier.hosts import lease_host
from pipeline.store.schema.tables import BackfillJobRow, FeedRow, PageRow
from tests.support.newsroom import Pipeline
from tests.support.watching import wait_until
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
    """Starts a trigger, as the triggerer makes it from the DAG; the times of its events, so many or within so long."""
    from airflow.sdk.module_loading import import_string

    (asset,) = bag.dags["ingest_stream"].timetable.asset_condition.objects
    (watcher,) = asset.watchers
    path, _ = watcher.trigger.serialize()

    def start(events=None, seconds=None, beside=None, **options):
        async def listen():
            times = []
            helper = beside and asyncio.create_task(asyncio.to_thread(beside))
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for _ in import_string(path)(look=0.1, **options).run():
                        times.append(time.monotonic())
                        if len(times) == events:
                            break
            if helper:
                await helper
            return times

        return asyncio.run(listen())

    return start


def serve_what_is_due_since(newsroom, **ago):
    newsroom.ahead = -timedelta(**ago)
    newsroom.serve_stories(1)
    newsroom.ahead = timedelta(0)


def hold(newsroom, table, which, **values):
    """Have somebody hold these feeds or pages."""
    held = {"leased_until": newsroom.now() + timedelta(minutes=5), "lease_owner": "somebody"}
    with newsroom.engine.begin() as connection:
        connection.execute(sa.update(table).where(which).values(**held, **values))


def test_it_is_fired_while_something_is_due_and_not_more_often_than_its_floor(newsroom, fired):
    assert fired(seconds=0.4) == []
    serve_what_is_due_since(newsroom, seconds=10)
    first, second = fired(events=2, floor=0.6)
    assert second - first >= 0.6
    newsroom.ingest()
    assert fired(seconds=0.4) == []


def test_it_is_fired_beside_a_worker_only_for_what_that_leaves_waiting(newsroom, fired):
    serve_what_is_due_since(newsroom, seconds=10)
    newsroom.subscribe("/other.xml", host="localhost")
    hold(newsroom, FeedRow, FeedRow.url == newsroom.web.url("/other.xml", host="localhost"))
    assert fired(seconds=0.4) == []
    assert len(fired(events=1, late=5.0)) == 1


def test_it_is_fired_at_once_beside_a_backfill(newsroom, fired):
    serve_what_is_due_since(newsroom, seconds=10)
    write(newsroom.engine, lease_host, "old.example", "somebody", newsroom.now(), timedelta(minutes=5))
    with newsroom.engine.begin() as connection:
        job = connection.execute(
            sa.insert(BackfillJobRow).values(source="sitemap", targets=[], options={}, created_at=newsroom.now())
        ).inserted_primary_key[0]
        connection.execute(
            sa.insert(PageRow).values(
                url="http://old.example/1",
                host="old.example",
                state="queued",
                discovered_at=newsroom.now(),
                backfill_id=job,
            )
        )
    hold(newsroom, PageRow, PageRow.backfill_id == job)
    assert len(fired(events=1)) == 1
    hold(newsroom, PageRow, sa.true(), backfill_id=None)
    assert fired(seconds=0.4) == []


def test_an_archive_that_cannot_be_read_is_looked_at_again(newsroom, fired, monkeypatch, tmp_path):
    serve_what_is_due_since(newsroom, seconds=10)
    there = os.environ["NEWS_DATABASE_URL"]
    monkeypatch.setenv("NEWS_DATABASE_URL", f"sqlite:///{tmp_path / 'without-tables.db'}")

    def mend():
        wait_until((tmp_path / "without-tables.db").exists)  # it has been looked at
        time.sleep(0.3)
        monkeypatch.setenv("NEWS_DATABASE_URL", there)

    assert len(fired(events=1, beside=mend)) == 1


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


def test_one_run_that_is_lost_does_not_hold_up_another_and_it_is_off_until_it_is_wanted(bag):
    dag = bag.dags["ingest_stream"]
    assert (dag.max_active_runs, dag.is_paused_upon_creation) == (2, True)


def test_every_dag_says_what_it_is_and_whose(bag):
    assert bag.import_errors == {}
    for dag in bag.dags.values():
        assert dag.description, dag.dag_id
        assert {task.owner for task in dag.tasks} == {"news"}, dag.dag_id
        assert dag.doc_md, dag.dag_id
