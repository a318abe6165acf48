"""`news watch` as a process of its own: what falls due is taken up, and it starts, lives and ends as services do."""

import signal
import socket
import threading
import time
import uuid
from importlib.util import find_spec

import psutil
import pytest
import sqlalchemy as sa

from pipeline.ingest.service_manager import ServiceManager
from pipeline.store.schema.tables import ArticleRow, FeedRow, HostRow, PageRow, PollRow
from tests.support.hub import Hub
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page, title
from tests.support.watching import Manager, read_until, wait_until, watching
from tests.support.web import Web, page, validated

PATIENCE = {"NEWS_DATABASE_PATIENCE": "0.5"}
"""Where a test takes the database away, it is soon taken for away."""


@pytest.fixture
def newsroom(database_url):
    """On each database in turn."""
    yield from open_newsroom(database_url)


@pytest.fixture
def local(sqlite_url):
    """The same where the database makes no difference."""
    yield from open_newsroom(sqlite_url)


def open_newsroom(url):
    with Web() as web:
        pipeline = Pipeline(web, url)
        yield pipeline
        pipeline.engine.dispose()


@pytest.fixture
def manager(tmp_path):
    return Manager(str(tmp_path / "notify"))


def stored(newsroom):
    return [row["title"] for row in newsroom.rows(ArticleRow)]


def make_due(newsroom):
    with newsroom.engine.begin() as connection:
        connection.execute(sa.update(FeedRow).values(next_poll_at=newsroom.now()))


def test_it_takes_up_what_falls_due_and_feeds_that_are_added_and_ends_in_order(newsroom, manager):
    newsroom.serve_stories(1)
    with watching(newsroom, manager) as run:
        wait_until(lambda: stored(newsroom) == [title(1)])
        newsroom.serve_stories(2, feed="/other.xml")  # subscribed to while it runs
        wait_until(lambda: len(stored(newsroom)) == 2)
        newsroom.web.routes["/3"] = page(article_page(3))
        newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(1, 3), XML)
        readers = children(run)
        make_due(newsroom)
        wait_until(lambda: len(stored(newsroom)) == 3)
        assert readers
        assert children(run) == readers  # no process was started for the later articles
        manager.wait_for("WATCHDOG=1", manager.heard.count("WATCHDOG=1") + 1)
        run.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        printed, said = run.communicate()
    assert run.returncode == 0, said
    assert [line.split()[1:] for line in printed.splitlines()[:3]] == [
        ["new", newsroom.web.url(f"/{number}")] for number in (1, 2, 3)
    ]
    assert [row["leased_until"] for table in (FeedRow, PageRow, HostRow) for row in newsroom.rows(table)].count(
        None
    ) == (sum(len(newsroom.rows(table)) for table in (FeedRow, PageRow, HostRow)))


def children(run):
    return {child.pid for child in psutil.Process(run.pid).children(recursive=True)}


def test_an_abstract_socket_is_told_too():
    manager = Manager(f"@news-test-{uuid.uuid4()}")  # it lives as long as this process, which has other tests
    ServiceManager({"NOTIFY_SOCKET": manager.name}).tell(READY=1)
    manager.wait_for("READY=1")


def test_what_is_under_way_is_stored_at_the_first_signal_and_given_back_at_the_second(local, manager):
    reached, go_on = threading.Event(), threading.Event()

    def slow(request):
        reached.set()
        go_on.wait()
        return page(article_page(1))(request)

    local.serve_stories(1)
    local.web.routes["/1"] = slow
    with watching(local, manager) as run:
        reached.wait()
        run.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        go_on.set()
        assert run.wait() == 0
    assert stored(local) == [title(1)]

    reached.clear()
    go_on.clear()
    local.web.routes["/2"] = lambda request: slow(request)
    local.web.routes["/feed.xml"] = page(local.feed_of(1, 2), XML)
    make_due(local)
    with watching(local, manager) as run:
        reached.wait()
        run.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert run.poll() is None
        run.send_signal(signal.SIGTERM)
        assert run.wait() == 128 + signal.SIGTERM
        go_on.set()
    assert local.page("/2")["leased_until"] is None
    assert local.page("/2")["attempts"] == 0


def test_sighup_reads_the_settings_anew_and_wrong_ones_change_nothing(local, manager, tmp_path):
    local.serve_stories(1)
    file = tmp_path / "settings.toml"
    file.write_text('user_agent = "before"\n')
    with watching(local, manager, NEWS_CONFIG=str(file)) as run:
        wait_until(lambda: stored(local))
        file.write_text('timeout = "soon"\n')
        run.send_signal(signal.SIGHUP)
        read_until(run.stderr, "those of before hold")
        file.write_text('user_agent = "after"\n')
        run.send_signal(signal.SIGHUP)
        manager.wait_for("READY=1", 2)
        assert manager.heard.count("RELOADING=1") == 1
        make_due(local)
        wait_until(lambda: len(local.rows(PollRow)) == 2)
        run.send_signal(signal.SIGINT)
        assert run.wait() == 0
    agents = [request.headers["user-agent"].split()[0] for request in local.web.asked("/feed.xml")]
    assert agents == ["before", "after"]


def test_a_killed_one_loses_nothing_and_the_next_goes_on_at_once(newsroom, manager):
    reached, go_on = threading.Event(), threading.Event()

    def slow(request):
        reached.set()
        go_on.wait()
        return validated(article_page(2), '"2"')(request)

    newsroom.serve_stories(1, 2, 3)
    newsroom.web.routes["/2"] = slow
    with watching(newsroom, manager) as run:
        reached.wait()
        run.kill()
        run.wait()
    go_on.set()
    with watching(newsroom, manager):
        wait_until(lambda: len(stored(newsroom)) == 3)
    assert sorted(stored(newsroom)) == [title(number) for number in (1, 2, 3)]


def test_pushes_of_hubs_are_taken_in_the_same_process(local, manager):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Hub() as hub:
        link = {"Link": f'<{hub.url}>; rel="hub", <{local.web.url("/feed.xml")}>; rel="self"'}
        local.serve_stories(1)
        local.web.routes["/feed.xml"] = page(local.feed_of(1), XML, **link)
        local.ingest()
        callback = f"http://127.0.0.1:{port}/hooks"
        with watching(local, manager, "--push-port", str(port), NEWS_WEBSUB_CALLBACK=callback):
            wait_until(lambda: hub.active)
            local.web.routes["/2"] = page(article_page(2))
            local.web.routes["/feed.xml"] = page(local.feed_of(1, 2), XML, **link)
            with local.engine.begin() as connection:  # the last poll was longer ago than a push has to wait
                connection.execute(sa.update(FeedRow).values(last_polled_at=FeedRow.created_at))
            assert hub.publish(local.web.url("/feed.xml"), b"new", XML) == [202]
            wait_until(lambda: len(stored(local)) == 2)


def test_sighup_with_rules_or_an_address_that_do_not_open_changes_nothing(local, manager, tmp_path):
    local.serve_stories(1)
    file, rules = tmp_path / "settings.toml", tmp_path / "rules"
    rules.mkdir()
    file.write_text(f'rules_dir = "{rules}"\n')
    with watching(local, manager, NEWS_CONFIG=str(file)) as run:
        wait_until(lambda: stored(local))
        (rules / "wrong.toml").write_text("no rule")
        run.send_signal(signal.SIGHUP)
        read_until(run.stderr, "those of before hold")
        (rules / "wrong.toml").unlink()
        wrong_ones = [f'archive_url = "{file}/raw"', 'websub_callback = "no address"']
        if find_spec("prometheus_client"):  # nobody else looks at this address
            wrong_ones.append('metrics_address = "no address"')
        for wrong in wrong_ones:
            file.write_text(f"{wrong}\n")
            run.send_signal(signal.SIGHUP)
            read_until(run.stderr, "those of before hold")
        manager.wait_for("READY=1", 2)
        local.web.routes["/2"] = page(article_page(2))
        local.web.routes["/feed.xml"] = page(local.feed_of(1, 2), XML)
        make_due(local)
        wait_until(lambda: len(stored(local)) == 2)
        run.send_signal(signal.SIGTERM)
        assert run.wait() == 0


@pytest.mark.postgres
def test_a_database_that_is_away_is_told_to_the_manager_and_the_log(postgres_url, manager, tmp_path):
    name, file = sa.make_url(postgres_url).database, tmp_path / "settings.toml"
    file.write_text('user_agent = "before"\n')
    with Web() as web:
        newsroom = Pipeline(web, postgres_url)
        server = sa.create_engine(sa.make_url(postgres_url).set(database="postgres"), isolation_level="AUTOCOMMIT")
        with watching(newsroom, manager, NEWS_CONFIG=str(file), **PATIENCE) as run, server.connect() as connection:
            newsroom.engine.dispose()
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            connection.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
            said = read_until(run.stderr, "outcome=away")
            manager.wait_for("STATUS=the database is away; it is tried again")
            assert "unhandled errors" not in said
            file.write_text('user_agent = "after"\n')
            run.send_signal(signal.SIGHUP)  # nothing can be opened now, by these settings or others
            manager.wait_for("RELOADING=1")
            manager.wait_for("STATUS=the database is away; it is tried again", 3)
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            manager.wait_for("READY=1", 2)
            newsroom.serve_stories(1)
            wait_until(lambda: stored(newsroom))
            run.send_signal(signal.SIGTERM)
            assert run.wait() == 0
        server.dispose()
        assert {request.headers["user-agent"].split()[0] for request in web.asked("/feed.xml")} == {"after"}
        newsroom.engine.dispose()


@pytest.mark.postgres
def test_it_goes_on_when_the_database_comes_back(postgres_url, manager):
    with Web() as web:
        newsroom = Pipeline(web, postgres_url)
        newsroom.serve_stories(1)
        server = sa.create_engine(sa.make_url(postgres_url).set(database="postgres"), isolation_level="AUTOCOMMIT")
        with watching(newsroom, manager, NEWS_DATABASE_PATIENCE="3600"), server.connect() as connection:
            wait_until(lambda: stored(newsroom))
            newsroom.engine.dispose()
            name = sa.make_url(postgres_url).database
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            connection.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
            manager.heard.clear()
            manager.wait_for("WATCHDOG=1", 2)  # however long it is to be tried again
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            newsroom.web.routes["/2"] = page(article_page(2))
            newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(1, 2), XML)
            make_due(newsroom)
            wait_until(lambda: len(stored(newsroom)) == 2)
        server.dispose()
        newsroom.engine.dispose()
