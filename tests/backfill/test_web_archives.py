"""Backfills from archives of the web: a CDX index and copies, CC-NEWS, feeds that go back."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.backfill import BackfillRequest, begin_job, first_units, run_job
from pipeline.backfill.wayback import read_cdx_index
from pipeline.errors import ConfigError
from pipeline.periods import Period, read_period
from pipeline.store.schema.tables import ArticleRow, HostRow, PageRow
from tests.support.filling import Filling
from tests.support.stories import PUBLISHED_AT, article_page, rss, title
from tests.support.warc_files import articles, warc_of
from tests.support.web import Reply, Web, in_turn, page, status


@pytest.fixture
def web():
    with Web(addresses=("127.0.0.1", "127.0.0.2")) as web:
        yield web


def of(web, url):
    filling = Filling(web, url)
    archive = web.url("", host="127.0.0.2")
    filling.settings = replace(filling.settings, wayback_url=archive, ccnews_url=archive)
    return filling


@pytest.fixture
def filling(web, database_url):
    filling = of(web, database_url)
    yield filling
    filling.engine.dispose()


@pytest.fixture
def local(web, sqlite_url):
    local = of(web, sqlite_url)
    yield local
    local.engine.dispose()


def fill(filling, source, *targets, since=None, until=None, **options):
    wanted = BackfillRequest(source, targets, read_period(since, until), **options)
    job = begin_job(filling.settings, wanted, first_units(filling.settings, wanted), now=filling.now)
    return run_job(filling.settings, job.id, now=filling.now)


class Cdx:
    """A CDX index of some captures, in pages of its own size, and their copies."""

    def __init__(self, web, captures, per_page=3):
        self.web, self.captures, self.per_page = web, captures, per_page
        self.busy = 0
        web.routes["//127.0.0.2/cdx/search/cdx"] = self.index
        for stamp, original, body in captures:
            web.routes[f"//127.0.0.2/web/{stamp}id_/{original}"] = page(body)

    def index(self, request):
        if self.busy:
            self.busy -= 1
            return Reply(status=429, headers={"Retry-After": "1"})
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
        assert query["showResumeKey"] == "true"
        assert query["collapse"] == "urlkey"
        first = int(query.get("resumeKey", "0"))
        rows = self.captures[first : first + self.per_page]
        lines = [f"key {stamp} {original} text/html 200 DIGEST 1000" for stamp, original, _ in rows]
        if first == 0:
            lines.insert(1, "this is no line of an index")
        if first + self.per_page < len(self.captures):
            lines += ["", str(first + self.per_page)]
        return Reply(body="\n".join(lines).encode() + b"\n", headers={"Content-Type": "text/plain"})


def test_the_index_is_read_to_its_end_and_copies_are_stored_as_their_pages(filling):
    captures = [(f"2015030{n}101500", f"http://old.example/2015/03/0{n}/story", article_page(n)) for n in range(1, 9)]
    cdx = Cdx(filling.web, captures)
    cdx.busy = 1
    result = fill(filling, "wayback", "old.example", since="2015-03-02", until="2015-03-08")
    assert result.is_done
    rows = filling.rows(ArticleRow)
    assert sorted(row["url"] for row in rows) == [original for _, original, _ in captures[1:7]]
    assert result.counts["outside"] == 2
    assert result.counts["broken"] == 1
    assert {row["site"] for row in rows} == {"old.example"}
    pages = filling.rows(PageRow)
    assert {row["host"] for row in pages} == {"old.example"}
    assert all(row["fetch_url"].startswith(filling.settings.wayback_url) for row in pages)
    assert all(request.host == "127.0.0.2" for request in filling.web.requests)
    assert len([path for path in filling.web.paths if "id_" in path]) == 6
    fill(filling, "wayback", "old.example", since="2015-03-02", until="2015-03-08")
    assert len([path for path in filling.web.paths if "id_" in path]) == 6


def test_an_archive_that_asks_for_a_pause_gets_it(local):
    cdx = Cdx(local.web, [("20150301101500", "http://old.example/2015/03/01/a", article_page(1))])
    cdx.busy = 1
    copy = "//127.0.0.2/web/20150301101500id_/http://old.example/2015/03/01/a"
    local.web.routes[copy] = in_turn(status(429, Retry_After="1"), local.web.routes[copy])
    result = fill(local, "wayback", "old.example")
    assert result.is_done
    assert [row["title"] for row in local.rows(ArticleRow)] == [title(1)]
    held = {row["name"]: row["next_fetch_at"] for row in local.rows(HostRow)}
    assert urlsplit(local.settings.wayback_url).netloc in held


def test_one_capture_of_each_page_and_no_pictures(local):
    Cdx(
        local.web,
        [
            ("20150301101500", "http://old.example/a", article_page(1)),
            ("20150302101500", "https://old.example:443/a", article_page(2)),
            ("20150303101500", "http://old.example:80/a?utm_source=x", article_page(3)),
        ],
    )
    result = fill(local, "wayback", "old.example/")
    assert result.counts["again"] == 1
    assert sorted(row["url"] for row in local.rows(ArticleRow)) == ["http://old.example/a", "https://old.example/a"]


def test_a_length_of_thousands_of_digits_is_not_known():
    line = f"example,news)/1 20240101000000 https://news.example/1 text/html 200 DIGEST {'1' * 5_000}"
    (capture,), _, broken = read_cdx_index(line)
    assert (capture.url, capture.length, broken) == ("https://news.example/1", 0, 0)


def test_a_date_of_capture_stands_in_for_a_page_without_one(local):
    bare = article_page(1).replace(PUBLISHED_AT.isoformat(), "")
    Cdx(local.web, [("20150301101500", "http://old.example/a", bare)])
    fill(local, "wayback", "old.example")
    row = local.rows(ArticleRow)[0]
    assert (row["published_at"], row["published_from"]) == (datetime(2015, 3, 1, 10, 15, tzinfo=UTC), "capture")


def test_a_target_that_is_no_site_is_an_error(local):
    with pytest.raises(ConfigError, match="neither a site"):
        first_units(local.settings, BackfillRequest("wayback", ("http://[",)))


def serve_month(web, files, *, listed=()):
    paths = [*files, *listed]
    listing = gzip.compress("".join(f"{path}\n" for path in paths).encode())
    web.routes["//127.0.0.2/crawl-data/CC-NEWS/2026/03/warc.paths.gz"] = page(listing, "application/octet-stream")
    for path, body in files.items():
        web.routes[f"//127.0.0.2/{path}"] = page(body, "application/octet-stream")


def name_of(day, number):
    return f"crawl-data/CC-NEWS/2026/03/CC-NEWS-202603{day:02}101500-{number:05}.warc.gz"


def test_a_month_of_cc_news_is_read_file_by_file(filling):
    cut = warc_of(articles(3, 4))[:-300]
    whole = warc_of([*articles(1, 2), *articles(9, site="http://other.example")])
    files = {name_of(5, 1): whole, name_of(5, 2): cut, name_of(6, 3): b"\x1f\x8b\x08 not gzip at all"}
    serve_month(filling.web, files, listed=[name_of(7, 4)])
    result = fill(filling, "ccnews", "2026-03", sites=("a.example",))
    assert result.is_done
    assert sorted(row["title"] for row in filling.rows(ArticleRow)) == [title(number) for number in (1, 2, 3)]
    assert result.counts["other_site"] == 1
    assert result.counts["cut"] == 1
    assert sorted(one["reason"] for one in result.troubles) == ["http_404", "unreadable"]


def test_files_of_other_days_are_not_read(local):
    files = {name_of(day, day): warc_of(articles(day), day=day) for day in (1, 5, 9)}
    serve_month(local.web, files)
    result = fill(local, "ccnews", since="2026-03-05", until="2026-03-06")
    assert [row["title"] for row in local.rows(ArticleRow)] == [title(5)]
    assert (result.counts["files"], result.counts["pruned"]) == (1, 2)


@pytest.mark.parametrize(
    ("targets", "period", "message"),
    [
        (("2026-13",), Period(), "no month"),
        ((), Period(datetime(2026, 3, 1, tzinfo=UTC)), "name the months"),
    ],
    ids=["no month", "open range"],
)
def test_months_that_cannot_be_listed_are_an_error(local, targets, period, message):
    with pytest.raises(ConfigError, match=message):
        first_units(local.settings, BackfillRequest("ccnews", targets, period))


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2024-02-29", "2024-03-01", ["2024/02"]),
        ("2025-12-31", "2026-01-02", ["2025/12", "2026/01"]),
        ("2026-01-31", "2026-02-28T01:00", ["2026/01", "2026/02"]),
        ("2026-03-01T00:00+02:00", "2026-03-02", ["2026/02", "2026/03"]),
    ],
)
def test_the_months_of_a_range_are_those_it_touches(local, since, until, months):
    units = first_units(local.settings, BackfillRequest("ccnews", (), read_period(since, until)))
    assert [url.partition("CC-NEWS/")[2].removesuffix("/warc.paths.gz") for _, url in units] == months


def feed_of(web, numbers, **options):
    return rss({web.url(f"/{number}"): title(number) for number in numbers}, **options)


def linked(text, rel, url):
    link = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{rel}" href="{url}"/>'
    return text.replace("<title>Test Courier</title>", f"<title>Test Courier</title>{link}", 1)


@pytest.mark.parametrize("rel", ["prev-archive", "next"])
def test_a_feed_that_names_older_documents_is_followed(local, rel):
    url = local.web.url
    local.serve({f"/{number}": number for number in range(1, 7)})
    for part, numbers in enumerate(((5, 6), (3, 4), (1, 2))):
        text = feed_of(local.web, numbers)
        text = linked(text, rel, url(f"/feed-{part + 1}.xml")) if part < 2 else text
        local.web.routes[f"/feed-{part}.xml"] = page(text, "application/rss+xml")
    result = fill(local, "feed", url("/feed-0.xml"))
    assert result.is_done
    assert len(local.rows(ArticleRow)) == 6


def wordpress(web, *, pages, beyond):
    """A blog whose feed has two entries a page; what lies beyond its last page is another matter."""

    def serve(request):
        number = int(parse_qs(urlsplit(request.target).query).get("paged", ["1"])[0])
        if number > pages:
            return beyond(request)
        return page(feed_of(web, (2 * number - 1, 2 * number)), "application/rss+xml")(request)

    web.routes["/feed/"] = serve


@pytest.mark.parametrize(
    "beyond", [status(404), page("<html><body>No more</body></html>")], ids=["not found", "a web page"]
)
def test_wordpress_is_asked_for_page_after_page(local, beyond):
    local.serve({f"/{number}": number for number in range(1, 7)})
    wordpress(local.web, pages=3, beyond=beyond)
    result = fill(local, "feed", local.web.url("/feed/"))
    assert result.is_done
    assert result.troubles == []
    assert len(local.rows(ArticleRow)) == 6


def test_a_feed_that_cannot_be_paged_is_noticed(local):
    local.serve({f"/{number}": number for number in (1, 2)})
    local.web.routes["/feed/"] = page(feed_of(local.web, (1, 2)), "application/rss+xml")
    assert fill(local, "feed", local.web.url("/feed/")).is_done
    assert len([path for path in local.web.paths if path.startswith("/feed/")]) == 2


def test_a_feed_is_followed_no_further_back_than_the_range(local):
    local.serve({f"/{number}": number for number in range(1, 7)})
    wordpress(local.web, pages=3, beyond=status(404))
    since = (PUBLISHED_AT + timedelta(seconds=30)).isoformat()
    fill(local, "feed", local.web.url("/feed/"), since=since)
    assert [path for path in local.web.paths if path.startswith("/feed/")] == ["/feed/"]
    assert len(local.rows(ArticleRow)) == 1
