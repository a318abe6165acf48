"""What is fuzzed: one function of bytes for each place where hostile bytes arrive, and what must hold for all of them.

A target fails by raising anything, by taking longer than the runner allows, or by one of its assertions.
"""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pipeline.errors import ExtractError, FeedError
from pipeline.extract import PageInput, extract_article
from pipeline.extract.blocks import segment_page
from pipeline.html.decode import parse_html
from pipeline.html.structured_data import read_structured
from pipeline.model import NoArticle
from pipeline.parse import parse_feed
from pipeline.urls import canonical_url, host_of, is_same_site, site_of

URL = "https://news.example/section/page.html"
NOW = datetime(2024, 3, 12, 12, tzinfo=UTC)
CHARSETS = (None, "iso-8859-1", "utf-8", "windows-1251", "utf-16")


def feeds(body: bytes) -> None:
    """Any bytes are a feed or a `FeedError`."""
    try:
        feed = parse_feed(body, URL, charset=CHARSETS[len(body) % len(CHARSETS)], now=NOW)
    except FeedError:
        return
    assert len({entry.guid for entry in feed.entries}) == len(feed.entries)
    for url in (*feed.hub_urls, feed.self_url, *feed.children):
        assert url is None or url.startswith(("http://", "https://"))
    for text in (feed.title, feed.language, feed.malformed):
        assert_storable(text)
    for entry in feed.entries:
        assert entry.guid
        for text in (
            entry.guid,
            entry.title,
            entry.summary,
            *entry.authors,
            *entry.tags,
        ):
            assert_storable(text)
        assert entry.url is None or canonical_url(entry.url) == entry.url
        assert entry.published_at is None or entry.published_at.tzinfo is UTC


def urls(body: bytes) -> None:
    """Any text is a URL, of which the canonical form is canonical, or a `ValueError`."""
    text, _, base = body.decode("utf-8", "surrogateescape").partition("\n\n")
    for given in (None, base or URL):
        try:
            url = canonical_url(text, given)
        except ValueError:
            continue
        assert canonical_url(url) == url
        assert canonical_url(url, given) == url
        assert url.isascii()
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert parts.netloc == host_of(url)
        assert site_of(url)
        assert is_same_site(url, url)
    is_same_site(text, base)


def pages(body: bytes) -> None:
    """Any bytes are an article, none, or an `ExtractError`."""
    try:
        article = extract_article(PageInput(body, URL, charset=CHARSETS[len(body) % len(CHARSETS)], published_hint=NOW))
    except ExtractError:
        return
    assert_storable(article.title)
    if isinstance(article, NoArticle):
        return
    assert article.text.strip()
    for text in (
        article.text,
        article.description,
        article.section,
        *article.authors,
        *article.tags,
    ):
        assert_storable(text)
    assert canonical_url(article.url) == article.url


def classes(body: bytes) -> None:
    """Any bytes have a class, whatever they were sent as."""
    from pipeline.classify import class_of_page, class_of_refusal, gather_page_facts
    from pipeline.classify.media_types import kind_of_bytes

    kind_of_bytes(("text/html", "", "image/png")[len(body) % 3], body)
    class_of_refusal(403, {"server": "x"}, body)
    try:
        document = parse_html(body, CHARSETS[len(body) % len(CHARSETS)], URL)
        structured = read_structured(document.tree, URL)
        shown = segment_page(document.tree).blocks
    except (ExtractError, RecursionError):
        return
    # With the page's own text as the article, with a part of it, and with none.
    texts = [block.text for block in shown]
    for text in ("\n\n".join(texts), "\n\n".join(texts[1:3]), ""):
        assert class_of_page(gather_page_facts(URL, document, structured, shown, text)).page_class


def assert_storable(text: str | None) -> None:
    """PostgreSQL takes neither NUL nor halves of surrogate pairs."""
    assert "\x00" not in (text or "")
    (text or "").encode()


@dataclass(frozen=True, slots=True)
class Target:
    """Something to fuzz.

    Attributes:
        instrumented: packages whose branches guide the fuzzer.
        words: what the mutator puts in whole, since chance does not find it; separated by white space.
        max_length: longest input, in bytes.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    words: str
    max_length: int


def _feed_seeds() -> Iterator[bytes]:
    from tests.parse import test_feed, test_jsonfeed, test_sitemap

    yield from (document.encode() for document in test_feed.SEEDS)
    yield from (document.encode() for document, _ in test_feed.FORMATS.values())
    yield from (body for body, _, _ in test_feed.ENCODINGS.values())
    yield from (body for body, _ in test_feed.NO_FEEDS.values())
    yield from (document.encode() for document, _, _ in test_jsonfeed.BROKEN.values())
    yield from (document.encode() for document, _ in test_sitemap.FORMS.values())
    yield from (document.encode() for document, _ in test_sitemap.NO_SITEMAPS.values())
    children = (test_sitemap.child(f"/{number}.xml", "2024-03-12") for number in range(3))
    yield test_sitemap.index(*children).encode()
    yield gzip.compress(test_sitemap.SMALL)


def _page_seeds() -> Iterator[bytes]:
    from tests.support.stories import article_page

    ld = '{"@context":"https://schema.org","@graph":[{"@type":"NewsArticle","headline":"A","author":[{"name":"B C"}]}]}'
    head = (
        f'<script type="application/ld+json">{ld}</script><meta property="article:published_time" content="2024-03-12">'
        '<meta name="author" content="By A B"><link rel="canonical" href="/1"><base href="x">'
    )
    yield article_page(1).encode()
    yield article_page(2, head=head).encode()
    yield b"<html><body><form><input type=password></form><p>Please enable cookies</p><table><tr><td>x</table>"
    yield "<title>Größe</title><h1>A</h1><article itemscope><p itemprop=articleBody>ä ö".encode("latin-1")
    yield b"<div><div><ul><li><a href=/a>A headline that leads elsewhere</a></ul><noscript>Enable JavaScript</noscript>"


def _url_seeds() -> Iterator[bytes]:
    yield from (
        b"https://www.news.example:443/a/../b;jsessionid=1?utm_source=x&b=%7e#c",
        b"../a?b\n\nhttps://news.example/x/y",
        b"//[::ffff:1.2.3.4]:80/",
        "https://größe.example/ä?ö".encode(),
        b"http://0x7f.1/",
        b"http://user:pw@host%2eexample:8080\\a",
        b"HTTP://xn--exmple-cua.com./%e4",
    )


_XML = """
<![CDATA[ ]]> <!-- --> <item> </item> <entry> </entry> <link> <title> <guid> <rss> <rdf:RDF> <feed> <channel> <urlset>
<url> <loc> <lastmod> <news:news> <sitemapindex> <sitemap> xmlns: xml:base= &amp; &#x0; &#xD800; <!DOCTYPE <?xml
encoding= 2024-03-12T10:00:00Z +24:00 0001-01-01 9999-12-31T23:59:59-14:00
"""
_JSON = r"""
"items":[ "id": "url": "version":"https://jsonfeed.org/version/1.1" "authors": "hubs": \ud800 1e999
"""
_HTML = """
<article> <p> </p> <h1> <table> <svg> <noscript> <div <a href= itemprop= <meta property= content= "@graph":[ itemscope
type=application/ld+json> {"@type":"NewsArticle", captcha subscribe cookies
"""
_ADDRESS = r"""
http:// https:// %2e %00 .. // [::] @ :80 xn-- ?utm_source= &amp; \ ;jsessionid=
"""

TARGETS = {
    "urls": Target(urls, _url_seeds, _ADDRESS, 512),
    "feeds": Target(feeds, _feed_seeds, _XML + _JSON, 4096),
    "pages": Target(pages, _page_seeds, _HTML + _XML, 8192),
    "classes": Target(classes, _page_seeds, _HTML + _XML, 8192),
}
