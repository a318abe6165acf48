"""Feed documents become entries: every format, and every way of getting it wrong that was seen or thought of."""

import codecs
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import FeedError
from pipeline.parse import parse_feed
from pipeline.parse.fields import MAX_GUID, MAX_NAMES, MAX_SUMMARY, MAX_TITLE
from pipeline.parse.frame import MAX_ENTRIES, MAX_ENTRY, MAX_ENTRY_MARKS, MAX_MARKS

URL = "https://news.example/rss/feed.xml"
NAMESPACES = (
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
)
GOOD = "<item><guid>good</guid><title>Good</title><link>https://news.example/good</link></item>"


def rss(*items, head="<title>News</title><link>https://news.example/</link>", root=NAMESPACES):
    return f'<?xml version="1.0"?>\n<rss version="2.0" {root}><channel>{head}{"".join(items)}</channel></rss>'


def atom(*entries, head="<title>News</title><id>urn:news</id>", root=""):
    return f'<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom" {root}>{head}{"".join(entries)}</feed>'


def read(document, url=URL, **options):
    return parse_feed(document.encode() if isinstance(document, str) else document, url, **options)


def outcome_of(body):
    """The feed, or the reason why it is none."""
    try:
        return read(body)
    except FeedError as error:
        return error.reason


def entry_of(document, **options):
    (entry,) = read(document, **options).entries
    return entry


def item(inner):
    return entry_of(rss(f"<item>{inner}</item>"))


# --- Formats

FORMATS = {
    "RSS 0.91": (
        '<rss version="0.91"><channel><title>News</title><link>https://news.example/</link><item><title>One</title>'
        "<link>https://news.example/1</link><description>Text</description></item></channel></rss>",
        "rss",
    ),
    "RSS 0.92": (
        '<rss version="0.92"><channel><title>News</title><link>https://news.example/</link><item><title>One</title>'
        "<link>https://news.example/1</link><description>Text</description></item></channel></rss>",
        "rss",
    ),
    "RSS 2.0": (
        rss("<item><title>One</title><link>https://news.example/1</link><description>Text</description></item>"),
        "rss",
    ),
    "RSS 0.90 in RDF": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
        "<channel><title>News</title><link>https://news.example/</link></channel><item><title>One</title>"
        "<link>https://news.example/1</link><description>Text</description></item></rdf:RDF>",
        "rss",
    ),
    "RSS 1.0 in RDF": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        '<channel rdf:about="https://news.example/"><title>News</title><link>https://news.example/</link><items><rdf:Seq>'
        '<rdf:li rdf:resource="https://news.example/1"/></rdf:Seq></items></channel>'
        '<item rdf:about="https://news.example/1"><title>One</title><link>https://news.example/1</link>'
        "<description>Text</description></item></rdf:RDF>",
        "rss",
    ),
    "Atom 0.3": (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>News</title>'
        '<link rel="alternate" type="text/html" href="https://news.example/"/><entry><title>One</title>'
        '<link rel="alternate" type="text/html" href="https://news.example/1"/><id>tag:1</id>'
        "<summary>Text</summary></entry></feed>",
        "atom",
    ),
    "Atom 1.0": (
        atom(
            '<entry><id>tag:1</id><title>One</title><link href="https://news.example/1"/><summary>Text</summary></entry>',
            head='<title>News</title><link href="https://news.example/"/><id>urn:news</id>',
        ),
        "atom",
    ),
    "Atom 1.0 with prefixes": (
        '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>News</a:title><a:link href="https://news.example/"/>'
        '<a:entry><a:id>tag:1</a:id><a:title>One</a:title><a:link href="https://news.example/1"/>'
        "<a:summary>Text</a:summary></a:entry></a:feed>",
        "atom",
    ),
    "a channel that lost its rss": (
        "<channel><title>News</title><link>https://news.example/</link><item><title>One</title>"
        "<link>https://news.example/1</link><description>Text</description></item></channel>",
        "unknown",
    ),
}


@pytest.mark.parametrize(("document", "format_"), FORMATS.values(), ids=FORMATS.keys())
def test_every_format_says_the_same(document, format_):
    feed = read(document)
    (entry,) = feed.entries
    assert (feed.title, feed.site_url, feed.format) == ("News", "https://news.example/", format_)
    assert (entry.title, entry.url, entry.summary) == ("One", "https://news.example/1", "Text")
    assert (feed.skipped, feed.malformed, feed.cut) == (0, None, False)


@pytest.mark.parametrize(
    "document",
    [rss(), atom(), '<feed xmlns="http://www.w3.org/2005/Atom"/>', '<rss version="2.0"></rss>'],
    ids=["RSS", "Atom", "an empty element", "no channel"],
)
def test_a_feed_without_entries_is_a_feed(document):
    feed = read(document)
    assert (feed.entries, feed.malformed) == ((), None)


@pytest.mark.parametrize(
    ("head", "language"),
    [
        ("<language>de</language>", "de"),
        ("<language>en_US</language>", "en-US"),
        ("<dc:language>pt-br</dc:language>", "pt-br"),
        ("<language>German, mostly</language>", None),
        ("<language></language>", None),
        ("", None),
    ],
)
def test_the_language_is_a_tag_or_nothing(head, language):
    assert read(rss(GOOD, head=head)).language == language


def test_skipped_hours_and_days_are_read_whatever_their_case():
    said = "<skipHours><hour>24</hour><hour> 7 </hour><hour>25</hour></skipHours><skipDays><day>Sunday</day></skipDays>"
    feed = read(f"<rss version='2.0'><channel><title>T</title>{said}</channel></rss>")
    assert feed.hints.skips == ("0", "7", "sun")


def test_an_hour_of_thousands_of_digits_costs_nothing_but_itself():
    feed = read(rss(GOOD, head=f"<skipHours><hour>{'1' * 5_000}</hour><hour>7</hour></skipHours>"))
    assert ([entry.guid for entry in feed.entries], feed.hints.skips) == (["good"], ("7",))


def test_the_language_of_atom_stands_on_the_root():
    assert read(atom(root='xml:lang="fr"')).language == "fr"


# --- What is no feed

NO_FEEDS = {
    "no bytes": (b"", "empty"),
    "white space": (b" \r\n\t\x00", "empty"),
    "byte order mark alone": (codecs.BOM_UTF8, "empty"),
    "HTML 5": (b"<!DOCTYPE html><html><head><title>Not found</title></head></html>", "html"),
    "HTML without doctype": (b"\n<HTML lang=en><body>hello</body></HTML>", "html"),
    "XHTML": (
        b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><html xmlns="x"></html>',
        "html",
    ),
    "HTML behind a comment": (b"<!-- <rss> --><html></html>", "html"),
    "HTML without its root": (b"<head><title>Blocked</title></head><p>Are you a robot?</p>", "html"),
    "HTML that shows a feed": (b"<html><body><pre><rss version='2.0'></pre></body></html>", "html"),
    "a PHP warning": (b"<br />\n<b>Fatal error</b>: Out of memory", "html"),
    "text": (b"Service unavailable", "not_a_feed"),
    "JSON": (b'{"error": "unauthorized", "items": []}', "not_a_feed"),
    "OPML": (b'<opml version="2.0"><head><title>x</title></head><body/></opml>', "not_a_feed"),
    "RDF that is no RSS": (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>',
        "not_a_feed",
    ),
    "feed in a comment only": (b"<x><!-- <rss></rss> --></x>", "not_a_feed"),
    "the name of a file": (b"/etc/hostname", "not_a_feed"),
    "an address": (b"http://127.0.0.1:1/feed.xml", "not_a_feed"),
    "binary": (bytes(range(256)) * 4, "not_a_feed"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not_a_feed"),
    "cut in the head": (rss(GOOD)[:90].encode(), "unparsable"),
    "cut in the first entry": (rss(GOOD)[: rss(GOOD).index("</item>")].encode(), "unparsable"),
}


@pytest.mark.parametrize(("body", "reason"), NO_FEEDS.values(), ids=NO_FEEDS.keys())
def test_what_is_no_feed_is_named(body, reason):
    with pytest.raises(FeedError) as caught:
        read(body)
    assert caught.value.reason == reason
    assert caught.value.url == URL
    assert caught.value.temporary


def test_the_media_type_decides_only_where_the_document_does_not():
    with pytest.raises(FeedError) as caught:
        read(b"Please enable cookies.", content_type="text/html")
    assert caught.value.reason == "html"
    assert len(read(rss(GOOD), content_type="text/html").entries) == 1


# --- Encodings

SENTENCE = "Größe: 5 € – Жёлтый"


def encoded(encoding, label, text="Größe"):
    declaration = f'<?xml version="1.0" encoding="{label}"?>' if label else '<?xml version="1.0"?>'
    document = f"<rss version='2.0'><channel><item><title>{text}</title><guid>1</guid></item></channel></rss>"
    return (declaration + document).encode(encoding)


ENCODINGS = {
    "UTF-8": (encoded("utf-8", "utf-8", SENTENCE), None, SENTENCE),
    "UTF-8 with a mark": (codecs.BOM_UTF8 + encoded("utf-8", "utf-8", SENTENCE), None, SENTENCE),
    "UTF-8 without declaration": (encoded("utf-8", "", SENTENCE), None, SENTENCE),
    "UTF-8 that says ISO-8859-1": (encoded("utf-8", "iso-8859-1", SENTENCE), None, SENTENCE),
    "UTF-8 served as ISO-8859-1": (encoded("utf-8", "utf-8", SENTENCE), "iso-8859-1", SENTENCE),
    "UTF-8 served as ASCII": (encoded("utf-8", "", SENTENCE), "us-ascii", SENTENCE),
    "UTF-8 that says UTF-16": (encoded("utf-8", "utf-16", SENTENCE), None, SENTENCE),
    "UTF-16 with a mark": (codecs.BOM_UTF16_LE + encoded("utf-16-le", "utf-16", SENTENCE), None, SENTENCE),
    "UTF-16 big endian": (codecs.BOM_UTF16_BE + encoded("utf-16-be", "utf-16", SENTENCE), None, SENTENCE),
    "UTF-16 without a mark": (encoded("utf-16-le", "utf-16", SENTENCE), None, SENTENCE),
    "ISO-8859-1": (encoded("latin-1", "ISO-8859-1"), None, "Größe"),
    "ISO-8859-1 served so": (encoded("latin-1", ""), "ISO-8859-1", "Größe"),
    "ISO-8859-1 that is Windows-1252": (encoded("cp1252", "iso-8859-1", "Größe – 5 €"), None, "Größe – 5 €"),
    "ISO-8859-1 that says UTF-8": (
        encoded("latin-1", "utf-8", "Größe, schön, Übung"),
        "iso-8859-1",
        "Größe, schön, Übung",
    ),
    "Windows-1251": (encoded("cp1251", "windows-1251", "Жёлтый"), None, "Жёлтый"),
    "Windows-1251 served by default as Latin": (encoded("cp1251", "windows-1251", "Жёлтый"), "ISO-8859-1", "Жёлтый"),
    "Windows-1251 by the server's word": (encoded("cp1251", "", "Жёлтый"), "windows-1251", "Жёлтый"),
    "GB 2312": (encoded("gb18030", "gb2312", "中文新闻"), None, "中文新闻"),
    "EUC-JP": (encoded("euc_jp", "EUC-JP", "日本語"), None, "日本語"),
    "unknown label": (encoded("utf-8", "x-unknown", SENTENCE), "nonsense", SENTENCE),
    "codec that is no encoding": (encoded("utf-8", "hex", SENTENCE), "zlib", SENTENCE),
}


@pytest.mark.parametrize(("body", "charset", "title"), ENCODINGS.values(), ids=ENCODINGS.keys())
def test_text_is_read_in_the_encoding_that_it_is_in(body, charset, title):
    assert entry_of(body, charset=charset).title == title


def test_a_wrong_label_is_noted():
    assert "read as utf-8" in read(encoded("utf-8", "iso-8859-1", SENTENCE)).malformed


def test_a_few_broken_bytes_do_not_change_the_encoding():
    body = encoded("utf-8", "utf-8", SENTENCE * 20).replace(b"Gr", b"\xff", 1)
    assert entry_of(body).title.endswith(SENTENCE)


# --- Malformed documents

BAD_ITEM = "<item><guid>1</guid><link>https://news.example/1</link><title>{}</title></item>"

MALFORMED = {
    "white space before the declaration": ("\n\n " + rss(GOOD), None, "Good"),
    "text before the declaration": ("Warning: mysql is gone\n" + rss(GOOD), "text before", "Good"),
    "markup before the declaration": ("<br />\n<b>Notice</b>: x<br />" + rss(GOOD), "text before", "Good"),
    "byte order mark twice": ("\ufeff\ufeff" + rss(GOOD), None, "Good"),
    "comment before the root": ("<!-- cached: <feed> --> " + rss(GOOD), None, "Good"),
    "style sheet": ('<?xml-stylesheet href="a.xsl"?>' + rss(GOOD).partition("?>")[2], None, "Good"),
    "doctype": ('<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://x/rss.dtd">' + rss(GOOD), None, "Good"),
    "text behind the root": (rss(GOOD) + "<!-- 0.2 s --><script>x</script> bye", None, "Good"),
    "second document behind the first": (rss(GOOD) * 2, None, "Good"),
    "control characters": (rss(BAD_ITEM.format("A\x00B\x08C\x1fD\ufffeE")), "characters", "ABCDE"),
    "reference to a control character": (rss(BAD_ITEM.format("A&#0;B&#x1F;C&#8;D")), None, "A�BCD"),
    "reference to a surrogate": (rss(BAD_ITEM.format("A&#xD800;B")), None, "A�B"),
    "stray ampersand": (rss(BAD_ITEM.format("Fish & Chips & Q&A")), "stray", "Fish & Chips & Q&A"),
    "ampersand in an address": (
        rss("<item><title>x</title><link>https://news.example/?a=1&b=2</link></item>"),
        "stray",
        "x",
    ),
    "HTML entities": (rss(BAD_ITEM.format("caf&eacute;&nbsp;&ndash;&hellip;")), None, "café –…"),
    "unknown entity": (rss(BAD_ITEM.format("A &foo; B")), "stray", "A &foo; B"),
    "stray less-than": (rss(BAD_ITEM.format("1 < 2 and 3 <4")), "stray", "1 < 2 and 3 <4"),
    "Windows characters by number": (rss(BAD_ITEM.format("A &#150; B&#146;s")), None, "A – B’s"),
    "undeclared namespace": (rss(GOOD.replace("</item>", "<media:x/><foo:y z:a='1'/></item>"), root=""), "foo", "Good"),
    "undeclared creator": (rss(GOOD.replace("</item>", "<dc:creator>A</dc:creator></item>"), root=""), "dc", "Good"),
    "markup that is not escaped": (rss(BAD_ITEM.format("A <b>bold</b> word<br>!")), "mismatch", "A bold word !"),
    "element that is not closed": (rss("<item><title>Good</title><link>/1</link><x></item>"), "mismatch", "Good"),
    "attribute without quotes": (rss("<item><title>Good</title><x a=1/></item>"), "AttValue", "Good"),
    "attribute twice": (rss('<item><title>Good</title><x a="1" a="2"/></item>'), "redefined", "Good"),
    "CDATA": (rss(BAD_ITEM.format("<![CDATA[Fish & Chips <b>now</b>]]>")), None, "Fish & Chips now"),
    "CDATA that holds an entry's end": (rss(BAD_ITEM.format("<![CDATA[</item></rss>x]]>")), None, "</item></rss>x"),
    "CDATA without its end": (rss(BAD_ITEM.format("<![CDATA[Good")), "CDATA", "Good"),
    "root element without its end": (rss(GOOD).replace("</rss>", ""), "cut", "Good"),
    "upper case": (rss(GOOD).replace("item>", "ITEM>").replace("title>", "TITLE>"), None, "Good"),
    "XML 1.1": (rss(GOOD).replace("1.0", "1.1", 1), None, "Good"),
}


@pytest.mark.parametrize(("document", "malformed", "title"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_document_with_entries_is_a_feed(document, malformed, title):
    feed = read(document)
    assert [entry.title for entry in feed.entries] == [title]
    assert feed.malformed is None if malformed is None else malformed in feed.malformed


def test_repairs_do_not_reach_into_cdata():
    summary = item("<title>x</title><description><![CDATA[A & B &amp; C &lt; D]]></description>").summary
    assert summary == "A & B & C < D"


def test_one_bad_entry_costs_no_other():
    feed = read(rss(GOOD, "<item></item>", "<item><pubDate>now</pubDate></item>", GOOD.replace("good", "too")))
    assert [entry.guid for entry in feed.entries] == ["good", "too"]
    assert feed.skipped == 2


ITEMS = [
    f"<item><title>Title {i} &amp; ä</title><link>https://news.example/{i}?a=1&amp;b=2</link><guid>g{i}</guid>"
    f"<description><![CDATA[<p>Text {i}</p>]]></description><pubDate>Tue, 12 Mar 2024 10:0{i}:00 GMT</pubDate></item>"
    for i in range(4)
]
CUT_DOCUMENTS = {
    "RSS": rss(*ITEMS),
    "Atom": atom(
        *(x.replace("item>", "entry>").replace("guid>", "id>").replace("description", "summary") for x in ITEMS)
    ),
    "RDF": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    f"<channel><title>News</title></channel>{''.join(ITEMS)}</rdf:RDF>",
}


@pytest.mark.parametrize("document", CUT_DOCUMENTS.values(), ids=CUT_DOCUMENTS.keys())
def test_a_document_cut_anywhere_keeps_the_entries_that_are_whole(document):
    whole = read(document)
    body = document.encode()
    ending = document.rindex("</item>" if "</item>" in document else "</entry>")
    assert len(whole.entries) == 4
    assert not whole.cut
    for length in range(len(body) - 1, 60, -7):
        feed = outcome_of(body[:length])
        if isinstance(feed, str):
            assert feed in {"unparsable", "not_a_feed"}
            assert b"</item>" not in body[:length]
            assert b"</entry>" not in body[:length]
            continue
        assert feed.entries == whole.entries[: len(feed.entries)]
        assert len(feed.entries) == body[:length].count(b"</item>") + body[:length].count(b"</entry>")
        assert feed.cut
        assert "cut" in feed.malformed
    assert len(read(body[: len(document[: ending + 8].encode())]).entries) == 4


@pytest.mark.parametrize("name", ["links", "authors", "contributors", "title_detail", "summary_detail", "atom:links"])
@pytest.mark.parametrize(
    "form", ["<{0}>x</{0}>", "<{0} a='b'/>", "<{0}><{0}>x</{0}></{0}>", "<{0}><author>A</author></{0}>"]
)
def test_elements_of_no_format_cost_nothing(form, name):
    odd = form.format(name)
    head = "<title>News</title><link>https://news.example/</link>"
    inner = "<guid>1</guid><title>One</title><link>/1</link><dc:creator>A</dc:creator>"
    for document in (
        rss(f"<item>{odd}{inner}</item>", GOOD),
        rss(f"<item>{inner}{odd}</item>", GOOD),
        rss(f"<item>{inner}</item>", GOOD, head=odd + head),
        rss(f"<item>{inner}</item>", GOOD, head=head + odd),
    ):
        feed = read(document)
        assert [(entry.guid, entry.title) for entry in feed.entries] == [("1", "One"), ("good", "Good")]
        assert (feed.entries[0].authors, feed.skipped, feed.title) == (("A",), 0, "News")


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("head", ["", "<image><url>https://news.example/p.png</url></image>"])
def test_an_end_tag_behind_its_entry_costs_nothing(place, head):
    items = [GOOD.replace("good", f"g{number}") for number in range(3)]
    items[place] = f"<item><guid>g{place}</guid><title>Good</title><link>https://news.example/{place}</item></link>"
    feed = read(rss(*items, head=head))
    assert [entry.guid for entry in feed.entries] == ["g0", "g1", "g2"]
    assert "mismatch" in feed.malformed


def test_end_tags_in_the_wrong_order_cost_no_entry():
    crossed = "<item><guid>x{0}</guid><title>x</title><image><link>x</image></link></item>"
    sound = [GOOD.replace("good", f"g{number}") for number in range(20)]
    feed = read(rss(crossed.format(1), *sound[:7], crossed.format(2), crossed.format(3), *sound[7:]))
    names = [f"g{number}" for number in range(20)]
    assert [entry.guid for entry in feed.entries] == ["x1", *names[:7], "x2", "x3", *names[7:]]
    assert feed.skipped == 0
    assert "mismatch" in feed.malformed


@pytest.mark.parametrize(
    "document",
    [
        rss(GOOD, head="<title>News</title><image><link>x</image></link>"),
        rss(GOOD, head="<title>News</title><image><link>x</image></link>").replace("<channel>", "<channel a='b'>"),
        "<channel><image><link>x</image></link>" + GOOD + "</channel>",
        CUT_DOCUMENTS["RDF"].replace("</channel>", "<image><link>x</image></link></channel>"),
    ],
    ids=["RSS", "channel with an attribute", "channel alone", "RDF"],
)
def test_end_tags_in_the_wrong_order_before_the_entries_cost_no_entry(document):
    feed = read(document)
    assert len(feed.entries) == document.count("</item>")
    assert all(entry.title for entry in feed.entries)
    assert feed.malformed


FORM = "<textInput><title>Search</title><link>https://news.example/search</link><name>q</name></textInput>"


@pytest.mark.parametrize("form", [FORM, "<textInput/>", "<textInput>", "</textInput>", FORM.lower()])
def test_a_form_is_passed_over_wherever_it_stands(form):
    inner = "<guid>1</guid><title>One</title><link>https://news.example/1</link>"
    head = "<title>News</title><link>https://news.example/</link>"
    for document in (
        rss(f"<item>{inner}{form}</item>", GOOD),
        rss(f"<item>{inner}</item>{form}", GOOD),
        rss(form, f"<item>{inner}</item>", GOOD),
        rss(f"<item>{inner}</item>", GOOD, head=form + head),
    ):
        feed = read(document)
        assert [entry.guid for entry in feed.entries] == ["1", "good"]
        assert feed.entries[0].url == "https://news.example/1"
        assert feed.site_url == "https://news.example/"


# --- Links

LINKS = {
    "link": ("<link>https://news.example/1</link>", "https://news.example/1"),
    "white space around": ("<link>\n  https://news.example/1\n</link>", "https://news.example/1"),
    "CDATA": ("<link><![CDATA[https://news.example/?a=1&b=2]]></link>", "https://news.example/?a=1&b=2"),
    "made canonical": ("<link>HTTPS://News.Example:443/a/../1?utm_source=rss#x</link>", "https://news.example/1"),
    "relative to the feed": ("<link>1.html</link>", "https://news.example/rss/1.html"),
    "relative to the root": ("<link>/1.html</link>", "https://news.example/1.html"),
    "without scheme": ("<link>//cdn.example/1</link>", "https://cdn.example/1"),
    "escaped twice": ("<link>https://news.example/?a=1&amp;amp;b=2</link>", "https://news.example/?a=1&b=2"),
    "not ASCII": ("<link>https://news.example/größe</link>", "https://news.example/gr%C3%B6%C3%9Fe"),
    "guid in place of a link": ("<guid>https://news.example/1</guid>", "https://news.example/1"),
    "guid that says so": ('<guid isPermaLink="true">https://news.example/1</guid>', "https://news.example/1"),
    "guid that is a path": ("<guid>/1.html</guid>", "https://news.example/1.html"),
    "guid that is no link": ('<guid isPermaLink="false">https://news.example/1</guid>', None),
    "guid that is no address": ("<guid>4711</guid>", None),
    "empty link before a guid": ("<link></link><guid>https://news.example/1</guid>", "https://news.example/1"),
    "empty link behind a guid": ("<guid>https://news.example/1</guid><link/>", "https://news.example/1"),
    "link and another guid": ("<guid>https://x.example/</guid><link>/1</link>", "https://news.example/1"),
    "guid then link": ("<guid>https://x.example/9</guid><link>https://news.example/1</link>", "https://news.example/1"),
    "Atom link in RSS": ('<atom:link href="https://news.example/1"/>', "https://news.example/1"),
    "Atom self in RSS": (
        '<link>https://news.example/1</link><atom:link rel="self" href="https://news.example/rss/1"/>',
        "https://news.example/1",
    ),
    "counted link": (
        "<link>https://feeds.example/~r/1</link><feedburner:origLink>https://news.example/1</feedburner:origLink>",
        "https://news.example/1",
    ),
    "picture with a link": (
        "<link>https://news.example/1</link><image><link>https://img.example/</link></image>",
        "https://news.example/1",
    ),
    "enclosure is no page": ('<enclosure url="https://news.example/1.mp3" type="audio/mpeg" length="1"/>', None),
    "mail": ("<link>mailto:news@news.example</link>", None),
    "script": ("<link>javascript:void(0)</link>", None),
    "junk": ("<link>http://[</link>", None),
    "the feed itself": (f"<link>{URL}</link>", None),
    "fragment only": ("<link>#</link>", None),
}


@pytest.mark.parametrize(("inner", "url"), LINKS.values(), ids=LINKS.keys())
def test_an_entry_of_rss_links_to_its_page(inner, url):
    assert item(f"<title>x</title>{inner}").url == url


UNUSABLE = {
    "no host": "http://",
    "a port that is none": "http://news.example:99999/a",
    "a comment": "<!-- none -->",
    "white space": " \n ",
    "script": "javascript:void(0)",
    "mail": "mailto:a@news.example",
    "telephone": "tel:123",
    "a bracket": "http://[news/a",
    "a fragment": "#",
    "a scheme": "https:",
    "a file": "file:///c:/a.html",
    "the feed itself": URL,
    "a name with a space": "http://news example/a",
    "an address of a zone": "http://[fe80::1%25eth0]/a",
    "too long": "http://news.example/" + "a" * 3_000,
    "empty CDATA": "<![CDATA[]]>",
    "data": "data:text/plain,a",
    "about": "about:blank",
    "a relation to the feed": '</link><link rel="self" href="/rss/feed.xml">',
    "an address that is none": "at://did:plc:x/app/1",
}


@pytest.mark.parametrize("link", UNUSABLE.values(), ids=UNUSABLE.keys())
@pytest.mark.parametrize("order", ["{0}{1}", "{1}{0}"], ids=["before", "behind"])
def test_a_link_that_cannot_be_used_hides_no_guid_that_is_one(link, order):
    inner = order.format(f"<link>{link}</link>", "<guid>https://news.example/1</guid>")
    assert item(f"<title>x</title>{inner}").url == "https://news.example/1"


SLIPS = {
    "no scheme before www": ("www.news.example/1", "https://www.news.example/1"),
    "the scheme twice": ("http://http://news.example/1", "http://news.example/1"),
    "two schemes": ("http://https://news.example/1", "https://news.example/1"),
    "the scheme twice, a slash lost": ("http:/https://news.example/1", "https://news.example/1"),
    "percent-encoded": ("https%3A%2F%2Fnews.example%2F1%3Fa%3Db", "https://news.example/1?a=b"),
    "a line break within": ("https://news.example/\n   1", "https://news.example/1"),
    "an address that carries another": (
        "https://a.example/?u=https://b.example/",
        "https://a.example/?u=https://b.example/",
    ),
}


@pytest.mark.parametrize(("link", "url"), SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_in_a_link_is_understood(link, url):
    assert item(f"<title>x</title><link>{link}</link>").url == url


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ('<link uri="at://did/x/1">https://news.example/1</link>', "https://news.example/1"),
        ('<link href="https://news.example/2">https://news.example/1</link>', "https://news.example/1"),
        ('<link url="https://news.example/2">see</link>', "https://news.example/2"),
        ('<link href="https://news.example/2"></link>', "https://news.example/2"),
    ],
    ids=["an attribute of another protocol", "text and attribute", "text that is no address", "attribute alone"],
)
def test_the_text_of_a_link_counts_before_its_attributes(link, url):
    assert item(f"<title>x</title>{link}").url == url


ATOM_LINKS = {
    "link": ('<link href="/1"/>', "https://news.example/1"),
    "alternate": ('<link rel="alternate" type="text/html" href="/1"/>', "https://news.example/1"),
    "alternate among others": (
        '<link rel="self" href="/s"/><link rel="replies" href="/r"/><link rel="alternate" href="/1"/>'
        '<link rel="enclosure" type="image/png" href="/p"/><link rel="edit" href="/e"/>',
        "https://news.example/1",
    ),
    "page before other formats": (
        '<link rel="alternate" type="application/json" href="/j"/><link rel="alternate" type="text/html" href="/1"/>',
        "https://news.example/1",
    ),
    "first of several pages": ('<link href="/1"/><link href="/2" hreflang="fr"/>', "https://news.example/1"),
    "self only": ('<link rel="self" href="/s"/>', None),
    "relation by its full name": (
        '<link rel="http://www.iana.org/assignments/relation/alternate" href="/1"/>',
        "https://news.example/1",
    ),
    "base of the entry": ('<link href="1" xml:base="https://other.example/a/"/>', "https://other.example/a/1"),
}


@pytest.mark.parametrize(("inner", "url"), ATOM_LINKS.values(), ids=ATOM_LINKS.keys())
def test_an_entry_of_atom_links_to_its_page(inner, url):
    assert entry_of(atom(f"<entry><id>tag:1</id><title>x</title>{inner}</entry>")).url == url


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://other.example/a/", "https://other.example/a/1"),
        ("/a/", "https://news.example/a/1"),
        ("javascript:x", "https://news.example/rss/1"),
        ("", "https://news.example/rss/1"),
    ],
)
def test_links_follow_the_base_of_the_document(base, url):
    document = atom('<entry><id>tag:1</id><title>x</title><link href="1"/></entry>', root=f'xml:base="{base}"')
    assert entry_of(document).url == url


def test_relative_links_of_a_delivered_feed_lead_to_the_site():
    document = rss("<item><title>x</title><link>/1</link></item>")
    assert entry_of(document, url="https://feeds.example/abc").url == "https://news.example/1"


# --- Identity


def guids(document):
    return {entry.guid for entry in read(document).entries}


def test_the_guid_of_the_feed_is_kept_as_it_is():
    assert guids(rss("<item><guid> 4711 </guid><title>x</title></item>")) == {"4711"}


def test_an_atom_id_is_kept_as_it_is():
    assert guids(atom("<entry><id>tag:news.example,2024:1</id><title>x</title></entry>")) == {"tag:news.example,2024:1"}


def test_without_guid_the_canonical_link_is_the_identity():
    document = rss("<item><title>x</title><link>https://news.example/1?utm_source=a</link></item>")
    assert guids(document) == {"https://news.example/1"}


def test_without_guid_and_link_title_and_date_are_the_identity():
    first, again, other = (
        guids(rss(f"<item><title>{title}</title><pubDate>Tue, {day} Mar 2024 10:00:00 GMT</pubDate></item>"))
        for title, day in [("A", 12), (" A ", 12), ("A", 13)]
    )
    assert first == again != other


SAME_GUID = [f"<item><guid>x</guid><title>T{i}</title><link>https://news.example/{i}</link></item>" for i in range(3)]


def test_one_guid_on_entries_with_different_links_does_not_merge_them():
    entries = read(rss(*SAME_GUID)).entries
    assert [entry.title for entry in entries] == ["T0", "T1", "T2"]
    assert len({entry.guid for entry in entries}) == 3


def test_guids_made_distinct_do_not_depend_on_the_order_nor_on_other_entries():
    names = {entry.url: entry.guid for entry in read(rss(*SAME_GUID)).entries}
    later = read(rss(SAME_GUID[2], GOOD, SAME_GUID[1])).entries
    assert {entry.url: entry.guid for entry in later if entry.guid != "good"} == {
        url: names[url] for url in ["https://news.example/1", "https://news.example/2"]
    }


def test_an_entry_announced_twice_is_kept_in_its_latest_form():
    old, new = (
        f'<entry><id>tag:1</id><title>{title}</title><link href="/1"/><updated>2024-03-{day}</updated></entry>'
        for title, day in [("old", 12), ("new", 13)]
    )
    for document in (atom(old, new), atom(new, old)):
        assert entry_of(document).title == "new"


def test_entries_without_guid_that_link_to_one_page_stay_apart():
    document = rss(*(f"<item><title>T{i}</title><link>https://news.example/live</link></item>" for i in range(3)))
    assert len(guids(document)) == 3


def test_the_address_of_the_site_identifies_no_entry():
    document = rss(
        *(
            f"<item><guid>https://news.example/</guid><title>T{i}</title><link>https://news.example/{i}</link></item>"
            for i in range(2)
        )
    )
    assert guids(document) == {"https://news.example/0", "https://news.example/1"}


def test_a_guid_too_long_for_an_index_is_replaced_by_its_hash():
    first, second = guids(rss(*(f"<item><guid>{'x' * 5000}{i}</guid><title>{i}</title></item>" for i in range(2))))
    assert first != second
    assert all(len(guid) <= MAX_GUID for guid in (first, second))


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_the_order_of_a_document_changes_no_identity(chance: random.Random, numbers):
    items = [
        f"<item><guid>{number % 2}</guid><title>T{number}</title><link>https://news.example/{number}</link></item>"
        for number in numbers
    ]
    shuffled = [*items]
    chance.shuffle(shuffled)
    assert set(read(rss(*items)).entries) == set(read(rss(*shuffled)).entries)


# --- Text

TEXTS = {
    "plain": ("Text", "Text"),
    "white space": ("  A \n\t B\u00a0C ", "A B C"),
    "markup escaped": ("&lt;p&gt;A &lt;b&gt;bold&lt;/b&gt; word&lt;/p&gt;&lt;p&gt;B&lt;/p&gt;", "A bold word B"),
    "markup in CDATA": ("<![CDATA[<p>A <a href='x'>link</a></p><br/>B]]>", "A link B"),
    "markup as it is": ("<p>A <b>bold</b> word</p>", "A bold word"),
    "escaped twice": ("&amp;lt;p&amp;gt;A &amp;amp;amp; B&amp;lt;/p&amp;gt;", "A & B"),
    "entities in CDATA": ("<![CDATA[caf&eacute; &#8211; &amp;#8217;]]>", "café – ’"),
    "less-than in text": ("1 &lt; 2, 3 &gt; 2", "1 < 2, 3 > 2"),
    "type parameters": ("List&lt;String&gt; in Java", "List<String> in Java"),
    "greater-than in an attribute": ('<![CDATA[<img alt="a > b" src="x"/>Text]]>', "Text"),
    "quotes that do not match": ("<![CDATA[<a href=\"x'>Text</a>]]>", "Text"),
    "script": ("<![CDATA[<script>var a = '<b>';</script>Text<style>p {}</style>]]>", "Text"),
    "comment": ("<![CDATA[A<!-- secret --> B]]>", "A B"),
    "comment without end": ("<![CDATA[Text<!-- secret]]>", "Text"),
    "CDATA within CDATA, escaped": ("&lt;![CDATA[Text]]&gt;", "Text"),
    "address with parameters": ("<![CDATA[See https://a.example/?x=1&copy=2]]>", "See https://a.example/?x=1&copy=2"),
    "soft hyphens and zero width": ("Donau&#173;dampf\u200bschiff", "Donaudampfschiff"),
    "joiners of Persian": ("می\u200cخواهم", "می\u200cخواهم"),
    "right to left": ("خبر &lt;b&gt;مہم&lt;/b&gt;", "خبر مہم"),
    "nothing but a picture": ("<![CDATA[<img src='x.jpg'>]]>", None),
    "Latin-1 in disguise": ("\u0093Text\u0094", "“Text”"),
}


@pytest.mark.parametrize(("inner", "text"), TEXTS.values(), ids=TEXTS.keys())
def test_a_summary_is_plain_text(inner, text):
    assert item(f"<title>x</title><description>{inner}</description>").summary == text


TITLES = {
    "plain": (rss("<item><title>A &amp; B</title></item>"), "A & B"),
    "markup": (rss("<item><title>&lt;i&gt;A&lt;/i&gt; B</title></item>"), "A B"),
    "entity escaped twice": (rss("<item><title>Trump&amp;#8217;s A&amp;amp;E</title></item>"), "Trump’s A&E"),
    "tags as the subject": (rss("<item><title>How &lt;script&gt; works</title></item>"), "How <script> works"),
    "caption of a picture": (
        rss("<item><media:content><media:title>Caption</media:title></media:content><title>A</title></item>"),
        "A",
    ),
    "caption behind": (rss("<item><title>A</title><media:title>Caption</media:title></item>"), "A"),
    "Atom text": (atom("<entry><id>1</id><title>A &lt; B &amp;amp; C</title></entry>"), "A < B & C"),
    "Atom text about a tag": (atom("<entry><id>1</id><title>The &lt;b&gt; tag</title></entry>"), "The <b> tag"),
    "Atom HTML": (atom('<entry><id>1</id><title type="html">&lt;b&gt;A&lt;/b&gt; B</title></entry>'), "A B"),
    "Atom XHTML": (
        atom(
            '<entry><id>1</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>B</b> &lt;/p&gt;'
            "</div></title></entry>"
        ),
        "A B </p>",
    ),
    "Atom CDATA": (atom("<entry><id>1</id><title><![CDATA[A & B]]></title></entry>"), "A & B"),
    "source of another feed": (
        atom("<entry><id>1</id><title>A</title><source><id>2</id><title>Planet</title></source></entry>"),
        "A",
    ),
}


@pytest.mark.parametrize(("document", "title"), TITLES.values(), ids=TITLES.keys())
def test_a_title_is_plain_text(document, title):
    assert entry_of(document).title == title


def test_long_texts_end_between_words():
    entry = item(f"<title>{'word ' * 900}</title><description>{'word ' * 900}</description>")
    assert MAX_SUMMARY - 6 < len(entry.summary) <= MAX_SUMMARY
    assert MAX_TITLE - 6 < len(entry.title) <= MAX_TITLE
    assert entry.summary.endswith("word…")


def test_the_description_is_the_summary_though_there_is_content_and_a_caption():
    inner = (
        "<title>x</title><media:content><media:description>Caption</media:description></media:content>"
        "<content:encoded>&lt;p&gt;Whole text&lt;/p&gt;</content:encoded><description>Teaser</description>"
    )
    assert item(inner).summary == "Teaser"


def test_content_stands_in_for_a_missing_summary():
    document = atom('<entry><id>1</id><title>x</title><content type="html">&lt;p&gt;Text&lt;/p&gt;</content></entry>')
    assert entry_of(document).summary == "Text"


AUTHORS = {
    "name": ("<author>Ana Moreno</author>", ("Ana Moreno",)),
    "address with name": ("<author>ana@news.example (Ana Moreno)</author>", ("Ana Moreno",)),
    "name with address": ("<author>Ana Moreno &lt;ana@news.example&gt;</author>", ("Ana Moreno",)),
    "address alone": ("<author>ana@news.example</author>", ()),
    "creators": ("<dc:creator>Ana Moreno</dc:creator><dc:creator>Bo Li</dc:creator>", ("Ana Moreno", "Bo Li")),
    "the same twice": ("<dc:creator>Ana Moreno</dc:creator><author>ana moreno</author>", ("Ana Moreno",)),
    "CDATA and entities": ("<dc:creator><![CDATA[Zoë &amp; Søn]]></dc:creator>", ("Zoë & Søn",)),
    "Atom in RSS": ("<atom:author><atom:name>Bo Li</atom:name></atom:author>", ("Bo Li",)),
    "empty": ("<author></author><dc:creator/>", ()),
    "an agency in brackets": ("<dc:creator>Ann Reed (WIRE)</dc:creator>", ("Ann Reed (WIRE)",)),
    "an agency behind a name behind an address": (
        "<author>a@b.example (Ann Reed (WIRE))</author>",
        ("Ann Reed (WIRE)",),
    ),
    "an address with a scheme in brackets": ("<dc:creator>Ann (mailto:a@b.example)</dc:creator>", ("Ann",)),
    "several with places": ("<dc:creator>Ann (North), Bo (South)</dc:creator>", ("Ann (North), Bo (South)",)),
    "a long top-level domain": ("<author>ann@paper.online (Ann)</author>", ("Ann",)),
    "two addresses": ("<author>a@b.example (Ann), c@d.example (Bo)</author>", ("Ann, Bo",)),
    "in brackets alone": ("<author>(Ann Reed)</author>", ("Ann Reed",)),
    "a bracket left open": ("<author>Ann Reed (</author>", ("Ann Reed",)),
}


@pytest.mark.parametrize(("inner", "authors"), AUTHORS.values(), ids=AUTHORS.keys())
def test_authors_are_names(inner, authors):
    assert item(f"<title>x</title>{inner}").authors == authors


INHERITED = {
    "of the feed": ("", "", ("Ann",)),
    "of the source": ("<source><author><name>Bo</name></author></source>", "", ("Bo",)),
    "its own": ("<source><author><name>Bo</name></author></source>", "<author><name>Cy</name></author>", ("Cy",)),
    "of the feed where the source has none": ("<source><title>x</title></source>", "", ("Ann",)),
    "of the feed where its own has only an address": ("", "<author><email>c@x.example</email></author>", ("Ann",)),
}


@pytest.mark.parametrize(("source", "own", "authors"), INHERITED.values(), ids=INHERITED.keys())
def test_an_entry_of_atom_has_the_authors_of_its_source_or_feed(source, own, authors):
    head = "<title>News</title><author><name>Ann</name></author>"
    assert entry_of(atom(f"<entry><id>1</id><title>x</title>{own}{source}</entry>", head=head)).authors == authors


def test_an_item_of_rss_inherits_no_author():
    assert entry_of(rss("<item><title>x</title></item>", head="<dc:creator>Ann</dc:creator>")).authors == ()


@pytest.mark.parametrize("order", ["{0}{1}", "{1}{0}"], ids=["before", "behind"])
def test_an_extension_does_not_overrule_the_formats_own_element(order):
    own = "<title>Own</title><description>Own text</description><pubDate>Tue, 12 Mar 2024 12:00:00 GMT</pubDate>"
    foreign = (
        "<dc:title>Other</dc:title><dc:description>Other</dc:description><dcterms:issued>2024-01-01</dcterms:issued>"
    )
    entry = item(order.format(own, foreign))
    assert (entry.title, entry.summary, entry.published_at) == ("Own", "Own text", NOON)
    head = order.format(
        "<title>Own</title><language>de</language>", "<dc:title>No</dc:title><dc:language>fr</dc:language>"
    )
    assert (read(rss(GOOD, head=head)).title, read(rss(GOOD, head=head)).language) == ("Own", "de")


TAGS = {
    "categories": ("<category>A &amp; B</category><category domain='x'>C</category>", ("A & B", "C")),
    "subjects": ("<dc:subject>A</dc:subject>", ("A",)),
    "keywords": ("<media:keywords>a, b,c</media:keywords>", ("a", "b", "c")),
    "the same twice": ("<category>News</category><category>news</category>", ("News",)),
    "Atom": ('<atom:category term="t1" label="Label"/><atom:category term="t2"/>', ("Label", "t2")),
    "empty": ("<category/><category> </category>", ()),
    "far too long": (f"<category>{'x' * 1000}</category>", ()),
}


@pytest.mark.parametrize(("inner", "tags"), TAGS.values(), ids=TAGS.keys())
def test_tags_are_labels(inner, tags):
    assert item(f"<title>x</title>{inner}").tags == tags


# --- Dates

NOON = datetime(2024, 3, 12, 12, tzinfo=UTC)
EARLY = datetime(2024, 3, 12, 9, tzinfo=UTC)
ENTRY_DATES = {
    "pubDate": (rss("<item><title>x</title><pubDate>Tue, 12 Mar 2024 13:00:00 CET</pubDate></item>"), NOON, None),
    "dc:date": (rss("<item><title>x</title><dc:date>2024-03-12T12:00:00Z</dc:date></item>"), NOON, NOON),
    "both": (
        rss(
            "<item><title>x</title><pubDate>Tue, 12 Mar 2024 09:00 GMT</pubDate>"
            "<dc:date>2024-03-12T12:00:00Z</dc:date></item>"
        ),
        EARLY,
        NOON,
    ),
    "Atom": (
        atom(
            "<entry><id>1</id><title>x</title><published>2024-03-12T09:00:00Z</published>"
            "<updated>2024-03-12T12:00:00Z</updated></entry>"
        ),
        EARLY,
        NOON,
    ),
    "Atom, only changed": (
        atom("<entry><id>1</id><title>x</title><updated>2024-03-12T13:00:00+01:00</updated></entry>"),
        None,
        NOON,
    ),
    "Atom 0.3": (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><id>1</id><title>x</title>'
        "<issued>2024-03-12T09:00:00Z</issued><modified>2024-03-12T12:00:00Z</modified></entry></feed>",
        EARLY,
        NOON,
    ),
    "Atom in RSS": (
        rss(
            "<item><title>x</title><pubDate>Tue, 12 Mar 2024 09:00:00 GMT</pubDate>"
            "<atom:updated>2024-03-12T12:00:00Z</atom:updated></item>"
        ),
        EARLY,
        NOON,
    ),
    "Croatian by the feed's word": (
        rss("<item><title>x</title><pubDate>12. ožu 2024 12:00</pubDate></item>", head="<language>hr</language>"),
        NOON,
        None,
    ),
    "a zone that nobody knows": (
        rss("<item><title>x</title><pubDate>Tue, 12 Mar 2024 12:00:00 XYZ</pubDate></item>"),
        None,
        None,
    ),
    "an empty date before the real one": (
        rss("<item><title>x</title><pubDate/><pubDate>Tue, 12 Mar 2024 12:00:00 GMT</pubDate></item>"),
        NOON,
        None,
    ),
    "Greek": (rss("<item><title>x</title><pubDate>Τρι, 12 Μαρ 2024 12:00:00 GMT</pubDate></item>"), NOON, None),
    "the feed's own date is no entry's": (
        rss("<item><title>x</title></item>", head="<pubDate>Tue, 12 Mar 2024 12:00:00 GMT</pubDate>"),
        None,
        None,
    ),
    "none": (rss("<item><title>x</title><pubDate></pubDate></item>"), None, None),
    "nonsense": (rss("<item><title>x</title><pubDate>yesterday</pubDate></item>"), None, None),
    "the epoch": (rss("<item><title>x</title><pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate></item>"), None, None),
}


@pytest.mark.parametrize(("document", "published_at", "updated_at"), ENTRY_DATES.values(), ids=ENTRY_DATES.keys())
def test_dates_are_kept_apart_by_what_they_mean(document, published_at, updated_at):
    entry = entry_of(document)
    assert (entry.published_at, entry.updated_at) == (published_at, updated_at)


def test_a_date_far_beyond_the_poll_is_a_mistake():
    document = rss("<item><title>x</title><pubDate>Tue, 12 Mar 2042 12:00:00 GMT</pubDate></item>")
    assert entry_of(document, now=NOON).published_at is None


@pytest.mark.parametrize(
    ("date", "is_future"),
    [
        ("Tue, 12 Mar 2024 11:59:00 GMT", False),
        ("Tue, 12 Mar 2024 12:59:00 GMT", False),
        ("Tue, 12 Mar 2024 13:01:00 GMT", True),
        ("Tue, 12 Mar 2024 13:01:00 +0200", False),
        ("Wed, 12 Mar 2025 12:00:00 GMT", True),
        ("", False),
    ],
    ids=["now", "within the hour", "beyond it", "beyond it in another zone", "in a year", "none"],
)
def test_an_entry_dated_ahead_of_the_poll_is_marked_and_keeps_its_date(date, is_future):
    entry = entry_of(rss(f"<item><title>x</title><pubDate>{date}</pubDate></item>"), now=NOON)
    assert entry.is_future is is_future
    assert bool(entry.published_at) is bool(date)


def test_a_change_dated_ahead_is_marked_too():
    document = atom("<entry><id>1</id><title>x</title><updated>2024-03-13</updated></entry>")
    assert entry_of(document, now=NOON).is_future
    assert not entry_of(document).is_future


# --- Hashes

BEFORE = """<item><guid>1</guid><title>Title</title><link>https://news.example/1</link><description>&lt;p
class="a" id="b"&gt;Some text&lt;/p&gt;</description><content:encoded>Whole text</content:encoded>
<pubDate>Tue, 12 Mar 2024 12:00:00 GMT</pubDate><dc:date>2024-03-12T12:00:00Z</dc:date></item>"""
CHURN = {
    "white space": ("Some text", "Some \n  text"),
    "order of attributes": ('class="a" id="b"', 'id="b" class="a"'),
    "other attributes": ('class="a"', 'data-v-17=""'),
    "other markup": ("&lt;p\nclass", "&lt;div\nclass"),
    "tracking": ("news.example/1", "news.example/1?utm_source=rss"),
    "spelling of a time": ("12:00:00Z", "13:00:00+01:00"),
    "escaping": ("Some text", "&lt;![CDATA[Some text]]&gt;"),
    "a new category": ("<guid>", "<category>c</category><guid>"),
}
CHANGES = {
    "title": ("Title", "Other title"),
    "link": ("news.example/1", "news.example/2"),
    "summary": ("Some text", "Some other text"),
    "content": ("Whole text", "Whole other text"),
    "time of the change": ("12:00:00Z", "12:00:01Z"),
}


@pytest.mark.parametrize(("old", "new"), CHURN.values(), ids=CHURN.keys())
def test_churn_leaves_the_hash(old, new):
    assert old in BEFORE
    assert entry_of(rss(BEFORE)).hash == entry_of(rss(BEFORE.replace(old, new))).hash


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_of_what_was_announced_changes_the_hash(old, new):
    assert old in BEFORE
    assert entry_of(rss(BEFORE)).hash != entry_of(rss(BEFORE.replace(old, new))).hash


def test_a_change_behind_the_end_of_the_stored_summary_changes_the_hash():
    first, second = (item(f"<title>x</title><description>{'word ' * 900}{end}</description>") for end in "ab")
    assert first.summary == second.summary
    assert first.hash != second.hash


def test_the_hash_is_hexadecimal_sha256():
    assert len(bytes.fromhex(item("<title>x</title>").hash)) == 32


# --- Limits and attacks


def test_entries_beyond_the_limit_are_counted_as_skipped():
    feed = read(rss(*(f"<item><guid>{i}</guid><title>T{i}</title></item>" for i in range(MAX_ENTRIES + 7))))
    assert [feed.entries[0].guid, feed.entries[-1].guid] == ["0", str(MAX_ENTRIES - 1)]
    assert (len(feed.entries), feed.skipped, feed.malformed) == (MAX_ENTRIES, 7, None)


def test_a_monstrous_entry_is_left_out():
    feed = read(rss(f"<item><title>x</title><description>{'x' * MAX_ENTRY}</description></item>", GOOD))
    assert ([entry.guid for entry in feed.entries], feed.skipped) == (["good"], 1)


def test_an_entry_of_unclosed_tags_is_left_out():
    feed = read(rss(f"<item><title>x</title>{'<a>' * MAX_ENTRY_MARKS}</item>", GOOD))
    assert ([entry.guid for entry in feed.entries], feed.skipped) == (["good"], 1)


def test_markup_is_read_up_to_a_limit():
    each = MAX_ENTRY_MARKS - 100
    items = [f"<item><guid>{i}</guid><title>T</title>{'&amp;' * each}</item>" for i in range(MAX_MARKS // each + 5)]
    feed = read(rss(*items))
    assert len(feed.entries) + feed.skipped == len(items)
    assert 0 < feed.skipped < 10


def test_a_flood_of_markup_around_the_entries_is_no_feed():
    with pytest.raises(FeedError) as caught:
        read(rss("<a>" * 300_000, GOOD))
    assert caught.value.reason == "unparsable"


def test_a_flood_of_categories_is_cut():
    flood = "".join(f"<category>c{i}</category>" for i in range(9_000))
    keywords = "<media:keywords>" + ",".join(f"k{i}" for i in range(100_000)) + "</media:keywords>"
    feed = read(rss(f"<item><guid>1</guid><title>x</title>{flood}{keywords}</item>", GOOD))
    assert [entry.guid for entry in feed.entries] == ["1", "good"]
    assert feed.entries[0].tags[:2] == ("c0", "c1")
    assert len(feed.entries[0].tags) == MAX_NAMES
    assert feed.malformed is None


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<![CDATA[", "<?", "<!DOCTYPE ", "<!DOCTYPE x [", "<a ", "&", "<item>", "</item>", "\n", "<a href='"],
)
def test_beginnings_without_end_do_not_take_for_ever(piece):
    for document in (piece * 200_000, rss(GOOD, piece * 200_000), rss(GOOD, f"<item><title>{piece * 9_000}</item>")):
        feed = outcome_of(document.encode())
        assert isinstance(feed, str) or [entry.guid for entry in feed.entries][:1] == ["good"]


def test_no_file_is_read_by_an_external_entity(tmp_path):
    (tmp_path / "secret").write_text("the secret")
    kind = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    entry = entry_of(kind + rss("<item><title>A &x; B</title></item>").partition("?>")[2])
    assert entry.title == "A &x; B"


def test_entities_do_not_expand_one_another():
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    kind = f'<!DOCTYPE rss [<!ENTITY e0 "lol">{levels}]>'
    assert entry_of(kind + rss("<item><title>A &e9;</title></item>").partition("?>")[2]).title == "A &e9;"


def test_the_body_is_never_taken_for_the_name_of_a_file(tmp_path):
    (tmp_path / "feed.xml").write_text(rss(GOOD))
    assert outcome_of(str(tmp_path / "feed.xml").encode()) == "not_a_feed"


SEEDS = [rss(*ITEMS), CUT_DOCUMENTS["Atom"], CUT_DOCUMENTS["RDF"], *(document for document, _, _ in MALFORMED.values())]


@st.composite
def damaged(draw):
    """A feed document with some of its bytes cut out, doubled or replaced."""
    body = bytearray(draw(st.sampled_from(SEEDS)).encode())
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        stop = min(len(body), start + draw(st.integers(0, 30)))
        body[start:stop] = draw(st.one_of(st.binary(max_size=12), st.just(bytes(body[start:stop]) * 2)))
    return bytes(body)


@given(
    st.one_of(damaged(), st.binary(max_size=200), st.binary(max_size=100).map(lambda junk: b"<rss>" + junk + b"</rss>"))
)
@example(b"<rss><channel><item><title>\xff</title></item></channel></rss>")
@example(b"<rss><item/></rss>")
@example(b"<rss></item><item></rss>")
def test_any_bytes_are_a_feed_or_a_feed_error(body):
    feed = outcome_of(body)
    if isinstance(feed, str):
        assert feed in {"empty", "html", "not_a_feed", "unparsable"}
        return
    assert len({entry.guid for entry in feed.entries}) == len(feed.entries)
    for entry in feed.entries:
        for text in (entry.guid, entry.title or "", entry.summary or "", *entry.authors, *entry.tags):
            assert "\x00" not in text
            text.encode()
        assert entry.guid
        assert entry.url is None or entry.url.startswith(("http://", "https://"))
        assert entry.published_at is None or entry.published_at.tzinfo is UTC


# --- Documents of real publishers, where there are some beside the checkout

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "feeds" / "documents"
REAL = {
    "encoding_ISO-8859-1.xml": ("rss", 40, "Golem.de"),
    "encoding_WINDOWS-1251.xml": ("rss", 50, "iBash.Org.Ru"),
    "large_atom.xml": ("atom", 25, "Artificial truth"),
    "large_rss.xml": ("rss", 25, "Artificial truth"),
    "no_encoding_ISO-8859-1.xml": ("rss", 9, "Flux RSS du magazine de psychologie Le Cercle Psy"),
    "rdf_UTF8.xml": ("rss", 60, "heise online News"),
    "small_atom.xml": ("atom", 20, "Recent Commits to v2:main"),
    "urdu_UTF8.xml": ("rss", 26, "BBC News اردو - پاکستان کے لیے امریکی امداد کی بہار و خزاں"),
}


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="no feed documents of real publishers beside the checkout")
@pytest.mark.parametrize("name", REAL)
def test_feeds_of_real_publishers_are_read(name):
    format_, count, title = REAL[name]
    feed = read((DOCUMENTS / name).read_bytes())
    assert (feed.format, len(feed.entries), feed.title) == (format_, count, title)
    assert (feed.malformed, feed.cut) == (None, False)
    assert all(entry.url and entry.title and "�" not in entry.title for entry in feed.entries)
    assert name == "rdf_UTF8.xml" or all(entry.published_at or entry.updated_at for entry in feed.entries)
