"""Who may see the pages, and what their browsers are told: names, login, headers, tokens of forms."""

import re

import pytest

pytest.importorskip("starlette", reason="the pages need the extra web")
pytest.importorskip("itsdangerous", reason="the pages need the extra web")

from click.testing import CliRunner

from pipeline.cli import main
from pipeline.config import Settings
from pipeline.web.application import create_app
from pipeline.web.guard import HEADERS, LOOPBACK
from tests.support.pages import client, form_token

TOKEN = "a token of thirty characters.."


def test_every_answer_has_the_headers_that_keep_strangers_scripts_out(engine):
    asked = client(engine)
    for path in ("/", "/articles", "/articles?format=json", "/nowhere", "/static/news.js", "/articles?limit=x"):
        answer = asked.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize("path", ["/", "/articles", "/login"])
def test_pages_hold_no_script_and_no_style_of_their_own(engine, path):
    page = client(engine).get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page) == []


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""])
def test_another_name_that_leads_here_is_refused(engine, host):
    assert client(engine).get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8766", "[::1]:8766", "LOCALHOST:1", "news.example.org"])
def test_the_names_that_are_known_are_answered(engine, host):
    asked = client(engine, hosts=(*LOOPBACK, "news.example.org"))
    assert asked.get("/", headers={"Host": host}).status_code == 200


def test_nothing_is_shown_before_the_login(engine):
    asked = client(engine, token=TOKEN)
    for path in ("/", "/articles?format=csv", "/articles/1", "/nowhere"):
        assert asked.get(path).status_code == 401
    sent = asked.get("/articles?q=port", headers={"Accept": "text/html"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/articles%3Fq%3Dport")


def test_the_token_lets_in_and_logging_out_ends_it(engine):
    asked = client(engine, token=TOKEN)
    form = {"form_token": form_token(asked.get("/login")), "next": "/articles"}
    refused = asked.post("/login", data={**form, "token": TOKEN.upper()})
    assert refused.status_code == 403
    entered = asked.post("/login", data={**form, "token": TOKEN})
    assert (entered.status_code, entered.headers["location"]) == (303, "/articles")
    assert TOKEN not in str(entered.headers)
    assert "httponly" in entered.headers["set-cookie"].lower()
    assert "samesite=strict" in entered.headers["set-cookie"].lower()
    page = asked.get("/articles")
    assert page.status_code == 200
    asked.post("/logout", data={"form_token": form_token(page)})
    assert asked.get("/articles").status_code == 401


def test_a_program_gives_the_token_as_a_bearer(engine):
    asked = client(engine, token=TOKEN)
    assert asked.get("/articles?format=json", headers={"Authorization": f"Bearer {TOKEN}"}).json() == []
    assert asked.get("/articles?format=json", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("next_", ["//evil.example", "/\\evil.example", "https://evil.example", ""])
def test_the_login_leads_nowhere_else(engine, next_):
    asked = client(engine, token=TOKEN)
    form = {"form_token": form_token(asked.get("/login")), "next": next_, "token": TOKEN}
    assert asked.post("/login", data=form).headers["location"] == "/"


def test_a_forged_cookie_does_not_log_in(engine):
    asked = client(engine, token=TOKEN)
    for forged in ("reader", "reader.abc.def", ""):
        assert asked.get("/", cookies={"news_login": forged}).status_code == 401


def test_the_pages_work_below_a_path(engine):
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.testclient import TestClient

    app = Starlette(routes=[Mount("/news", create_app(engine, Settings()))])
    asked = TestClient(app)
    page = asked.get("/news/articles")
    assert page.status_code == 200
    links = set(re.findall(r'(?:href|src|action)="([^"#]+)"', page.text))
    assert links
    assert {link for link in links if not link.startswith("/news")} == set()
    assert asked.get("/news/static/news.css").status_code == 200
    assert "Path=/news" in page.headers["set-cookie"]


@pytest.mark.parametrize(
    ("bind", "token", "why"),
    [("0.0.0.0", "", "NEWS_WEB_TOKEN"), ("::", "", "NEWS_WEB_TOKEN"), ("127.0.0.1", "short", "guessed")],
)
def test_it_does_not_listen_where_others_could_come_in(sqlite_url, bind, token, why):
    env = {"NEWS_DATABASE_URL": sqlite_url, "NEWS_WEB_TOKEN": token}
    done = CliRunner().invoke(main, ["serve", "--bind", bind, "--port", "0"], env=env)
    assert done.exit_code == 2
    assert why in done.output


def test_the_token_is_not_shown_among_the_settings():
    done = CliRunner().invoke(main, ["config"], env={"NEWS_WEB_TOKEN": TOKEN})
    assert TOKEN not in done.output
