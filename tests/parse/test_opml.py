"""Lists of subscriptions: what people have, and what comes back as it went."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.model import Subscription
from pipeline.opml import read_subscriptions, write_opml
from pipeline.urls import host_of, site_of

ROOT = Path(__file__).resolve().parents[1]


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
    (found,) = read_subscriptions(opml(body))
    assert found == expected


def test_a_plain_list_has_comments_and_blank_lines():
    found = read_subscriptions(b"\xef\xbb\xbf# mine\n\n https://a/f \r\nhttp://b/f#x # good\nhttps://a/f\n")
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
    assert read_subscriptions(data) == [Subscription("https://a/f", "ä")]


def test_nothing_is_no_subscription():
    assert read_subscriptions(b"") == read_subscriptions(b"# none yet\n") == read_subscriptions(opml("")) == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<rss version='2.0'><channel/></rss>", id="a feed"),
        pytest.param(b"<html><body>x</body></html>", id="a page"),
        pytest.param(b"<", id="broken"),
        pytest.param(b"https://a/f\nwww.b/f\n", id="an address without a scheme"),
        pytest.param(b"https://a/f https://b/f\n", id="two on a line"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"title,address\nA,https://a/f\n", id="a table"),
        pytest.param(b"https://[\n", id="half an address"),
        pytest.param(opml('<outline xmlUrl="https://a/f"/>')[:-20], id="cut"),
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
    assert read_subscriptions(kind.encode() + opml('<outline text="&x;" xmlUrl="https://a/f"/>')) == [
        Subscription("https://a/f", "&x;")
    ]


def test_entities_do_not_expand_one_another():
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    kind = f'<!DOCTYPE opml [<!ENTITY e0 "lol">{levels}]>'
    (found,) = read_subscriptions(kind.encode() + opml('<outline text="&e9;" xmlUrl="https://a/f"/>'))
    assert found.title == "&e9;"


def test_the_message_names_the_line_and_what_is_wrong():
    with pytest.raises(ConfigError, match=r"mine\.txt, line 3: 'example\.org/feed'"):
        read_subscriptions(b"# mine\nhttps://a/f\nexample.org/feed\n", "mine.txt")
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
    back = {feed.url: feed for feed in read_subscriptions(write_opml(feeds))}
    assert back == {feed.url: feed for feed in feeds}


def test_the_list_that_comes_with_the_project():
    data = (ROOT / "examples" / "feeds.opml").read_bytes()
    feeds = read_subscriptions(data)
    assert len({site_of(feed.site_url) for feed in feeds}) >= 60
    assert len({feed.url for feed in feeds}) == len({feed.title for feed in feeds}) == data.count(b"xmlUrl=")
    assert all(feed.tags for feed in feeds)
    plain = [feed.url for feed in feeds if not feed.url.startswith("https://")]
    assert all(host_of(url) == "www.people.com.cn" for url in plain)  # has no feeds by HTTPS
