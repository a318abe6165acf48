"""Lists of subscriptions: what people have, and what comes back as it went."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.model import Subscription
from pipeline.parse.opml import SubscriptionList, read_subscriptions, write_opml
from pipeline.urls import host_of, site_of

ROOT = Path(__file__).resolve().parents[2]


def opml(body: str) -> bytes:
    return f'<?xml version="1.0"?><opml version="1.0"><head/><body>{body}</body></opml>'.encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param('<outline xmlUrl="https://a/f"/>', Subscription("https://a/f"), id="nothing but the address"),
        pytest.param(
            '<outline text="A" title="Title" xmlUrl="https://a/f" htmlUrl="https://a/"/>',
            Subscription("https://a/f", "Title", "https://a/"),
            id="title before text",
        ),
        pytest.param('<outline text="A" XMLURL="https://a/f"/>', Subscription("https://a/f", "A"), id="other case"),
        pytest.param(
            '<outline text="Europe"><outline text="Germany"><outline xmlUrl="https://a/f"/></outline></outline>',
            Subscription("https://a/f", tags=("Europe/Germany",)),
            id="nested folders",
        ),
        pytest.param(
            '<outline text="E"><outline xmlUrl="https://a/f" category="/x/y,z"/></outline>',
            Subscription("https://a/f", tags=("E", "x/y", "z")),
            id="folder and categories",
        ),
        pytest.param(
            '<outline text="A/B"><outline xmlUrl="https://a/f"/></outline>',
            Subscription("https://a/f", tags=("A⁄B",)),
            id="a slash in a folder's name",
        ),
        pytest.param(
            '<outline text="A & B" xmlUrl="https://a/f?x=1&y=2&copy=3"/>',
            Subscription("https://a/f?x=1&y=2&copy=3", "A & B"),
            id="a bare ampersand",
        ),
        pytest.param(
            '<outline text="caf&eacute;" xmlUrl="https://a/f"/>', Subscription("https://a/f", "café"), id="HTML"
        ),
        pytest.param(
            '<outline text="A" category="a%2Cb,50%25" xmlUrl="https://a/f"/>',
            Subscription("https://a/f", "A", tags=("a,b", "50%")),
            id="a comma in a label",
        ),
        pytest.param(
            '<outline text="link" type="link" url="https://b/"/><outline text="note"/><outline xmlUrl="https://a/f"/>',
            Subscription("https://a/f"),
            id="outlines that are no feeds",
        ),
        pytest.param(
            '<outline text="E"><outline xmlUrl="https://a/f"/></outline><outline text="F" ><outline text="A" '
            'xmlUrl="https://a/f"/></outline>',
            Subscription("https://a/f", "A", tags=("E", "F")),
            id="in two folders",
        ),
    ],
)
def test_opml_as_found_in_the_wild(body, expected):
    (found,) = read_subscriptions(opml(body)).feeds
    assert found == expected


def test_a_plain_list_has_comments_and_blank_lines():
    found = read_subscriptions(b"\xef\xbb\xbf# mine\n\n https://a/f \r\nhttp://b/f#x # good\nhttps://a/f\n").feeds
    assert [feed.url for feed in found] == ["https://a/f", "http://b/f#x"]


@pytest.mark.parametrize(
    "data",
    [
        opml('<outline text="ä" xmlUrl="https://a/f"/>'),
        opml('<outline text="ä" xmlUrl="https://a/f"/>').replace(b"?>", b" encoding='iso-8859-1'?>", 1),
        opml('<outline text="ä" xmlUrl="https://a/f"/>').decode().encode("utf-16"),
        b"\xef\xbb\xbf" + opml('<outline text="ä" xmlUrl="https://a/f"/>'),
        opml('<outline text="ä" xmlUrl="https://a/f"/>').replace(b"<opml", b"<!-- <opml> --><opml xmlns='urn:x'", 1),
    ],
    ids=["UTF-8", "UTF-8 mislabelled", "UTF-16", "byte order mark", "name space"],
)
def test_opml_is_read_in_the_encoding_that_it_is_in(data):
    assert read_subscriptions(data).feeds == [Subscription("https://a/f", "ä")]


def test_nothing_is_no_subscription():
    for nothing in (b"", b"# none yet\n", opml("")):
        assert read_subscriptions(nothing) == SubscriptionList([])


FEED = '<outline type="rss" text="A" xmlUrl="https://a.example/1"/>'
PARTLY_USABLE = {
    "a newsletter": (FEED + '<outline text="N" xmlUrl="newsletter:12:daily"/>', ["newsletter:12:daily"]),
    "a relative address": (FEED + '<outline text="T" xmlUrl="/ongoing.atom"/>', ["/ongoing.atom"]),
    "a feed by FTP": ('<outline xmlUrl="ftp://b.example/f"/>' + FEED, ["ftp://b.example/f"]),
    "several": ('<outline xmlUrl="a"/><outline xmlUrl="mailto:a@b.example"/>' + FEED, ["a", "mailto:a@b.example"]),
}


@pytest.mark.parametrize(("body", "named"), PARTLY_USABLE.values(), ids=PARTLY_USABLE.keys())
def test_what_is_usable_is_taken_and_the_rest_is_named(body, named):
    listed = read_subscriptions(opml(body))
    assert [feed.url for feed in listed.feeds] == ["https://a.example/1"]
    assert listed.unusable == tuple(map(repr, named))
    assert listed.flaw is None


def test_lines_that_are_no_address_are_named_with_their_number():
    listed = read_subscriptions(b"https://a.example/1\nb.example/f\n# x\ntwo words\n")
    assert [feed.url for feed in listed.feeds] == ["https://a.example/1"]
    assert listed.unusable == ("line 2: 'b.example/f'", "line 4: 'two words'")


SCHEMES = {
    "feed://a.example/1": "http://a.example/1",
    "feed:https://a.example/1": "https://a.example/1",
    "FEED:a.example/1": "http://a.example/1",
    "pcast://a.example/1": "http://a.example/1",
    "rss:http://a.example/1": "http://a.example/1",
    "www.a.example/1": "http://www.a.example/1",
    "//a.example/1": "http://a.example/1",
}


@pytest.mark.parametrize(("written", "url"), SCHEMES.items(), ids=SCHEMES.keys())
def test_the_schemes_that_open_a_reader_are_those_of_the_web(written, url):
    for data in (opml(f'<outline xmlUrl="{written}"/>'), f"{written}\n".encode()):
        assert [feed.url for feed in read_subscriptions(data).feeds] == [url]


ODD_FILES = {
    "an undeclared prefix": (FEED.replace("/>", ' frss:priority="important"/>'), 1, False),
    "a name in capitals": ('<OUTLINE TEXT="F">' + FEED + "</OUTLINE>" + FEED.replace("/1", "/2"), 2, False),
    "the address in url": ('<outline type="rss" text="A" url="https://a.example/1"/>', 1, False),
    "an attribute twice": (FEED + FEED.replace("/1", "/2").replace("/>", ' text="B"/>'), 2, True),
    "an end tag too few": ('<outline text="F">' + FEED + FEED.replace("/1", "/2"), 2, True),
    "a bare less-than": (FEED.replace('"A"', '"A < B"'), 1, False),
}


@pytest.mark.parametrize(("body", "count", "has_flaw"), ODD_FILES.values(), ids=ODD_FILES.keys())
def test_opml_with_a_flaw_is_read_all_the_same(body, count, has_flaw):
    listed = read_subscriptions(opml(body))
    assert [feed.url for feed in listed.feeds] == [f"https://a.example/{i}" for i in range(1, count + 1)]
    assert bool(listed.flaw) is has_flaw


def test_a_file_that_was_cut_anywhere_gives_the_feeds_that_are_whole():
    feeds = [FEED.replace("/1", f"/{number}") for number in range(1, 6)]
    data = opml("".join(feeds)).decode()
    for length in range(data.index(feeds[0]) + len(feeds[0]), len(data) - 1):
        listed = read_subscriptions(data[:length].encode())
        addresses = [data.index(f"a.example/{number}") + len("a.example/1") for number in range(1, 6)]
        assert (
            sum(end + 3 <= length for end in addresses) <= len(listed.feeds) <= sum(end <= length for end in addresses)
        )
        assert listed.flaw


@pytest.mark.parametrize(
    "outline",
    [
        "<outline text=B type=rss xmlUrl=https://b.example/2 />",
        "<outline text=“B” xmlUrl=“https://b.example/2”/>",
        '<outline text="B xmlUrl="https://b.example/2"/>',
        '<outline text="a "b" c" xmlUrl="https://b.example/2"/>',
        '<![CDATA[<outline text="B" xmlUrl="https://b.example/2"/>',
        '<!-- ours: <outline text="B" xmlUrl="https://b.example/2"/>',
        '</body></opml><opml><body><outline text="B" xmlUrl="https://b.example/2"/>',
        '<x:outline text="B" xmlUrl="https://b.example/2"/>',
        '<outline text="B" feedUrl="https://b.example/2"/>',
    ],
)
def test_an_outline_that_is_no_xml_is_taken_all_the_same(outline):
    listed = read_subscriptions(opml(FEED + outline))
    assert [feed.url for feed in listed.feeds] == ["https://a.example/1", "https://b.example/2"]


@pytest.mark.parametrize("data", [f"<body>{FEED}</body>", FEED, f"exported by x\n{opml(FEED).decode()}"])
def test_outlines_are_read_without_their_root_and_behind_words(data):
    assert [feed.url for feed in read_subscriptions(data.encode()).feeds] == ["https://a.example/1"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<rss version='2.0'><channel/></rss>", id="a feed"),
        pytest.param(b"<html><body>x</body></html>", id="a page"),
        pytest.param(b"<", id="broken"),
        pytest.param(b"b.example/f\n", id="an address without a scheme"),
        pytest.param(b"https://a/f https://b/f\n", id="two on a line"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"title,address\nA,https://a/f\n", id="a table"),
        pytest.param(b"https://[\n", id="half an address"),
        pytest.param(opml('<outline xmlUrl="https://a/f"/>')[:-24], id="cut in the first feed"),
        pytest.param(opml('<outline xmlUrl="ftp://a/f"/>'), id="a feed by FTP"),
        pytest.param(opml('<outline xmlUrl="a/f"/>'), id="a feed without a host"),
        pytest.param(opml("<outline text='a'>" * 5000 + "</outline>" * 5000), id="folders without end"),
    ],
)
def test_what_is_no_list_is_said_so(data):
    with pytest.raises(ConfigError, match=r"feeds\.txt"):
        read_subscriptions(data, "feeds.txt")


def test_entities_are_not_resolved(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    kind = f'<!DOCTYPE opml [<!ENTITY x SYSTEM "file://{secret}">]>'
    assert read_subscriptions(kind.encode() + opml('<outline text="&x;" xmlUrl="https://a/f"/>')).feeds == [
        Subscription("https://a/f", "&x;")
    ]


def test_entities_do_not_expand_one_another():
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    kind = f'<!DOCTYPE opml [<!ENTITY e0 "lol">{levels}]>'
    (found,) = read_subscriptions(kind.encode() + opml('<outline text="&e9;" xmlUrl="https://a/f"/>')).feeds
    assert found.title == "&e9;"


def test_the_message_names_the_line_and_what_is_wrong():
    with pytest.raises(ConfigError, match=r"mine\.txt, line 3: 'example\.org/feed'"):
        read_subscriptions(b"# mine\n\nexample.org/feed\n", "mine.txt")
    with pytest.raises(ConfigError, match="line 4"):
        read_subscriptions(b"<?xml version='1.0'?>\n\n<opml><body>\n<outline></body></opml>", "mine.opml")
    with pytest.raises(ConfigError, match="'ftp://a/f'"):
        read_subscriptions(opml('<outline xmlUrl="ftp://a/f"/>'), "mine.opml")


def folder_names():
    return st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/⁄\ufffe\uffff"), min_size=1).map(
        str.strip
    ).filter(bool)  # fmt: skip


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            Subscription,
            url=st.from_regex(r"https://[a-z]{1,8}\.example/[a-z0-9?=&%]{0,12}", fullmatch=True),
            title=st.none() | folder_names(),
            site_url=st.none() | st.just("https://site.example/?a=1&b=2"),
            tags=st.lists(st.lists(folder_names(), min_size=1, max_size=3).map("/".join), max_size=3, unique=True).map(
                tuple
            ),
        ),
        unique_by=lambda feed: feed.url,
    )
)
def test_nothing_is_lost_on_the_way_out_and_in(feeds):
    back = {feed.url: feed for feed in read_subscriptions(write_opml(feeds)).feeds}
    assert back == {feed.url: feed for feed in feeds}


def test_the_list_that_comes_with_the_project():
    data = (ROOT / "examples" / "feeds.opml").read_bytes()
    feeds = read_subscriptions(data).feeds
    assert len({site_of(feed.site_url) for feed in feeds}) >= 60
    assert len({feed.url for feed in feeds}) == len({feed.title for feed in feeds}) == data.count(b"xmlUrl=")
    assert all(feed.tags for feed in feeds)
    plain = [feed.url for feed in feeds if not feed.url.startswith("https://")]
    assert all(host_of(url) == "www.people.com.cn" for url in plain)  # has no feeds by HTTPS


def test_a_flood_of_comments_without_an_end_hides_no_feed():
    data = (
        '<opml><body><outline xmlUrl="https://a.example/1"/>'
        + 500_000 * "<!--"
        + "<outline xmlUrl='https://a.example/2' />"
    )
    assert {feed.url for feed in read_subscriptions(data.encode()).feeds} == {
        "https://a.example/1",
        "https://a.example/2",
    }
