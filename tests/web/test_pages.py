"""Each page in each of its forms, over an archive of hostile articles; no action without a token, or a right."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest

pytest.importorskip("starlette", reason="the pages need the extra web")
pytest.importorskip("itsdangerous", reason="the pages need the extra web")

import sqlalchemy as sa
from lxml import html
from starlette.routing import Route

from pipeline.config import Settings
from pipeline.errors import FetchError
from pipeline.model import Entry, Subscription
from pipeline.schedule.pages import after_error
from pipeline.store.articles.learned_boilerplate import judge_block
from pipeline.store.backfill.jobs import BackfillRequest, open_job
from pipeline.store.connection.readonly import only_reading, run_readonly_query
from pipeline.store.feeds.subscriptions import add_feeds, edit_feed
from pipeline.store.frontier.page_outcomes import record_page
from pipeline.store.schema.tables import FeedRow, PageRow, SiteBlockRow
from pipeline.store.search.in_sql import put_searches
from pipeline.web.application import ROUTES
from pipeline.web.web_context import CSRF_FIELD
from tests.support.archive import HOUR, NOW, POLICY, Archive
from tests.support.pages import Reader, form_token, text_of
from tests.support.recording import on_sqlite

HOSTILE = (
    '"><script>alert(1)</script><img src=//evil.example/x onerror=alert(1)> {{ 7 * 7 }} \u202egpj\x1b[2J'
    "</textarea><style>*{display:none}</style>' onmouseover='alert(1)"
)
LISTS = ["/articles", "/feeds", "/polls", "/entries", "/sources", "/ledger", "/backfills", "/boilerplate"]
LISTS += ["/boilerplate/news.example", "/ledger/reasons", "/articles?q=port"]
PAGES = ["/", *LISTS, "/articles/1", "/feeds/1", "/backfills/1"]


@pytest.fixture
def archive(engine):
    """Articles, a story, a failed page, feeds, a judged block and a backfill, all with texts that want to be more."""
    archive = Archive(engine)
    odd = {
        "title": HOSTILE,
        "authors": (HOSTILE,),
        "tags": (HOSTILE,),
        "section": HOSTILE,
        "image": "javascript:alert(1)",
    }
    archive.store("https://news.example/1", text=f"The port {HOSTILE}", published_at=NOW, **odd)
    archive.store("https://two.example/2", site="two.example", now=NOW + HOUR, text=f"The port {HOSTILE}")
    dated = {"now": NOW + HOUR, "published_at": NOW - 13 * HOUR}
    archive.store("https://two.example/3", site="two.example", text="Other.", language="de", **dated)
    archive.poll(Entry(guid="d", url="https://news.example/d", title=HOSTILE), now=NOW)
    page = archive.claim(host="news.example")
    error = FetchError(page.url, "http_404", HOSTILE, temporary=False, status=404)
    archive(record_page, page, "w", after_error(page, error, NOW, POLICY), NOW)
    archive(add_feeds, [Subscription(url="https://odd.example/\"'><script>alert(1)</script>")], NOW, HOUR)
    archive(edit_feed, 1, HOSTILE, [HOSTILE])
    archive(judge_block, "news.example", None, f"Read more of the news {HOSTILE}", "dropped", NOW)
    for text in ("Read more of the town.", "Read more of the port.", "Write to us, and we shall write to you."):
        archive(judge_block, "two.example", None, text, "kept", NOW)
    for target in ("https://two.example/s.xml", HOSTILE):
        archive(open_job, BackfillRequest("sitemap", (target,)), [("sitemap", "https://news.example/s.xml")], NOW)
    return archive


@pytest.fixture
def reader(archive):
    return Reader(archive.engine)


@pytest.mark.parametrize("path", PAGES)
def test_what_strangers_wrote_is_text_on_each_page(reader, path):
    answer = reader.client.get(path)
    tree = reader.tree(answer)
    assert {script.get("src") for script in tree.iter("script")} == {"/static/news.js"}
    assert list(tree.iter("img", "iframe", "style", "object", "embed")) == []
    named = {name for element in tree.iter() for name in element.attrib}
    assert {name for name in named if name.startswith("on") or name == "style"} == set()
    links = set(tree.xpath("//@href | //@src | //@action"))
    assert {link for link in links if not re.match(r"/|#content|https?://", link)} == set()
    for block in tree.xpath("//*[@dir='auto' and not(self::html)]"):
        block.clear()  # a direction of its own ends with it
    assert "\u202e" not in html.tostring(tree, encoding="unicode")
    assert "\x1b" not in answer.text
    assert "49" not in text_of(tree, "//h1")[0]
    assert len(tree.xpath("//h1")) == 1


@pytest.mark.parametrize("path", LISTS)
def test_each_list_is_csv_json_and_sql_at_the_same_address(archive, reader, path):
    path += "&" if "?" in path else "?"
    told = reader.client.get(f"{path}format=json").json()
    assert told
    answer = reader.client.get(f"{path}format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [list(row) for row in rows] == [list(row) for row in told]
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row.values())
    statement = reader.client.get(f"{path}format=sql")
    assert statement.headers["content-type"] == "text/plain; charset=utf-8"
    with only_reading(archive.engine) as connection:
        dialect = connection.dialect.name
        found = run_readonly_query(connection, put_searches(statement.text, dialect)).all()
    assert len(found) == len(told)


def test_filters_are_in_the_sql_as_values(archive, reader):
    asked = {"site": "o'hara.example%", "language": "de", "since": "2026-11", "until": "2027", "story": "1"}
    assert reader.json("/articles", **asked) == []
    statement = reader.client.get("/articles", params={"format": "sql", **asked}).text
    assert "'o''hara.example%'" in statement
    with only_reading(archive.engine) as connection:
        assert run_readonly_query(connection, statement).all() == []


def test_the_sql_of_a_search_has_its_filters_and_says_what_it_cannot_have(archive, reader):
    asked = {"q": "port -o'hara", "format": "sql", "site": "two.example", "since": "2026", "until": "2027"}
    statement = reader.client.get("/articles", params=asked).text
    assert "news_search('port -o''hara')" in statement
    with only_reading(archive.engine) as connection:
        rows = run_readonly_query(connection, put_searches(statement, connection.dialect.name)).mappings().all()
    assert [row["url"] for row in rows] == ["https://two.example/2"]
    for query in ("port after:2026", "port OR"):
        refused = reader.client.get("/articles", params={"q": query, "format": "sql"})
        assert refused.status_code == 400


@pytest.mark.parametrize(
    ("path", "query", "urls"),
    [
        ("/articles", {"site": "two.example"}, ["https://two.example/3", "https://two.example/2"]),
        ("/articles", {"language": "de"}, ["https://two.example/3"]),
        ("/articles", {"since": "2026-11-22", "until": "2026-11-23"}, ["https://news.example/1"]),
        ("/articles", {"story": "1"}, ["https://two.example/2", "https://news.example/1"]),
        ("/articles", {"page_class": "paywall"}, []),
        ("/articles", {"q": "other"}, ["https://two.example/3"]),
        ("/articles", {"q": "port", "site": "news.example"}, ["https://news.example/1"]),
        ("/articles", {"q": "port", "page_class": "paywall"}, []),
        ("/articles", {"q": "other", "page_class": "article"}, ["https://two.example/3"]),
        ("/articles", {"q": "other", "story": "1"}, []),
        ("/articles", {"q": "port", "story": "1", "site": "two.example"}, ["https://two.example/2"]),
        ("/articles", {"language": "de", "site": "two.example"}, ["https://two.example/3"]),
        ("/articles", {"page_class": "article", "language": "de"}, ["https://two.example/3"]),
        ("/ledger", {"reason": "http_404"}, ["https://news.example/d"]),
        ("/ledger", {"url": "HTTPS://news.example:443/d#top"}, ["https://news.example/d"]),
        ("/ledger", {"state": "failed", "host": "two.example"}, []),
        ("/feeds", {"words": "ODD.example"}, ["https://odd.example/\"'><script>alert(1)</script>"]),
        ("/feeds", {"tag": HOSTILE}, ["https://feeds.news.example/all.xml"]),
    ],
)
def test_lists_are_narrowed_down(reader, path, query, urls):
    assert [row["url"] for row in reader.json(path, **query)] == urls


@pytest.mark.parametrize(
    "path",
    [
        *("/articles", "/articles?until=2027", "/feeds?sort=url", "/ledger", "/entries", "/polls"),
        *("/backfills", "/boilerplate", "/boilerplate/two.example", "/boilerplate/two.example?all=1"),
    ],
)
def test_a_list_goes_on_where_its_page_ended(reader, path):
    mark = "&" if "?" in path else "?"
    everything = reader.client.get(f"{path}{mark}format=json").json()
    rows, address = [], f"{path}{mark}limit=1&format=json"
    while address:
        answer = reader.client.get(address)
        assert answer.status_code == 200, answer.text
        rows += answer.json()
        address = answer.links.get("next", {}).get("url")
    assert rows == everything
    assert len(rows) > 1


@pytest.mark.parametrize(
    "path",
    [
        *("/articles?story=x", "/articles?since=yesterday", "/articles?limit=0", "/articles?limit=9999999"),
        *("/articles?after=%5B%5D", "/articles?after=x", "/articles?sort=title", "/articles?format=xml"),
        *(
            "/ledger?url=javascript:1",
            "/feeds?sort=secret",
            "/sources?day=x",
            "/articles?q=%22",
            "/articles?q=a&since=x",
        ),
        *("/articles?site=%00", "/articles?q=%00", "/articles?after=[1000000000000000000000]"),
        *("/articles?story=99999999999999999999", "/feeds?feed=-1", "/articles?q=port&story=x"),
        *("/backfills?after=x", "/boilerplate?after=x", "/boilerplate/two.example?after=[1]"),
    ],
)
def test_what_cannot_be_understood_is_told_in_words(reader, path):
    assert reader.client.get(path).status_code == 400


def test_the_plot_and_the_numbers_of_the_first_page(reader):
    tree = reader.get("/")
    assert tree.xpath("//svg/@aria-label") == ["Articles in each of the last 48 hours, the oldest first"]
    assert "pages due" in text_of(tree, "//dt")
    assert tree.xpath("//svg/rect") == [], "nothing of a former month"


def test_what_came_today_is_counted(archive, reader):
    archive.store("https://three.example/9", site="three.example", now=datetime.now(UTC))
    tree = reader.get("/")
    assert text_of(tree, "//dt[.='articles in 24 hours']/following-sibling::dd") == ["1"]
    assert len(tree.xpath("//svg/rect")) == 1


def test_a_failed_page_is_asked_for_again(archive, reader):
    tree = reader.get("/ledger", state="failed")
    assert "not there" in text_of(reader.get("/ledger", reason="http_404"), "//div[@class='box']/p")[0]
    (page_id,) = tree.xpath("//input[@name='page_id']/@value")
    said = reader.send("/ledger/retry", "/ledger", reason="http_404", page_id=page_id)
    assert text_of(said, "//*[@role='status']") == ["1 pages are due now, as if never tried."]
    assert archive.page("https://news.example/d")["state"] == "queued"
    assert [row["state"] for row in reader.json("/ledger/reasons")] == ["queued"]


def test_learned_boilerplate_is_judged(archive, reader):
    (button,) = reader.get("/boilerplate/news.example").xpath("//button[starts-with(@value, 'undo:')]/@value")
    for verdict, expected in (("keep", "kept"), ("drop", "dropped"), ("undo", None)):
        reader.send("/boilerplate/news.example", "/boilerplate/news.example", verdict=button.replace("undo", verdict))
        (block,) = [row for row in archive.rows(SiteBlockRow) if row["site"] == "news.example" and row["sample"]]
        assert block["verdict"] == expected
    token = {CSRF_FIELD: reader.token("/boilerplate/news.example")}
    for verdict in ("burn:00", "keep:zz", "keep:0011223344556677", ""):
        assert reader.client.post("/boilerplate/news.example", data=token | {"verdict": verdict}).status_code == 400


ACTIONS = [
    (path.path.replace("{feed_id:int}", "1").replace("{article_id:int}", "1").replace("{site}", "news.example"))
    for path in ROUTES
    if isinstance(path, Route) and "POST" in (path.methods or ())
]


def state_of(archive):
    tables = (FeedRow, PageRow, SiteBlockRow)
    return [[dict(row) for row in archive.rows(table)] for table in tables]


@on_sqlite
@pytest.mark.parametrize("path", ACTIONS)
def test_no_action_is_taken_without_the_token_of_a_form(archive, reader, path):
    before = state_of(archive)
    reader.get("/feeds")
    token = reader.token("/feeds")
    form = {
        "sure": "yes",
        "reason": "http_404",
        "url": "https://new.example/rss",
        "verdict": "keep:00",
        "mark": "drop:0",
    }
    for given in ({}, {CSRF_FIELD: ""}, {CSRF_FIELD: "x" * 32}):
        assert reader.client.post(path, data=form | given).status_code == 403
    right = form | {CSRF_FIELD: token}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert reader.client.post(path, data=right, headers=headers).status_code == 403
    assert Reader(archive.engine).client.post(path, data=right).status_code == 403, "the cookie is another reader's"
    assert reader.client.get(path).status_code in {200, 404, 405}, "no action is a link"
    assert state_of(archive) == before


@on_sqlite
@pytest.mark.parametrize("path", sorted(set(ACTIONS) - {"/login", "/logout"}))
def test_who_may_only_look_changes_nothing(archive, path):
    before = state_of(archive)
    reader = Reader(archive.engine, can_act=lambda _: False)
    token = form_token(Reader(archive.engine).client.get("/feeds"))
    reader.client.cookies.set("news_form", token)
    answer = reader.client.post(path, data={CSRF_FIELD: token, "sure": "yes", "reason": "http_404"})
    assert answer.status_code == 403
    assert state_of(archive) == before


@on_sqlite
@pytest.mark.parametrize("path", PAGES)
def test_who_may_only_look_is_shown_no_action(archive, path):
    tree = Reader(archive.engine, can_act=lambda _: False).get(path)
    assert tree.xpath("//form[@method='post']") == []


@pytest.mark.postgres
def test_pages_may_be_read_by_a_role_that_can_only_read(postgres_url):
    from pipeline.store.connection.engine import open_engine

    engine = open_engine(postgres_url)
    Archive(engine).store()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE news_looks LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO news_looks")
    looks = sa.create_engine(engine.url.set(username="news_looks", password=None))
    try:
        reader = Reader(engine, Settings(), reader=looks)
        for path in ("/", "/articles", "/articles/1", "/articles?q=three", "/feeds", "/feeds/1", "/ledger", "/sources"):
            reader.get(path)
    finally:
        looks.dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY news_looks")
            connection.exec_driver_sql("DROP ROLE news_looks")
        engine.dispose()


@pytest.mark.parametrize(
    "path",
    [
        "/articles?after=[1e400]",
        "/articles?after=" + "[" * 20_000,
        '/articles?since=2026-01-01&after=["0001-01-01T00:00:00%2B14:00",1]',
        '/feeds?sort=url&after=["\\ud800",1]',
        '/feeds?sort=url&after=["\\u0000",1]',
    ],
)
def test_a_place_that_no_list_has_is_told(reader, path):
    assert reader.client.get(path).status_code == 400


def test_lists_of_sites_with_any_name_are_saved(reader):
    answer = reader.client.get("/boilerplate/пример?format=csv")
    assert (answer.status_code, answer.headers["content-disposition"]) == (200, 'attachment; filename="______.csv"')


def test_all_of_a_reason_are_asked_for_again_only_where_the_list_shows_all(reader):
    def buttons(**query):
        return text_of(reader.get("/ledger", reason="http_404", **query), "//form[@method='post']/button")

    assert "Ask again for these pages" in buttons()
    assert "Ask again for these pages" not in buttons(since="2020-01-01")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://[", "Host": "localhost"}, 403),
        ({"Origin": "https://news.example.org", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://localhost:8766"}, 303),
        ({"Origin": "http://localhost"}, 403),
    ],
)
def test_a_form_is_of_our_own_origin_whatever_a_proxy_makes_of_the_host(reader, headers, status):
    form = {"form_token": reader.token("/feeds/1")}
    assert reader.client.post("/feeds/1/pause", data=form, headers=headers).status_code == status
