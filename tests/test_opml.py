"""Lists of subscriptions: what people have, and what comes back as it went."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.model import Subscription
from pipeline.opml import read_subscriptions, write_opml

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
        pytest.param('<outline xmlUrl="https://a/f?x=1&y=2"/>', Subscription("https://a/f?x=1"), id="a bare ampersand"),
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
    assert found.url.startswith(expected.url)
    assert (found.title, found.site_url, found.tags) == (expected.title, expected.site_url, expected.tags)


def test_a_plain_list_has_comments_and_blank_lines():
    found = read_subscriptions(b"\xef\xbb\xbf# mine\n\n https://a/f \r\nhttp://b/f\nhttps://a/f\n")
    assert [feed.url for feed in found] == ["https://a/f", "http://b/f"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<rss version='2.0'><channel/></rss>", id="a feed"),
        pytest.param(b"<html><body>x</body></html>", id="a page"),
        pytest.param(b"<", id="broken"),
        pytest.param(b"https://a/f\nwww.b/f\n", id="an address without a scheme"),
        pytest.param(b"https://a/f https://b/f\n", id="two on a line"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_what_is_no_list_is_said_so(data):
    with pytest.raises(ConfigError, match="feeds.txt"):
        read_subscriptions(data, "feeds.txt")


def test_entities_are_not_resolved(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    data = f'<!DOCTYPE opml [<!ENTITY x SYSTEM "file://{secret}">]>'.encode() + opml(
        '<outline text="&x;" xmlUrl="https://a/f"/>'
    ).removeprefix(b'<?xml version="1.0"?>')
    assert "SECRET" not in str(read_subscriptions(data))


def test_folders_without_end_end():
    deep = "<outline text='a'>" * 5000 + '<outline xmlUrl="https://a/f"/>' + "</outline>" * 5000
    assert len(read_subscriptions(opml(deep))) <= 1


def folder_names():
    return st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/,⁄"), min_size=1).map(
        str.strip
    ).filter(bool)  # fmt: skip


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
    feeds = read_subscriptions((ROOT / "examples" / "feeds.opml").read_bytes())
    assert len({feed.site_url for feed in feeds}) >= 60
    assert all(feed.title and feed.tags and feed.site_url for feed in feeds)
    assert all(feed.url.startswith(("https://", "http://")) for feed in feeds)
