"""JSON Feed documents become entries, whatever types their values have and wherever they break."""

import codecs
import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import FeedError
from pipeline.parse import parse_feed
from pipeline.parse.fields import MAX_NAMES, MAX_SUMMARY
from pipeline.parse.frame import MAX_ENTRIES

URL = "https://news.example/feeds/all.json"
VERSION = "https://jsonfeed.org/version/1.1"
NOON = datetime(2024, 3, 12, 12, tzinfo=UTC)
EARLY = datetime(2024, 3, 12, 9, tzinfo=UTC)


def feed_of(*items, **head):
    return {"version": VERSION, "title": "News", "home_page_url": "https://news.example/", **head, "items": [*items]}


def read(document, url=URL, **options):
    body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    return parse_feed(body, url, **options)


def item(**members):
    (entry,) = read(feed_of({"id": "1", "title": "x", **members})).entries
    return entry


def reason_of(body):
    with pytest.raises(FeedError) as caught:
        read(body)
    return caught.value.reason


# --- The document

VERSIONS = {
    "1.0": VERSION.replace("1.1", "1"),
    "1.0 with its zero": VERSION.replace("1.1", "1.0"),
    "1.1": VERSION,
    "with a slash": VERSION + "/",
    "without encryption": VERSION.replace("https", "http"),
    "with www": VERSION.replace("//", "//www."),
    "one to come": VERSION.replace("1.1", "2"),
    "a number": 1.1,
    "nothing": None,
}


@pytest.mark.parametrize("stated", VERSIONS.values(), ids=VERSIONS.keys())
def test_every_version_is_read(stated):
    feed = read(feed_of({"id": "1", "url": "/1"}, version=stated))
    assert (feed.format, len(feed.entries), feed.title) == ("json", 1, "News")


def test_a_feed_says_what_other_formats_say():
    feed = read(
        feed_of(
            {"id": "1", "url": "https://news.example/1", "title": "One", "summary": "Text"},
            language="pt-BR",
            feed_url="/feeds/all.json",
            hubs=[{"type": "rssCloud", "url": "https://c.example/"}, {"type": "WebSub", "url": "https://hub.example/"}],
        )
    )
    (entry,) = feed.entries
    assert (feed.title, feed.site_url, feed.language) == ("News", "https://news.example/", "pt-BR")
    assert (feed.hub_urls, feed.self_url) == (("https://hub.example/",), URL)
    assert (entry.guid, entry.title, entry.url, entry.summary) == ("1", "One", "https://news.example/1", "Text")
    assert (feed.skipped, feed.malformed, feed.cut) == (0, None, False)


HEADS = {
    "title of another type": ({"title": ["News"]}, (None, "https://news.example/", None)),
    "no title": ({"title": None}, (None, "https://news.example/", None)),
    "markup in the title": ({"title": "A &amp; B"}, ("A & B", "https://news.example/", None)),
    "home page of another type": ({"home_page_url": {}}, ("News", None, None)),
    "home page that is no address": ({"home_page_url": "news"}, ("News", "https://news.example/feeds/news", None)),
    "home page that is mail": ({"home_page_url": "mailto:a@b.example"}, ("News", None, None)),
    "language of another type": ({"language": 5}, ("News", "https://news.example/", None)),
    "language that is none": ({"language": "German, mostly"}, ("News", "https://news.example/", None)),
    "hubs of another type": ({"hubs": "https://hub.example/"}, ("News", "https://news.example/", None)),
    "hubs without address": ({"hubs": [{"type": "WebSub"}, 5]}, ("News", "https://news.example/", None)),
}


@pytest.mark.parametrize(("head", "expected"), HEADS.values(), ids=HEADS.keys())
def test_members_of_the_feed_may_have_any_type(head, expected):
    feed = read(feed_of({"id": "1", "title": "x"}, **head))
    assert (feed.title, feed.site_url, feed.language) == expected
    assert (feed.hub_urls, feed.self_url) == ((), None)


def test_a_feed_without_items_is_a_feed():
    assert read(feed_of()).entries == ()
    assert read({"version": VERSION}).entries == ()
    assert read({"version": VERSION, "items": {"id": "1"}}).entries == ()


NO_FEEDS = {
    "an error": ({"error": "unauthorized"}, "not_a_feed"),
    "a list of articles": ([{"id": "1", "url": "/1"}], "not_a_feed"),
    "items of another format": ({"items": [{"id": 1}], "total": 1}, "not_a_feed"),
    "nothing": ({}, "not_a_feed"),
    "a string": ("feed", "not_a_feed"),
}


@pytest.mark.parametrize(("document", "reason"), NO_FEEDS.values(), ids=NO_FEEDS.keys())
def test_json_that_is_no_feed_is_named(document, reason):
    assert reason_of(json.dumps(document).encode()) == reason


# --- Identity

IDENTIFIERS = {
    "text": ("tag:1", "tag:1"),
    "number": (4711, "4711"),
    "number of twenty digits": (10000000000000000001, "10000000000000000001"),
    "fraction": (1.5, "1.5"),
    "true": (True, "true"),
    "list": (["a", 1], '["a", "1"]'),
    "object": ({"b": 1, "a": 2}, '{"a": "2", "b": "1"}'),
    "white space": ("  a ", "a"),
    "null": (None, "https://news.example/1"),
    "empty": ("", "https://news.example/1"),
    "address of the site": ("https://news.example/", "https://news.example/1"),
}


@pytest.mark.parametrize(("given", "guid"), IDENTIFIERS.values(), ids=IDENTIFIERS.keys())
def test_an_id_of_any_type_identifies(given, guid):
    assert item(id=given, url="/1").guid == guid


def test_a_number_with_thousands_of_digits_is_an_id():
    body = json.dumps(feed_of({"id": "N", "title": "x"})).replace('"N"', "9" * 10_000).encode()
    assert read(body).entries[0].guid.startswith("sha256:")


def test_without_id_and_address_title_and_date_identify():
    first, again, other = (
        read(feed_of({"title": title, "date_published": "2024-03-12"})).entries[0].guid for title in ("A", " A", "B")
    )
    assert first == again != other


def test_equal_ids_lose_no_item():
    feed = read(feed_of(*({"id": 0, "url": f"/{number}", "title": f"T{number}"} for number in range(3))))
    assert [entry.title for entry in feed.entries] == ["T0", "T1", "T2"]
    assert len({entry.guid for entry in feed.entries}) == 3


# --- Links

LINKS = {
    "address": ({"url": "https://news.example/1?utm_source=json"}, "https://news.example/1"),
    "relative to the home page": ({"url": "1.html"}, "https://news.example/1.html"),
    "relative to the root": ({"url": "/a/1.html"}, "https://news.example/a/1.html"),
    "its own address before the one it is about": (
        {"url": "/1", "external_url": "https://other.example/"},
        "https://news.example/1",
    ),
    "what it is about": ({"external_url": "https://other.example/2"}, "https://other.example/2"),
    "what it is about, for an address that is none": (
        {"url": "javascript:x", "external_url": "https://other.example/2"},
        "https://other.example/2",
    ),
    "id that is an address": ({"id": "https://news.example/3"}, "https://news.example/3"),
    "id that is a path": ({"id": "/3"}, None),
    "id that is a number": ({"id": 3}, None),
    "address of another type": ({"url": ["https://news.example/1"]}, None),
    "empty": ({"url": ""}, None),
    "junk": ({"url": "http://["}, None),
    "the feed itself": ({"url": URL}, None),
    "an attachment is no page": ({"attachments": [{"url": "/1.mp3", "mime_type": "audio/mpeg"}]}, None),
}


@pytest.mark.parametrize(("members", "url"), LINKS.values(), ids=LINKS.keys())
def test_an_item_links_to_its_page(members, url):
    assert item(**members).url == url


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ({}, "https://news.example/1"),
        ({"home_page_url": None, "feed_url": "https://other.example/a/feed.json"}, "https://other.example/a/1"),
        ({"home_page_url": None}, "https://cdn.example/x/1"),
        ({"home_page_url": "/site/"}, "https://cdn.example/site/1"),
    ],
    ids=["home page", "address of the feed", "where it was fetched", "home page that is relative too"],
)
def test_relative_addresses_lead_on_from(head, url):
    assert read(feed_of({"id": "1", "url": "1"}, **head), url="https://cdn.example/x/feed.json").entries[0].url == url


# --- Text and people

TEXTS = {
    "summary": ({"summary": "Teaser", "content_html": "<p>Whole</p>"}, "Teaser"),
    "markup": ({"content_html": "<p>A <b>bold</b> word</p><p>B</p>"}, "A bold word B"),
    "text": ({"content_text": "1 < 2 & 3"}, "1 < 2 & 3"),
    "markup before text": ({"content_html": "<p>H</p>", "content_text": "T"}, "H"),
    "text for empty markup": ({"content_html": "<img src=x>", "content_text": "T"}, "T"),
    "escapes": ({"content_html": "caf\u00e9 &ndash; \u2019"}, "café – ’"),
    "lone surrogate": ({"summary": "A\ud800B"}, "AB"),
    "NUL": ({"summary": "A\0B"}, "AB"),
    "of another type": ({"summary": {"a": 1}, "content_html": 5.5, "content_text": ["x"]}, "5.5"),
    "none": ({}, None),
    "nothing but white space": ({"summary": " \n", "content_text": "\t"}, None),
}


@pytest.mark.parametrize(("members", "summary"), TEXTS.values(), ids=TEXTS.keys())
def test_the_summary_is_plain_text(members, summary):
    body = json.dumps(feed_of({"id": "1", "title": "x", **members})).encode()
    assert read(body).entries[0].summary == summary


@pytest.mark.parametrize(
    "members", [{"content_html": "<p>One</p><p>Two</p>"}, {"content_text": "One\n\nTwo"}], ids=["markup", "text"]
)
def test_the_whole_text_is_kept_with_its_paragraphs(members):
    entry = item(summary="Teaser", **members)
    assert (entry.content, entry.summary) == ("One\n\nTwo", "Teaser")


def test_a_long_text_is_cut_but_counts_whole():
    first, second = (item(content_html="word " * 900 + end) for end in "ab")
    assert first.summary == second.summary
    assert len(first.summary) <= MAX_SUMMARY
    assert first.hash != second.hash


PEOPLE = {
    "1.1": ({"authors": [{"name": "Ana Moreno"}, {"name": "Bo Li", "url": "/bo"}]}, ("Ana Moreno", "Bo Li")),
    "1.0": ({"author": {"name": "Ana Moreno"}}, ("Ana Moreno",)),
    "1.1 before 1.0": ({"authors": [{"name": "A B"}], "author": {"name": "C D"}}, ("A B",)),
    "1.0 for an empty 1.1": ({"authors": [], "author": {"name": "C D"}}, ("C D",)),
    "names alone": ({"authors": ["Ana Moreno", "Bo Li"]}, ("Ana Moreno", "Bo Li")),
    "one name": ({"author": "Ana Moreno"}, ("Ana Moreno",)),
    "one object in place of the list": ({"authors": {"name": "Ana Moreno"}}, ("Ana Moreno",)),
    "the same twice": ({"authors": [{"name": "A B"}, {"name": "a b"}]}, ("A B",)),
    "without name": ({"authors": [{"url": "/a"}, None, 5, {"name": None}]}, ("5",)),
    "of the feed": ({}, ("The Editor",)),
    "of the feed for empty ones": ({"authors": [{"name": ""}]}, ("The Editor",)),
}


@pytest.mark.parametrize(("members", "authors"), PEOPLE.values(), ids=PEOPLE.keys())
def test_authors_are_names(members, authors):
    feed = read(feed_of({"id": "1", "title": "x", **members}, authors=[{"name": "The Editor"}]))
    assert feed.entries[0].authors == authors


TAGS = {
    "list": (["A", "B & C"], ("A", "B & C")),
    "text": ("a, b", ("a", "b")),
    "mixed": (["A", None, {}, "a", ""], ("A",)),
    "object": ({"a": 1}, ()),
    "flood": ([f"t{number}" for number in range(1000)], tuple(f"t{number}" for number in range(MAX_NAMES))),
}


@pytest.mark.parametrize(("given", "tags"), TAGS.values(), ids=TAGS.keys())
def test_tags_are_labels(given, tags):
    assert item(tags=given).tags == tags


DATES = {
    "both": ({"date_published": "2024-03-12T10:00:00+01:00", "date_modified": "2024-03-12T12:00:00Z"}, EARLY, NOON),
    "fraction": ({"date_published": "2024-03-12T09:00:00.123Z"}, EARLY, None),
    "modified only": ({"date_modified": "2024-03-12T12:00:00Z"}, None, NOON),
    "in seconds": ({"date_published": int(NOON.timestamp())}, NOON, None),
    "in milliseconds": ({"date_published": int(NOON.timestamp()) * 1000}, NOON, None),
    "as mail has it": ({"date_published": "Tue, 12 Mar 2024 12:00:00 GMT"}, NOON, None),
    "of another type": ({"date_published": {"date": "2024-03-12"}, "date_modified": []}, None, None),
    "nonsense": ({"date_published": "soon"}, None, None),
    "the epoch": ({"date_published": "1970-01-01T00:00:00Z"}, None, None),
}


@pytest.mark.parametrize(("members", "published_at", "updated_at"), DATES.values(), ids=DATES.keys())
def test_dates_are_read(members, published_at, updated_at):
    entry = item(**members)
    assert (entry.published_at, entry.updated_at) == (published_at, updated_at)


def test_an_item_dated_ahead_is_marked():
    document = feed_of({"id": "1", "title": "x", "date_published": "2024-03-12T14:00:00Z"})
    assert read(document, now=NOON).entries[0].is_future


# --- Broken documents

ITEMS = [{"id": f"g{number}", "title": f"Title {number} ä", "url": f"/{number}"} for number in range(4)]
WHOLE = json.dumps(feed_of(*ITEMS), ensure_ascii=False)


def test_a_document_cut_anywhere_keeps_the_items_that_are_whole():
    whole = read(WHOLE.encode()).entries
    for length in range(len(WHOLE.encode()) - 1, 60, -5):
        body = WHOLE.encode()[:length]
        count = body.count(b"}")
        if not count:
            assert reason_of(body) in {"not_a_feed", "unparsable"}
            continue
        feed = read(body)
        assert feed.entries == whole[:count]
        assert feed.cut
        assert "JSON" in feed.malformed


BROKEN = {
    "text behind the end": (WHOLE + "<!-- 0.2 s --> {", 4, False),
    "comma behind the last item": (WHOLE.replace("]}", ",]}"), 4, False),
    "comma behind the last member": (WHOLE.replace("]}", "],}"), 4, False),
    "line break in a string": (WHOLE.replace("Title 1", "Title\n1\t"), 4, False),
    "byte order mark": ("\ufeff" + WHOLE, 4, False),
    "white space": ("\r\n \t" + WHOLE, 4, False),
    "NaN": (WHOLE.replace('"g1"', "NaN"), 4, False),
    "number beyond all": (WHOLE.replace('"g1"', "1e999999"), 4, False),
    "the same key twice": (WHOLE.replace('"News"', '"News", "title": "Other"'), 4, False),
    "items before the version": (json.dumps({"items": ITEMS, "version": VERSION, "title": "News"}), 4, False),
    "quotation mark that is not escaped": (WHOLE.replace("Title 2", 'Ti"tle 2'), 2, True),
    "no comma": (WHOLE.replace('}, {"id": "g3"', '} {"id": "g3"'), 3, True),
    "items without end": (WHOLE.replace("]}", ""), 4, True),
    "warning of a program among the items": (WHOLE.replace('{"id": "g3"', '<b>Notice</b>{"id": "g3"'), 3, True),
    "nested without end": (WHOLE.replace('"/3"', "[" * 100_000), 3, True),
}


@pytest.mark.parametrize(("document", "count", "is_cut"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_document_keeps_what_can_be_read(document, count, is_cut):
    feed = read(document.encode())
    assert (len(feed.entries), feed.title, feed.cut, bool(feed.malformed)) == (count, "News", is_cut, is_cut)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_the_encoding_is_recognised(encoding):
    assert read(WHOLE.encode(encoding)).entries[0].title == "Title 0 ä"


def test_a_byte_order_mark_of_either_order_is_taken():
    assert len(read(codecs.BOM_UTF16_BE + WHOLE.encode("utf-16-be")).entries) == 4


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, {"image": "/a.png"}, [{"id": "1"}]], ids=repr)
def test_an_item_that_is_none_costs_no_other(junk):
    feed = read(feed_of(ITEMS[0], junk, ITEMS[1]))
    assert [entry.guid for entry in feed.entries] == ["g0", "g1"]
    assert feed.skipped == 1


def test_items_beyond_the_limit_are_counted_as_skipped():
    feed = read(feed_of(*({"id": number, "title": "x"} for number in range(MAX_ENTRIES + 3))))
    assert (len(feed.entries), feed.skipped, feed.cut) == (MAX_ENTRIES, 3, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = "id url external_url title summary content_html content_text authors author tags date_published date_modified"


@given(st.lists(st.dictionaries(st.sampled_from(NAMES.split()), JSON), max_size=5), st.dictionaries(st.text(), JSON))
@example([{"id": "\ud800"}], {})
@example([{"id": {"\udfff": "\ud800"}}], {"hubs": [{"type": "WebSub", "url": "http://["}]})
def test_values_of_any_type_are_survived(items, head):
    feed = read(json.dumps({**head, "version": VERSION, "items": items}).encode())
    assert len(feed.entries) + feed.skipped <= len(items)
    for entry in feed.entries:
        assert entry.guid
        for text in (entry.guid, entry.title or "", entry.summary or "", *entry.authors, *entry.tags):
            assert "\0" not in text
            text.encode()


@given(st.binary(max_size=60), st.integers(0, len(WHOLE)), st.integers(0, 20))
def test_damage_anywhere_is_survived(junk, start, length):
    body = WHOLE.encode()
    with contextlib.suppress(FeedError):
        feed = read(body[:start] + junk + body[start + length :])
        assert len({entry.guid for entry in feed.entries}) == len(feed.entries)
