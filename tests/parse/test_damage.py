"""A feed with a damaged tag: what was whole before is whole after, and what is lost is counted."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.parse import parse_feed

URL = "https://news.example/feed.xml"
SPACES = (
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
)


def rss_item(number):
    return (
        f'<item><title>Stone {number} &amp; more</title><guid isPermaLink="false">s{number}</guid>'
        f"<link>https://news.example/{number}</link><description>&lt;p&gt;Grey {number}&lt;/p&gt;</description>"
        f"<content:encoded><![CDATA[<p>All about {number}</p>]]></content:encoded><dc:creator>Ann Reed</dc:creator>"
        f'<category>Rocks</category><source url="https://o.example/">Other</source>'
        f'<media:group><media:content url="https://news.example/{number}.jpg"><media:title>P</media:title>'
        f"</media:content></media:group><pubDate>Tue, 12 Mar 2024 10:0{number}:00 GMT</pubDate></item>"
    )


def atom_entry(number):
    return (
        f"<entry><id>tag:{number}</id><title>Stone {number}</title><author><name>Ann Reed</name></author>"
        f'<link href="https://news.example/{number}"/><summary>Grey {number}</summary>'
        f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>All <b>about</b> {number}</p></div>'
        f"</content><source><title>Other</title><id>urn:o</id></source>"
        f"<updated>2024-03-12T10:0{number}:00Z</updated></entry>"
    )


HEAD = "<title>News</title><link>https://news.example/</link><image><url>https://news.example/i.png</url></image>"
FEEDS = {
    "RSS": (f'<rss version="2.0" {SPACES}><channel>{HEAD}', [rss_item(n) for n in range(4)], "</channel></rss>"),
    "RDF": (
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" {SPACES}>'
        "<channel><title>News</title></channel>",
        [rss_item(n) for n in range(4)],
        "</rdf:RDF>",
    ),
    "Atom": (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>urn:n</id><author><name>Bo</name></author>',
        [atom_entry(n) for n in range(4)],
        "</feed>",
    ),
}
END_TAG = re.compile(r"</[\w:]+>")
DAMAGES = {
    "missing": lambda tag: "",
    "misspelt": lambda tag: tag[:-2] + ">",
    "without its bracket": lambda tag: tag[:-1],
    "without its slash": lambda tag: tag.replace("/", ""),
    "another's": lambda tag: "</guid>",
    "twice": lambda tag: tag * 2,
    "with a blank": lambda tag: tag.replace("</", "< /"),
    "with a blank behind": lambda tag: tag.replace("</", "</ "),
    "with the other slash": lambda tag: tag.replace("/", "\\"),
    "behind the end of a CDATA section": lambda tag: f"]]>{tag}",
    "behind the beginning of one": lambda tag: f"<![CDATA[{tag}",
    "behind the beginning of a comment": lambda tag: f"<!-- {tag}",
}


def read(head, entries, tail):
    return parse_feed(f"{head}{''.join(entries)}{tail}".encode(), URL)


def places(markup):
    return [
        match.span() for match in END_TAG.finditer(re.sub(r"<!\[CDATA\[.*?\]\]>", lambda c: " " * len(c[0]), markup))
    ]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", FEEDS)
def test_a_damaged_end_tag_in_an_entry_costs_no_other_entry(name, damage):
    head, entries, tail = FEEDS[name]
    whole = read(head, entries, tail)
    assert len(whole.entries) == 4
    for index, entry in enumerate(entries):
        others = [sound for number, sound in enumerate(whole.entries) if number != index]
        for begin, end in places(entry):
            damaged = entry[:begin] + damage(entry[begin:end]) + entry[end:]
            feed = read(head, [*entries[:index], damaged, *entries[index + 1 :]], tail)
            assert [sound for sound in feed.entries if sound in others] == others, damaged
            assert len(feed.entries) + feed.skipped >= 4, damaged
            assert feed.title == "News"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", FEEDS)
def test_a_damaged_end_tag_before_the_entries_costs_no_entry(name, damage):
    head, entries, tail = FEEDS[name]
    whole = read(head, entries, tail)
    for begin, end in places(head):
        feed = read(head[:begin] + damage(head[begin:end]) + head[end:], entries, tail)
        facts = [(entry.guid, entry.title, entry.url, entry.published_at) for entry in feed.entries]
        assert facts == [(entry.guid, entry.title, entry.url, entry.published_at) for entry in whole.entries]


KEPT = {
    "title": lambda entry: (entry.guid, entry.url),
    "description": lambda entry: (entry.guid, entry.url, entry.title),
    "content:encoded": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.published_at),
    "dc:creator": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.content, entry.published_at),
    "source": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.authors, entry.published_at),
    "category": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.authors, entry.published_at),
    "media:content": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.published_at),
    "guid": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.published_at),
    "link": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.published_at),
    "pubDate": lambda entry: (entry.guid, entry.url, entry.title, entry.summary, entry.published_at),
    "item": lambda entry: entry,
}


@pytest.mark.parametrize("form", ["", "</oops>"], ids=["missing", "misspelt"])
@pytest.mark.parametrize("tag", KEPT)
def test_the_damaged_entry_keeps_its_other_fields(tag, form):
    head, entries, tail = FEEDS["RSS"]
    whole = read(head, entries, tail).entries[1]
    damaged = entries[1].replace(f"</{tag}>", form)
    assert damaged != entries[1]
    feed = read(head, [entries[0], damaged, *entries[2:]], tail)
    assert KEPT[tag](feed.entries[1]) == KEPT[tag](whole)
    assert feed.skipped == 0


@given(st.sampled_from(sorted(FEEDS)), st.integers(0, 3), st.data())
def test_any_damage_within_an_entry_costs_no_other(name, index, data):
    head, entries, tail = FEEDS[name]
    whole = read(head, entries, tail)
    entry = entries[index]
    begin = data.draw(st.integers(7, len(entry) - 8))
    end = min(len(entry) - 8, begin + data.draw(st.integers(0, 40)))
    junk = data.draw(st.text(st.characters(codec="utf-8", exclude_characters="<"), max_size=12))
    feed = read(head, [*entries[:index], entry[:begin] + junk + entry[end:], *entries[index + 1 :]], tail)
    others = [sound for number, sound in enumerate(whole.entries) if number != index]
    assert [sound for sound in feed.entries if sound in others] == others
    assert len(feed.entries) + feed.skipped >= 4


PIECES = ["<item>", "</item>", "<title>", "</title>", "a", "</x>", "<![CDATA[", "]]>", "<item/>", "</channel>"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("<item><title>a</title></item><item><title>b</title></item></item>")
def test_any_order_of_tags_is_a_feed(inner):
    feed = parse_feed(f"<rss><channel><item><guid>1</guid></item>{inner}</channel></rss>".encode(), URL)
    assert feed.entries[0].guid == "1"


@pytest.mark.parametrize("tag", ["< /title>", "</ title>", "</title\n>", "<\\title>", "]]></title>", "<!-- </title>"])
def test_what_is_before_a_damaged_end_tag_stays_as_it_is(tag):
    head, entries, tail = FEEDS["RSS"]
    whole = read(head, entries, tail)
    feed = read(head, [entries[0].replace("</title>", tag), *entries[1:]], tail)
    assert [entry.title for entry in feed.entries] == [entry.title for entry in whole.entries]
    assert [entry.url for entry in feed.entries] == [entry.url for entry in whole.entries]


@pytest.mark.parametrize("index", [0, 1, 3])
@pytest.mark.parametrize("name", FEEDS)
def test_an_entry_whose_start_is_damaged_is_counted(name, index):
    head, entries, tail = FEEDS[name]
    damaged = [*entries[:index], entries[index].replace("<", "<o", 1), *entries[index + 1 :]]
    feed = read(head, damaged, tail)
    assert (len(feed.entries), feed.skipped, feed.title) == (3, 1, "News")


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("name", ["RSS", "RDF"])
def test_a_text_without_the_end_of_its_cdata_costs_no_entry(name, index):
    head, entries, tail = FEEDS[name]
    damaged = [*entries[:index], entries[index].replace("]]>", ""), *entries[index + 1 :]]
    feed = read(head, damaged, tail)
    assert feed.entries == read(head, entries, tail).entries
    assert "CDATA" in feed.malformed
