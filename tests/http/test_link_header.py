"""Links in HTTP headers."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.http.link_header import MAX_LINKS, Link, absolute_url, read_links

PAGE = "https://news.example/world/"


def link(url, *rels, **fields):
    return Link(url, frozenset(rels), **fields)


@pytest.mark.parametrize(
    ("header", "links"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param('<https://hub.example/>; rel="hub"', [link("https://hub.example/", "hub")], id="quoted"),
        pytest.param("<https://hub.example/>;rel=hub", [link("https://hub.example/", "hub")], id="a token"),
        pytest.param('<feed.xml>; rel="self"', [link(PAGE + "feed.xml", "self")], id="a relative target"),
        pytest.param('<a>; rel="HUB  Self"', [link(PAGE + "a", "hub", "self")], id="several relations"),
        pytest.param(
            '<a>; rel=hub, <b>; rel="self"', [link(PAGE + "a", "hub"), link(PAGE + "b", "self")], id="several"
        ),
        pytest.param('<a,b;c>; rel="self"', [link(PAGE + "a,b;c", "self")], id="separators in the target"),
        pytest.param(
            '<a>; title="x, <y>; rel=hub"; rel=self',
            [link(PAGE + "a", "self", title="x, <y>; rel=hub")],
            id="in quotes",
        ),
        pytest.param(
            r'<a>; title="say \"hub\""; rel=self', [link(PAGE + "a", "self", title='say "hub"')], id="escapes"
        ),
        pytest.param("<a>; rel=hub; rel=self", [link(PAGE + "a", "hub")], id="the first of two relations"),
        pytest.param(
            "<a>;rel=alternate;type=Application/RSS+XML",
            [link(PAGE + "a", "alternate", type="application/rss+xml")],
            id="type",
        ),
        pytest.param('<a>; rel="hub', [link(PAGE + "a")], id="a quote without end"),
        pytest.param("<a>; rel", [link(PAGE + "a")], id="a name without a value"),
        pytest.param("<a", [], id="a target without end"),
        pytest.param("<mailto:x@y.example>; rel=hub, <javascript:1>; rel=hub", [], id="no http"),
        pytest.param("<http://[>; rel=hub, <a>; rel=self", [link(PAGE + "a", "self")], id="no URL"),
        pytest.param(
            '</wp-json/>; rel="https://api.w.org/"',
            [link("https://news.example/wp-json/", "https://api.w.org/")],
            id="WordPress",
        ),
    ],
)
def test_links_are_read(header, links):
    assert list(read_links(header, PAGE)) == links


def test_no_more_links_than_the_limit_are_read():
    assert len(read_links(", ".join("<a>; rel=x" for _ in range(500)), PAGE)) == MAX_LINKS


@given(
    st.text(st.sampled_from('<>;,="\\ \tabrelhub/:[]\x00é'), max_size=300) | st.text(max_size=200), st.text(max_size=30)
)
@example("<http://[>; rel=hub", "http://[")
def test_any_header_is_read(header, url):
    for found in read_links(header, url):
        assert found.url.lower().startswith(("http://", "https://"))
        assert absolute_url(found.url, url) is not None


def test_a_flood_of_blanks_is_passed_over():
    assert read_links(" " * 1_000_000 + 'x, <a>; rel="self"', PAGE) == (link(PAGE + "a", "self"),)
