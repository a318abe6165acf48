"""The sample newsroom serves what its README promises, and its expected results are true of its pages."""

import doctest
import gzip
import http.client
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import lxml.html
import pytest
from protego import Protego

from examples.newsroom import answers, source
from examples.newsroom.expectations import EXPECTED, OPML, expected_files, opml
from examples.newsroom.serve import Newsroom

STARTED_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
FAILING = {
    "http://meridian-ledger.newsroom.example/markets-minute-by-minute-2026-10": 500,
    "http://cronica-sur.newsroom.example/noticias/feria-del-aceite": 404,
    "http://harbour-courier.newsroom.example/archive/2026/10/harbour-board-minutes": 403,
}
REDIRECTED = "http://harbour-courier.newsroom.example/r/20481"


@pytest.fixture(scope="module")
def newsroom():
    with Newsroom(started_at=STARTED_AT) as served:
        yield served


@pytest.fixture
def second_edition(newsroom):
    newsroom.edition = 2
    yield newsroom
    newsroom.edition = 1


class Got:
    """One answer, as it came over the wire."""

    def __init__(self, answer: http.client.HTTPResponse):
        self.status = answer.status
        self.headers = answer.headers
        self.raw = answer.read()

    @property
    def body(self) -> bytes:
        return gzip.decompress(self.raw) if self.headers["Content-Encoding"] == "gzip" else self.raw


def get(newsroom, url, *, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", newsroom.port)
    parts = urlsplit(url)
    path = parts.path + ("?" + parts.query if parts.query else "")
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": parts.netloc, **sent})
    got = Got(connection.getresponse())
    connection.close()
    return got


def feeds(newsroom):
    for url in newsroom.feed_urls:
        got = get(newsroom, url)
        yield url, feedparser.parse(got.body, response_headers={"content-type": got.headers["Content-Type"]})


def feed_of(newsroom, name):
    return next(feed for url, feed in feeds(newsroom) if name in url)


def without_port(url):
    return re.sub(r":\d+", "", url, count=1)


def words_of(html, encoding="utf-8"):
    """What a reader sees, without white space: markup may part words where the source does not."""
    tree = lxml.html.fromstring(html, parser=lxml.html.HTMLParser(encoding=encoding))
    for element in tree.xpath("//script | //style | //noscript"):
        element.drop_tree()
    return "".join(tree.text_content().split())


@pytest.mark.parametrize("module", [source, answers], ids=["source", "answers"])
def test_doctests_hold(module):
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_there_are_thirty_articles_in_at_least_six_languages(newsroom):
    expected = newsroom.expected()
    assert len(expected) >= 30
    assert {told["language"] for told in expected} >= {"en", "de", "fr", "es", "pl", "ja", "ar"}


def test_every_announced_page_exists_except_those_that_fail_on_purpose(newsroom):
    links = {entry.link for _, feed in feeds(newsroom) for entry in feed.entries}
    statuses = {without_port(link).partition("?utm_")[0]: get(newsroom, link).status for link in links}
    assert {link: status for link, status in statuses.items() if status != 200} == FAILING | {REDIRECTED: 301}


def test_every_article_is_announced(newsroom):
    links = {entry.link for _, feed in feeds(newsroom) for entry in feed.entries}
    announced = {link.partition("?utm_")[0] for link in links}
    unannounced = {told["url"] for told in newsroom.expected()} - announced
    assert {without_port(url) for url in unannounced} == {
        "http://harbour-courier.newsroom.example/news/2026/10/12/lighthouse-keepers"  # under its redirect
    }


def test_the_redirect_leads_to_its_article(newsroom):
    got = get(newsroom, REDIRECTED)
    assert got.status == 301
    assert got.headers["Location"] in {told["url"] for told in newsroom.expected()}


def test_feeds_come_in_three_formats_and_one_is_malformed_but_readable(newsroom):
    told = {without_port(url): (feed.version, bool(feed.bozo), len(feed.entries)) for url, feed in feeds(newsroom)}
    assert {version for version, _, _ in told.values()} == {"rss20", "atom10", "rss10"}
    malformed = {url: entries for url, (_, is_malformed, entries) in told.items() if is_malformed}
    assert malformed == {"http://kurier-rzeczny.newsroom.example/rss.xml": 3}


def test_one_feed_has_entries_without_guid_and_with_the_full_text(newsroom):
    feed = feed_of(newsroom, "littoral")
    assert all("id" not in entry for entry in feed.entries)
    texts = {told["title"]: told["paragraphs"] for told in newsroom.expected()}
    for entry in feed.entries:
        assert words_of(entry.content[0].value) == "".join("".join(texts[entry.title]).split())


def test_two_feeds_announce_one_url_with_different_tracking(newsroom):
    links = {entry.link for _, feed in feeds(newsroom) for entry in feed.entries if "night-ferry" in entry.link}
    assert len(links) == 2
    assert len({link.partition("?")[0] for link in links}) == 1
    assert len({get(newsroom, link).body for link in links}) == 1


def test_robots_forbids_exactly_one_entry(newsroom):
    robots = Protego.parse(get(newsroom, "http://harbour-courier.newsroom.example/robots.txt").body.decode())
    links = [entry.link for entry in feed_of(newsroom, "harbour-courier").entries]
    forbidden = [link for link in links if not robots.can_fetch(link, "news-pipeline")]
    assert [urlsplit(link).path for link in forbidden] == ["/archive/2026/10/harbour-board-minutes"]


def test_two_sites_carry_one_text_word_for_word(newsroom):
    texts = Counter("\n".join(told["paragraphs"]) for told in newsroom.expected())
    twice = [text for text, number in texts.items() if number > 1]
    assert len(twice) == 1
    sites = {told["site"] for told in newsroom.expected() if "\n".join(told["paragraphs"]) == twice[0]}
    assert sites == {"tidewire.newsroom.example", "harbour-courier.newsroom.example"}


@pytest.mark.parametrize("edition", [1, 2])
def test_expected_paragraphs_stand_in_each_page_in_order(newsroom, second_edition, edition):
    newsroom.edition = edition
    for told in newsroom.expected():
        site = newsroom.sites[told["site"]]
        seen = words_of(get(newsroom, told["url"]).body, site.encoding)
        assert "".join(told["title"].split()) in seen
        at = 0
        for paragraph in told["paragraphs"]:
            wanted = "".join(paragraph.split())
            at = seen.find(wanted, at)
            assert at >= 0, (told["url"], paragraph)
            at += len(wanted)


def test_each_line_of_boilerplate_stands_in_its_page_and_is_no_paragraph(newsroom):
    for told in newsroom.expected():
        seen = words_of(get(newsroom, told["url"]).body, newsroom.sites[told["site"]].encoding)
        assert len(told["boilerplate"]) > 15
        for line in told["boilerplate"]:
            assert "".join(line["text"].split()) in seen, (told["url"], line)
            assert line["text"] not in told["paragraphs"], (told["url"], line)


@pytest.mark.parametrize(
    "mention",
    [
        "now watch",
        "newsletter",
        "follow us",
        "subscribe",
        "copyright",
        "cookies",
        "read more",
        "abonnent",
        "suscribirse",
    ],
)
def test_some_article_mentions_what_boilerplate_says_and_is_to_keep_it(newsroom, mention):
    assert any(mention in paragraph.lower() for told in newsroom.expected() for paragraph in told["paragraphs"])


@pytest.mark.parametrize("site", ["harbour-courier", "meridian-ledger", "littoral", "kurier-rzeczny"])
def test_an_etag_is_answered_with_304(newsroom, site):
    url = next(told["url"] for told in newsroom.expected() if site in told["url"])
    first = get(newsroom, url)
    second = get(newsroom, url, If_None_Match=f'"other", {first.headers["ETag"]}')
    assert (second.status, second.raw, second.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert get(newsroom, url, if_none_match=first.headers["ETag"]).status == 304  # names have no case
    assert get(newsroom, url, If_None_Match='"other"').status == 200


def test_last_modified_is_answered_with_304_from_that_time_on(newsroom):
    url = next(told["url"] for told in newsroom.expected() if "tidewire" in told["url"])
    first = get(newsroom, url)
    assert first.headers["ETag"] is None
    assert get(newsroom, url, If_Modified_Since=first.headers["Last-Modified"]).status == 304
    assert get(newsroom, url, If_Modified_Since="Thu, 01 Jan 2026 00:00:00 GMT").status == 200
    assert get(newsroom, url, If_Modified_Since="yesterday").status == 200


def test_an_etag_rules_out_the_time(newsroom):
    url = newsroom.feed_urls[0]
    changed_at = get(newsroom, url).headers["Last-Modified"]
    assert get(newsroom, url, If_None_Match='"other"', If_Modified_Since=changed_at).status == 200


def test_every_feed_is_answered_with_304_when_nothing_changed(newsroom):
    for url in newsroom.feed_urls:
        assert get(newsroom, url, If_None_Match=get(newsroom, url).headers["ETag"]).status == 304


def test_answers_are_compressed_when_asked_for(newsroom):
    url = newsroom.feed_urls[0]
    plain, packed = get(newsroom, url), get(newsroom, url, Accept_Encoding="br, gzip")
    assert (plain.headers["Content-Encoding"], packed.headers["Content-Encoding"]) == (None, "gzip")
    assert packed.body == plain.body
    assert len(packed.raw) < len(plain.raw)


def test_head_has_the_headers_and_no_body(newsroom):
    got = get(newsroom, newsroom.feed_urls[0], method="HEAD")
    assert (got.status, got.raw) == (200, b"")
    assert int(got.headers["Content-Length"]) > 0


def test_live_pages_differ_with_each_visit_and_their_articles_do_not(newsroom):
    url = next(told["url"] for told in newsroom.expected() if "cronica-sur" in told["url"])
    first, second = get(newsroom, url), get(newsroom, url)
    assert first.body != second.body
    assert re.sub(rb"\d", b"", first.body) == re.sub(rb"\d", b"", second.body)
    assert (first.headers["ETag"], first.headers["Last-Modified"]) == (None, None)


def test_the_old_site_is_served_in_its_own_encoding(newsroom):
    url = next(told["url"] for told in newsroom.expected() if "tal-anzeiger" in told["url"])
    got = get(newsroom, url)
    assert got.headers["Content-Type"] == "text/html; charset=windows-1252"
    with pytest.raises(UnicodeDecodeError):
        got.body.decode("utf-8")


def test_the_second_edition_changes_exactly_the_edited_article(newsroom, second_edition):
    newsroom.edition = 1
    first = {told["url"]: told for told in newsroom.expected()}
    newsroom.edition = 2
    second = {told["url"]: told for told in newsroom.expected()}
    changed = [url for url in first if {**first[url], "boilerplate": 0} != {**second[url], "boilerplate": 0}]
    assert [urlsplit(url).path for url in changed] == ["/grain-terminal-2026-10"]
    before, after = first[changed[0]], second[changed[0]]
    assert before["title"] != after["title"]
    assert sum(old != new for old, new in zip(before["paragraphs"], after["paragraphs"], strict=True)) == 1
    assert after["modified_at"] > before["published_at"]


def test_the_second_edition_is_announced_by_its_feed_alone(newsroom, second_edition):
    newsroom.edition = 1
    known = {url: get(newsroom, url).headers["ETag"] for url in newsroom.feed_urls}
    before = {entry.id: (entry.title, entry.updated) for entry in feed_of(newsroom, "meridian").entries}
    newsroom.edition = 2
    statuses = {url: get(newsroom, url, If_None_Match=etag).status for url, etag in known.items()}
    assert [urlsplit(url).hostname for url, status in statuses.items() if status == 200] == [
        "meridian-ledger.newsroom.example"
    ]
    after = {entry.id: (entry.title, entry.updated) for entry in feed_of(newsroom, "meridian").entries}
    assert [key for key in before if before[key] != after[key]] == [
        "tag:meridian-ledger.newsroom.example,2026:grain-terminal"
    ]


def test_relative_times_count_from_the_start(newsroom):
    times = {told["url"].rsplit("/", 1)[1]: told["published_at"] for told in newsroom.expected()}
    assert times["reloj-plaza"] == (STARTED_AT - timedelta(hours=2)).isoformat()
    entry = next(entry for entry in feed_of(newsroom, "cronica-sur").entries if "reloj" in entry.link)
    assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == STARTED_AT - timedelta(hours=2)


def test_a_relative_time_of_another_form_is_refused():
    with pytest.raises(ValueError, match="start-2h"):
        source._instant("two hours ago", STARTED_AT)


def test_an_unknown_host_is_served_nothing(newsroom):
    assert get(newsroom, f"http://elsewhere.example:{newsroom.port}/").status == 421


def test_requests_are_remembered_in_order(newsroom):
    newsroom.requests.clear()
    get(newsroom, "http://littoral.newsroom.example/robots.txt", User_Agent="a-test")
    get(newsroom, "http://littoral.newsroom.example/none", If_None_Match='"x"')
    asked = [(one.host, one.path, one.status, one.user_agent, one.if_none_match) for one in newsroom.requests]
    assert asked == [
        ("littoral.newsroom.example", "/robots.txt", 200, "a-test", None),
        ("littoral.newsroom.example", "/none", 404, None, '"x"'),
    ]


def test_expected_results_and_feed_list_on_disk_are_up_to_date():
    on_disk = {path.name: json.loads(path.read_text("utf-8")) for path in EXPECTED.glob("*.json")}
    assert on_disk == expected_files(), "run: python examples/newsroom/serve.py --write-expected"
    assert OPML.read_text("utf-8") == opml()


def test_it_runs_as_a_process_and_switches_editions_over_http(tmp_path):
    script = Path(source.__file__).parent / "serve.py"
    ready = tmp_path / "ready"
    command = [sys.executable, str(script), "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            port = re.search(r"127\.0\.0\.1:(\d+), edition 1", process.stdout.readline())[1]
            connection = http.client.HTTPConnection("127.0.0.1", int(port))
            for path, told in [("/__edition", "edition 1"), ("/__edition/2", "edition 2"), ("/__requests", "[]")]:
                connection.request("GET", path, headers={"Host": "anything.example"})
                assert connection.getresponse().read().decode().strip() == told
            connection.request("GET", "/__edition/3")
            assert connection.getresponse().status == 404
            connection.close()
        finally:
            process.terminate()
        assert process.wait(timeout=30) == 0
    assert ready.read_text().strip() == port
