"""Canonical URLs: tables of what was seen in the wild, and two properties (survives anything; twice is once)."""

import doctest
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import urls
from pipeline.urls import (
    MAX_URL_LENGTH,
    TRACKING_PARAMETERS,
    TRACKING_PREFIXES,
    canonical_url,
    host_of,
    is_on_site,
    is_same_site,
    site_of,
)

SPELLINGS = {
    "scheme and host in lower case": ("HTTPS://Www.Example.COM/Path", "https://www.example.com/Path"),
    "default port of http": ("http://example.com:80/a", "http://example.com/a"),
    "default port of https": ("https://example.com:443/a", "https://example.com/a"),
    "foreign default port": ("http://example.com:443/a", "http://example.com:443/a"),
    "port with zeros": ("http://example.com:08080/a", "http://example.com:8080/a"),
    "port without digits": ("http://example.com:/a", "http://example.com/a"),
    "user info": ("https://me:secret@example.com/a", "https://example.com/a"),
    "user info that looks like a host": ("https://example.com@evil.example/a", "https://evil.example/a"),
    "no path": ("https://example.com", "https://example.com/"),
    "query without path": ("https://example.com?p=7", "https://example.com/?p=7"),
    "dot segments": ("https://example.com/a/./b/../../c/", "https://example.com/c/"),
    "dot segments above the root": ("https://example.com/../../a", "https://example.com/a"),
    "dot segments escaped": ("https://example.com/a/%2e%2E/b", "https://example.com/b"),
    "dot segment at the end": ("https://example.com/a/b/..", "https://example.com/a/"),
    "double slashes are kept": ("https://example.com//a//b", "https://example.com//a//b"),
    "trailing slash is kept": ("https://example.com/a/", "https://example.com/a/"),
    "lower-case escapes": ("https://example.com/%c3%a4", "https://example.com/%C3%A4"),
    "escaped letters": ("https://example.com/%61%2Db%5f%7E", "https://example.com/a-b_~"),
    "escaped slash is another path": ("https://example.com/a%2fb", "https://example.com/a%2Fb"),
    "not ASCII": ("https://example.com/straße?q=ü", "https://example.com/stra%C3%9Fe?q=%C3%BC"),
    "Latin-1 escapes are kept": ("https://example.com/stra%dfe", "https://example.com/stra%DFe"),
    "space": ("https://example.com/a b?c d", "https://example.com/a%20b?c%20d"),
    "plus is kept": ("https://example.com/?q=a+b", "https://example.com/?q=a+b"),
    "brackets": ("https://example.com/?a[]=1&a%5b%5d=2", "https://example.com/?a%5B%5D=1&a%5B%5D=2"),
    "stray per cent": ("https://example.com/100%-free?x=%zz%", "https://example.com/100%25-free?x=%25zz%25"),
    "fragment": ("https://example.com/a#comments", "https://example.com/a"),
    "fragment with a question mark": ("https://example.com/a#b?c=1", "https://example.com/a"),
    "empty query": ("https://example.com/a?", "https://example.com/a"),
    "empty parameters": ("https://example.com/a?&&b=1&", "https://example.com/a?b=1"),
    "order of the query is kept": ("https://example.com/?b=2&a=1&b=1", "https://example.com/?b=2&a=1&b=1"),
    "query without names": ("https://example.com/?4711", "https://example.com/?4711"),
    "question marks in the query": ("https://example.com/?a=b?c", "https://example.com/?a=b?c"),
    "markup escaped twice": ("https://example.com/?a=1&amp;b=2&amp;amp;c=3", "https://example.com/?a=1&b=2&c=3"),
    "empty parameters at the end": ("https://example.com/a;?b=1", "https://example.com/a?b=1"),
    "session in the path": ("https://example.com/a;jsessionid=0A1B?b=1", "https://example.com/a?b=1"),
    "other path parameters are kept": ("https://example.com/a;v=1/b", "https://example.com/a;v=1/b"),
    "umlaut domain": ("https://www.Müller.example/", "https://www.xn--mller-kva.example/"),
    "sharp s is no ss": ("https://faß.example/", "https://xn--fa-hia.example/"),
    "domain in ASCII already": ("https://XN--MLLER-KVA.example/", "https://xn--mller-kva.example/"),
    "ideographic full stop": ("https://例え。jp/", "https://xn--r8jz45g.jp/"),
    "full-width letters": ("https://ｅｘａｍｐｌｅ.com/", "https://example.com/"),
    "emoji domain": ("https://i❤.example/", "https://xn--i-7iq.example/"),
    "underscore in a host": ("https://foo_bar.müller.example/", "https://foo_bar.xn--mller-kva.example/"),
    "escaped host": ("https://ex%61mple.com/", "https://example.com/"),
    "root dot": ("https://example.com./a", "https://example.com/a"),
    "address": ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
    "address in hexadecimal": ("http://0x7F.1/", "http://127.0.0.1/"),
    "address as one number": ("http://2130706433/", "http://127.0.0.1/"),
    "address in octal": ("http://0177.0.0.01/", "http://127.0.0.1/"),
    "IPv6": ("http://[2001:DB8:0:0::1]:80/", "http://[2001:db8::1]/"),
    "IPv6 with port": ("https://[::1]:8443/a", "https://[::1]:8443/a"),
    "white space around": ("\n\t https://example.com/a \r\n", "https://example.com/a"),
    "no-break and zero-width space around": ("\ufeff\xa0https://example.com/a\u200b", "https://example.com/a"),
    "line break inside": ("https://example.com/a-\n  b", "https://example.com/a-%20%20b"),
    "backslashes": ("https:\\\\example.com\\a\\b?c=\\d", "https://example.com/a/b?c=%5Cd"),
    "lone surrogate": ("https://example.com/\ud83d", "https://example.com/%EF%BF%BD"),
    "control character": ("https://example.com/a\x00b\x7fc", "https://example.com/a%00b%7Fc"),
}


@pytest.mark.parametrize(("given_url", "expected"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_each_spelling_has_one_canonical_form(given_url, expected):
    assert canonical_url(given_url) == expected
    assert canonical_url(expected) == expected


TRACKED = {
    "Google Analytics": "utm_source=rss&utm_medium=feed&utm_campaign=x&utm_id=1",
    "names in upper case": "UTM_Source=rss",
    "names that are escaped": "utm%5fsource=rss&%66bclid=1",
    "names without value": "utm_source&fbclid",
    "clicks": "fbclid=1&gclid=2&msclkid=3&yclid=4&igshid=5&twclid=6",
    "newsletters": "mc_cid=1&mc_eid=2&mkt_tok=3&_hsenc=4&_hsmi=5&hsCtaTracking=6",
    "BBC": "at_medium=RSS&at_campaign=KARANGA&at_custom1=link",
    "heise": "wt_mc=rss.red.ho.ho.rdf.beitrag.beitrag",
    "Daily Mail": "ns_mchannel=rss&ns_campaign=1490&ito=1490",
    "Reuters": "feedType=RSS&feedName=topNews",
    "Matomo": "mtm_campaign=a&pk_kwd=b",
    "double-escaped": "amp;utm_source=rss",
}


@pytest.mark.parametrize("query", TRACKED.values(), ids=TRACKED.keys())
def test_tracking_is_dropped_and_what_stands_around_it_stays(query):
    assert canonical_url(f"https://example.com/a?{query}") == "https://example.com/a"
    assert canonical_url(f"https://example.com/a?x=1&{query}&y=2") == "https://example.com/a?x=1&y=2"


@pytest.mark.parametrize(
    "name", ["id", "p", "article", "story", "page", "cid", "sid", "ref", "source", "mod", "cat", "news_id", "my_utm_x"]
)
def test_parameters_that_may_name_an_article_stay(name):
    url = f"https://example.com/?{name}=17"
    assert canonical_url(url) == url


def test_the_lists_of_tracking_parameters_are_in_lower_case():
    assert all(name == name.lower() for name in [*TRACKING_PARAMETERS, *TRACKING_PREFIXES])


JOINED = {
    "relative to the folder": ("b", "https://example.com/a/feed.xml", "https://example.com/a/b"),
    "relative to the root": ("/b", "https://example.com/a/feed.xml", "https://example.com/b"),
    "up": ("../b", "https://example.com/a/c/feed.xml", "https://example.com/a/b"),
    "query only": ("?p=1", "https://example.com/feed?format=rss", "https://example.com/feed?p=1"),
    "without scheme": ("//cdn.example.com/b", "https://example.com/", "https://cdn.example.com/b"),
    "absolute": ("http://other.example/b", "https://example.com/", "http://other.example/b"),
    "base in another spelling": ("b", " HTTPS://Example.COM:443/a/ ", "https://example.com/a/b"),
    "backslash": ("\\b", "https://example.com/a/", "https://example.com/b"),
}


@pytest.mark.parametrize(("url", "base", "expected"), JOINED.values(), ids=JOINED.keys())
def test_a_link_is_resolved_against_its_base(url, base, expected):
    assert canonical_url(url, base) == expected


JUNK = {
    "bracket": "http://[",
    "closed bracket": "http://[]/",
    "bracket inside": "http://a[b]c/",
    "text behind an IPv6 address": "http://[::1]x/",
    "IPv6 with a zone": "http://[fe80::1%25eth0]/",
    "IPv6 of the future": "http://[v1.fe]/",
    "empty": "",
    "blank": " \n",
    "no scheme": "example.com/a",
    "scheme relative": "//example.com/a",
    "path": "/a",
    "fragment": "#",
    "no host": "http:///a",
    "no host but a port": "http://:80/",
    "no host but a user": "http://me@/",
    "one slash": "https:/example.com/",
    "no slashes": "https:example.com",
    "mail": "mailto:me@example.com",
    "script": "javascript:void(0)",
    "tag": "tag:example.com,2024:1",
    "urn": "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
    "file": "file:///etc/passwd",
    "ftp": "ftp://example.com/a",
    "data": "data:text/html,http://example.com/",
    "space in the host": "http://exa mple.com/",
    "empty label": "http://example..com/",
    "root only": "http://./",
    "label too long": f"http://{'a' * 64}.com/",
    "host too long": f"http://{'a.' * 127}com/",
    "port too large": "http://example.com:65536/",
    "port zero": "http://example.com:0/",
    "port in words": "http://example.com:http/",
    "port with other digits": "http://example.com:٨٠/",
    "two ports": "http://example.com:80:80/",
    "five numbers": "http://1.2.3.4.5/",
    "number too large": "http://256.1.1.1/",
    "address too large": "http://4294967296/",
    "octal that is none": "http://08.1.1.1/",
    "numbers in another place": "http://example.1/",
    "character that hides a slash": "http://example.com℀evil.example/",
    "forbidden character": "http://exa<mple.com/",
    "escaped NUL in the host": "http://example%00.com/",
    "escaped junk in the host": "http://%ff.com/",
    "surrogate in the host": "http://\ud800.com/",
    "too long": "https://example.com/" + "a" * MAX_URL_LENGTH,
    "too long when escaped": "https://example.com/" + "ä" * (MAX_URL_LENGTH // 6),
    "far too long": "https://example.com/?utm_source=" + "a" * 1_000_000,
}


@pytest.mark.parametrize("url", JUNK.values(), ids=JUNK.keys())
def test_what_is_no_absolute_http_url_is_a_value_error(url):
    with pytest.raises(ValueError):
        canonical_url(url)


@pytest.mark.parametrize("base", ["http://[", "mailto:me@example.com", "", "feed.xml"])
def test_a_useless_base_is_a_value_error_too(base):
    with pytest.raises(ValueError):
        canonical_url("b", base)


def test_an_empty_link_does_not_mean_the_feed_itself():
    with pytest.raises(ValueError):
        canonical_url(" ", "https://example.com/feed.xml")


ANYTHING = st.text(st.characters(), max_size=60)  # surrogates included
PIECES = [
    *"/\\.%@:[]?#&=;a1É。 \n\x00",
    "http:",
    "https:",
    "//",
    "..",
    "%2",
    "%2e",
    "%41",
    "%ff",
    "80",
    "::1",
    "0x",
    "xn--",
]
NEARLY = st.lists(st.sampled_from([*PIECES, "utm_", "amp;", ";jsessionid="]), max_size=14).map("".join)


@given(st.one_of(ANYTHING, NEARLY, st.builds("http://{}".format, st.one_of(ANYTHING, NEARLY))))
@example("http://[")
@example("http://\ud800/")
@example("http://a/%4%31")
@example("http://a/;jsession;jsessionid=id=1")
@example("http://a/b;jsessionid=;")
@example("http://a/.;jsessionid=1/b")
@example("http://a?amp;amp;utm_source&amp;")
def test_any_text_is_refused_or_made_canonical_once_and_for_all(text):
    try:
        once = canonical_url(text)
    except ValueError:
        return
    assert canonical_url(once) == once
    assert once.isascii()
    assert len(once) <= MAX_URL_LENGTH
    assert once.startswith(f"{urlsplit(once).scheme}://{host_of(once)}/")
    assert "#" not in once
    assert " " not in once


LABEL = st.from_regex(r"[A-Za-z]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
HOSTS = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
COMPONENT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    st.sampled_from(["http", "https", "HTTPS"]),
    HOSTS,
    st.one_of(st.just(""), st.integers(1, 65535).map(":{}".format)),
    COMPONENT,
    COMPONENT,
)
def test_every_absolute_http_url_has_a_canonical_form(scheme, host, port, path, query):
    url = f"{scheme}://{host}{port}/{path}?{query}"
    canonical = canonical_url(url)
    assert canonical_url(canonical) == canonical
    assert urlsplit(canonical).hostname == host.lower()
    assert host_of(url) == host_of(canonical)
    assert is_same_site(url, canonical)


@given(
    st.from_regex(r"https?://([a-z0-9-]{1,4}\.){1,6}[a-z0-9]{1,3}/", fullmatch=True),
    st.text("aZ9._~-/;:@&=+,%2EeF30'()", max_size=12),
    st.text("aZ9._~-/;:@&=+,%2EeF30'()?_gautm", max_size=12),
    st.text("a#/.? ", max_size=4),
)
@example("https://a.example/", "%2F", "utm_a=1&b=2", "")
@example("https://a.example/", "..", "", "")
def test_a_url_that_is_canonical_at_sight_is_what_taking_it_apart_makes_of_it(root, path, query, fragment):
    """A tab is no part of an address, and has it taken apart."""
    url = f"{root}{path}?{query}"
    assert canonical_or_none(f"{url}#{fragment}") == canonical_or_none(f"{url}\t#{fragment}")


def canonical_or_none(url):
    try:
        return canonical_url(url)
    except ValueError:
        return None


@given(st.text(max_size=40), st.text(max_size=40))
def test_comparing_sites_survives_anything(a, b):
    assert is_same_site(a, b) == is_same_site(b, a)


HOSTS_OF = {
    "name": ("https://WWW.Example.com/a", "www.example.com", "example.com"),
    "port": ("http://example.com:8080/", "example.com:8080", "example.com"),
    "default port": ("http://example.com:80/", "example.com", "example.com"),
    "subdomain": ("https://edition.example.com/", "edition.example.com", "edition.example.com"),
    "umlaut": ("https://www.müller.example/", "www.xn--mller-kva.example", "xn--mller-kva.example"),
    "address": ("http://127.0.0.1:80/", "127.0.0.1", "127.0.0.1"),
    "IPv6": ("http://[::1]:81/", "[::1]:81", "[::1]"),
    "www as the domain": ("https://www.com/", "www.com", "www.com"),
    "one label": ("http://localhost:9/", "localhost:9", "localhost"),
}


@pytest.mark.parametrize(("url", "host", "site"), HOSTS_OF.values(), ids=HOSTS_OF.keys())
def test_host_and_site(url, host, site):
    assert host_of(url) == host
    assert site_of(url) == site


@pytest.mark.parametrize("question", [host_of, site_of])
@pytest.mark.parametrize("url", ["http://[", "example.com", "mailto:me@example.com", ""])
def test_junk_has_neither_host_nor_site(question, url):
    with pytest.raises(ValueError):
        question(url)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("https://www.example.com/a", "http://example.com:8080/b", True),
        ("https://m.example.com/a", "https://www.example.com/a", True),
        ("https://example.com/", "https://blog.example.com/", True),
        ("https://notexample.com/", "https://example.com/", False),
        ("https://example.com/", "https://example.org/", False),
        ("https://a.example.com/", "https://b.example.com/", True),
        ("https://news.example.co.uk/", "https://shop.other.co.uk/", False),
        ("https://ann.blogspot.com/", "https://bo.blogspot.com/", False),
        ("https://10.0.0.1/", "https://10.9.0.1/", False),
        ("https://example.com/", "nonsense", False),
    ],
)
def test_sites_are_the_same_under_one_registered_domain(a, b, expected):
    assert is_same_site(a, b) is expected


@pytest.mark.parametrize(
    ("url", "site", "expected"),
    [
        ("https://www.example.com/a", "example.com", True),
        ("https://m.example.com:8080/a", "www.Example.com", True),
        ("https://example.com/a", "m.example.com", False),
        ("https://notexample.com/", "example.com", False),
        ("nonsense", "example.com", False),
    ],
)
def test_a_site_has_the_hosts_below_it_and_not_those_above(url, site, expected):
    assert is_on_site(url, site) is expected


def test_the_examples_in_the_documentation_hold():
    failed, tried = doctest.testmod(urls)
    assert (failed, tried > 0) == (0, True)
