"""feedparser reads entries, and their elements correct the facts that it gets wrong."""

import pytest
from lxml import etree

from pipeline.parse import parse_feed
from pipeline.parse.feedparser_entries import MAX_ELEMENTS, MAX_TAGS, correct_fields, parse_entries
from pipeline.parse.fields import Fields

OWN = Fields(guid="1", url="https://news.example/1", title="ours", summary="ours", authors=("Ours",))


def feed(*entries):
    return f'<rss version="2.0"><channel><title>News</title>{"".join(entries)}</channel></rss>'


def elements_of(markup):
    return list(etree.fromstring(markup).iter("item"))


def test_titles_summaries_and_tags_are_those_of_feedparser_and_facts_those_of_the_element():
    entry = (
        "<item><title>A &amp; B</title><description>&lt;p&gt;Two&lt;/p&gt;</description><category>Sea</category></item>"
    )
    markup = feed(entry)
    (raw,) = parse_entries(markup, elements_of(markup))
    fields = correct_fields(raw, elements_of(markup)[0], OWN)
    assert (fields.title, fields.summary, fields.tags) == ("A & B", "Two", ("Sea",))
    assert (fields.url, fields.guid, fields.authors) == (OWN.url, OWN.guid, OWN.authors)


def test_of_several_elements_that_say_one_thing_feedparser_is_not_asked():
    markup = feed("<item><title>One</title><title>Two</title></item>")
    (raw,) = parse_entries(markup, elements_of(markup))
    assert correct_fields(raw, elements_of(markup)[0], OWN) == OWN


def test_an_answer_with_another_number_of_entries_is_not_used():
    markup = feed("<item><title>One</title></item>")
    assert parse_entries(markup, elements_of(markup) * 2) is None


def test_an_entry_with_a_flood_of_elements_is_not_given_to_feedparser():
    markup = feed(f"<item>{'<category>x</category>' * (MAX_ELEMENTS + 1)}</item>")
    assert parse_entries(markup, elements_of(markup)) is None


def numbered(tag, count):
    return "".join(f"<{tag}>{number}</{tag}>" for number in range(count))


MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'
MANY = 20 * MAX_TAGS  # in which feedparser takes minutes
WORDS = ",".join(map(str, range(MANY)))
PART = numbered("category", MAX_ELEMENTS)


@pytest.mark.parametrize(
    ("head", "inside", "count"),
    [
        pytest.param("", f"<group>{numbered('category', MAX_TAGS + 1)}</group>", 1, id="within another element"),
        pytest.param("", f"<media:keywords {MEDIA}>{WORDS}</media:keywords>", 1, id="between commas"),
        pytest.param("", f"<media:keywords {MEDIA}><b/>{WORDS}</media:keywords>", 1, id="behind an element"),
        pytest.param(numbered("category", MAX_TAGS + 1), "", 1, id="in the head"),
        pytest.param(f"<TAGS>{WORDS}</TAGS>", "", 1, id="between commas in the head"),
        pytest.param("<image/>", f"<image>{PART}</image>", MANY // MAX_ELEMENTS, id="for the picture of the feed"),
        pytest.param("", f"<item><title>Inner</title></item>{PART}", MANY // MAX_ELEMENTS, id="behind inner entries"),
    ],
)
def test_a_flood_of_tags_costs_no_entry(head, inside, count):
    items = (f"<item><title>A {number}</title>{inside}</item>" for number in range(count))
    markup = feed(head, *items)
    assert parse_entries(markup, elements_of(markup)) is None
    entries = parse_feed(markup.encode(), "https://news.example/feed").entries
    assert {f"A {number}" for number in range(count)} <= {entry.title for entry in entries}


def test_a_flood_of_attributes_costs_no_entry():
    flood = " ".join(f'a{number}="1"' for number in range(100_000))
    markup = feed(f"<item><title>A</title><x {flood}/></item>")
    assert parse_entries(markup, elements_of(markup)) is None
    assert [entry.title for entry in parse_feed(markup.encode(), "https://news.example/feed").entries] == ["A"]


def test_as_many_tags_as_feedparser_may_read_are_given_to_it():
    markup = feed(*[f"<item><title>A</title>{numbered('category', 50)}</item>"] * (MAX_TAGS // 50))
    entries = parse_entries(markup, elements_of(markup))
    assert [len(entry.tags) for entry in entries] == [50] * (MAX_TAGS // 50)
