"""The pages of the archive in Airflow's API server: nothing without a login, no action for who may only look."""

import re

import pytest
from starlette.testclient import TestClient

from pipeline.store.schema.tables import FeedRow
from pipeline.web.application import ROUTES
from tests.support.newsroom import Pipeline
from tests.support.stories import title
from tests.support.web import Web

VALUES = {"{article_id:int}": "1", "{feed_id:int}": "1", "{site}": "127.0.0.1", "{number:int}": "1"}


def paths(method):
    """Of all routes that take this method, with values for what stands in braces."""
    routes = [route for route in ROUTES if method in (getattr(route, "methods", None) or ())]
    return ["/news" + re.sub(r"\{.*?\}", lambda match: VALUES.get(match[0], "1"), route.path) for route in routes]


@pytest.fixture(scope="module")
def server(airflow_database):
    """Airflow's API server with its plugins, in this process."""
    from airflow.api_fastapi.app import create_app

    return create_app(apps="core")


@pytest.fixture
def newsroom(sqlite_url, monkeypatch):
    monkeypatch.setenv("NEWS_DATABASE_URL", sqlite_url)
    with Web() as web:
        pipeline = Pipeline(web, sqlite_url)
        pipeline.serve_stories(1)
        pipeline.ingest()
        yield pipeline
        pipeline.engine.dispose()


@pytest.fixture
def ask(server, newsroom):
    """Makes a client for somebody of a role; empty for who has a login and no role, None for nobody."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.plugins_manager import get_fastapi_plugins

    (pages,) = [app["app"] for app in get_fastapi_plugins()[0] if app["name"] == "News archive"]
    pages._app._app = None  # the archive of this test

    def client(role):
        cookies = {}
        if role is not None:
            user = SimpleAuthManagerUser(username=role or "guest", role=role or None)
            cookies["_token"] = get_auth_manager().generate_jwt(user)
        return TestClient(server, cookies=cookies, follow_redirects=False)

    return client


def test_every_path_is_refused_without_a_login(ask):
    nobody = ask(None)
    for path in (*paths("GET"), "/news/static/news.js", "/news/nowhere", "/news/static/../articles"):
        assert nobody.get(path).status_code == 401, path
    for path in paths("POST"):
        assert nobody.post(path, data={"form_token": "x"}).status_code == 401, path
    sent = nobody.get("/news/articles", headers={"Accept": "text/html"})
    assert sent.status_code == 303
    assert "/login" in sent.headers["location"]
    nobody.cookies.set("_token", "forged")
    assert nobody.get("/news/articles").status_code in {401, 403}
    assert nobody.get("/news/articles", headers={"Authorization": "Bearer forged"}).status_code in {401, 403}


def test_who_may_not_see_the_dag_sees_nothing(ask):
    guest = ask("")
    for path in (*paths("GET"), "/news/static/news.js"):
        assert guest.get(path).status_code == 403, path


def test_who_may_see_the_dag_reads_and_no_action_of_theirs_works(ask, newsroom):
    viewer = ask("viewer")
    page = viewer.get("/news/articles")
    assert page.status_code == 200
    assert title(1) in page.text
    viewer.cookies.set("news_form", "of their own making")  # where a page has no form for them, none is given
    for path in paths("POST"):
        if path not in {"/news/login", "/news/logout"}:
            refused = viewer.post(path, data={"form_token": "of their own making", "sure": "yes"})
            assert (refused.status_code, "change nothing" in refused.text) == (403, True), path
    (feed,) = newsroom.rows(FeedRow)
    assert feed["state"] == "active"


def test_who_may_start_the_dag_may_act(ask, newsroom):
    user = ask("user")
    token = re.search(r'name="form_token" value="([^"]+)"', user.get("/news/feeds/1").text)[1]
    done = user.post("/news/feeds/1/pause", data={"form_token": token})
    assert (done.status_code, done.headers["location"]) == (303, "/news/feeds/1")
    (feed,) = newsroom.rows(FeedRow)
    assert feed["state"] == "paused"
    assert user.post("/news/feeds/1/resume", data={"form_token": "another"}).status_code == 403


def test_airflow_has_it_in_its_navigation(ask):
    told = ask("viewer").get("/api/v2/plugins?limit=100").json()
    (plugin,) = [plugin for plugin in told["plugins"] if plugin["name"] == "news_archive"]
    (view,) = plugin["external_views"]
    assert (view["name"], view["href"], view["destination"]) == ("News archive", "/news/", "nav")


def test_an_archive_that_cannot_be_opened_is_said_so_and_tried_again(ask, newsroom, monkeypatch, tmp_path):
    viewer, right = ask("viewer"), newsroom.url
    monkeypatch.setenv("NEWS_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    answer = viewer.get("/news/")
    assert (answer.status_code, "cannot be opened" in answer.text) == (503, True)
    monkeypatch.setenv("NEWS_DATABASE_URL", right)
    assert viewer.get("/news/").status_code == 200


def test_a_server_of_the_archive_that_is_away_is_said_so(ask, monkeypatch):
    viewer = ask("viewer")
    monkeypatch.setenv("NEWS_DATABASE_URL", "postgresql+psycopg://news@127.0.0.1:1/news")
    assert viewer.get("/news/").status_code == 503


def test_pages_read_as_the_role_that_may_only_read(ask, newsroom, monkeypatch):
    from airflow.plugins_manager import get_fastapi_plugins

    viewer = ask("viewer")
    monkeypatch.setenv("NEWS_READ_DATABASE_URL", f"{newsroom.url}?timeout=7")
    assert viewer.get("/news/articles").status_code == 200
    (pages,) = [app["app"] for app in get_fastapi_plugins()[0] if app["name"] == "News archive"]
    assert pages._app._app.state.context.reader.url.query == {"timeout": "7"}
