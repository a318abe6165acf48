"""What recurs on a site is told from what is text, and small changes do not hide it."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.block_identity import fold_block, is_same, make_body_blocks
from pipeline.text.known_blocks import KnownBlock, KnownBlocks, find_copied_article, find_learned, find_recurring
from pipeline.text.recurrence import BlockCount, day_bit, days_of, is_boilerplate

SAME = {
    "number": ("Read all 15 comments on this article now", "Read all 4,312 comments on this article now"),
    "date": ("Subscribe before 3 March 2026 and save half", "Subscribe before 12 August 2027 and save half"),
    "date in figures": ("Stand: 03.04.2026, 14:30 Uhr, alle Angaben ohne Gewähr", "Stand: 12.11.2027, 9:05 Uhr, alle "
                        "Angaben ohne Gewähr"),
    "one word": ("Follow our reporter Gerda on the network for it", "Follow our reporter Uwe on the network for it"),
    "two words": (
        "More texts by our author Gerda Holm can be found on this page every week",
        "More texts by our author Uwe Karst can be found on this page every week",
    ),
    "case and layout": ("Get  the\u00a0app today, it is free", "GET THE APP TODAY: it is free!"),
    "month in German": ("Nur bis 3. März gibt es das Blatt billiger", "Nur bis 9. Oktober gibt es das Blatt billiger"),
    "script without spaces": ("有料会員限定の記事です。残り1234文字。", "有料会員限定の記事です。残り56文字。"),
}  # fmt: skip

OTHER = {
    "half of it": (
        "The board will meet again on Monday to vote",
        "The board met on Monday and did not vote at all",
    ),
    "a short line": ("He said yes", "He said no"),
    "a report of numbers": (
        "Final scores were 31 to 14, then 42 to 28, then 65 to 7 and at last 59 to 50",
        "Final scores were 27 to 22, then 18 to 71, then 64 to 36 and at last 9 to 58",
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_blocks_with_small_changes_are_the_same(one, other):
    assert is_same(fold_block(one), fold_block(other))
    assert find_learned(make_body_blocks([other], [True]), frozenset([one]))


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER)
def test_blocks_that_say_something_else_are_not(one, other):
    assert not is_same(fold_block(one), fold_block(other))
    assert not find_learned(make_body_blocks([other], [True]), frozenset([one]))


@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_text_has_keys_that_sql_can_hold(texts):
    for block in make_body_blocks(texts, [True] * len(texts)):
        assert -(2**63) <= block.key < 2**63
        assert all(-(2**31) <= band < 2**31 for band in block.bands)
        assert find_learned([block], frozenset([block.text])) == {block.key}


@given(st.text(max_size=60), st.text(max_size=60))
def test_whichever_comes_first(one, other):
    assert is_same(fold_block(one), fold_block(other)) == is_same(fold_block(other), fold_block(one))


def days(count, start=date(2026, 11, 1)):
    bits = 0
    for place in range(count):
        bits |= day_bit(start + timedelta(days=place))
    return bits


def test_days_are_counted_once_each():
    assert days_of(days(40)) == 40
    assert days_of(days(3) | days(3)) == 3


RULE = {
    # (articles, days, span, above, words): boilerplate?
    "in most articles of a week": ((30, 7, 40, 5.0, 12), True),
    "in a fifth of the articles of a month": ((20, 20, 100, 5.0, 12), True),
    "on one day, in all of many articles": ((12, 1, 12, 4.0, 12), True),
    "a wire story on the site twice": ((2, 1, 3, 4.0, 30), False),
    "a wire story that came back four times": ((4, 3, 60, 4.0, 30), False),
    "five articles on the event of a day": ((5, 1, 12, 4.0, 30), False),
    "the background of a topic, for months": ((40, 40, 900, 6.0, 35), False),
    "the standfirst of a weekly series": ((30, 30, 1500, 0.0, 30), False),
    "the standfirst of a series on every fourth page": ((25, 25, 100, 0.0, 30), False),
    "an invitation at the top of half the pages": ((50, 20, 100, 0.5, 30), True),
    "two words in a few articles": ((30, 20, 100, 5.0, 2), False),
    "two words in nearly all articles": ((90, 20, 100, 5.0, 2), True),
}


@pytest.mark.parametrize(("counted", "expected"), RULE.values(), ids=RULE)
def test_the_rule(counted, expected):
    articles, count, span, above, words = counted
    assert is_boilerplate(BlockCount(articles, days(count), span, above, words)) is expected


def test_the_user_comes_first():
    often, once = BlockCount(100, days(30), 100, 5.0, 12), BlockCount(0, 0, 1, 0.0, 12)
    assert not is_boilerplate(often, "kept")
    assert is_boilerplate(once, "dropped")


def known(block, article, articles=1, text=None):
    return KnownBlock(block.key, block.bands, block.words, text, articles, article, article)


def sentences(seed, count, length=14):
    rng = random.Random(seed)
    return [" ".join(f"w{rng.randrange(10**6):x}x" for _ in range(length)) for _ in range(count)]


def blocks_of(texts):
    return make_body_blocks(texts, [True] * len(texts))


def test_a_copy_is_known_by_most_of_its_words():
    story, own = sentences(1, 8), sentences(2, 4)
    seen = {block.key: known(block, 7) for block in blocks_of(story)}
    updated = blocks_of([*own, *story])
    assert find_copied_article((block, seen.get(block.key)) for block in updated) == 7
    other = blocks_of([*story[:4], *own])
    assert find_copied_article((block, seen.get(block.key)) for block in other) is None


def test_what_recurs_already_makes_no_copies():
    printed, own = sentences(3, 10), sentences(4, 3)
    seen = {block.key: known(block, 7, articles=3) for block in blocks_of(printed)}
    assert find_copied_article((block, seen.get(block.key)) for block in blocks_of([*own, *printed])) is None


def test_the_very_same_block_is_found_before_a_variant():
    one, two = blocks_of(["More texts by our author Gerda Holm are here", "More texts by our author Uwe Holm are here"])
    both = [known(two, 1, 9, two.text), known(one, 2, 1, one.text)]
    assert KnownBlocks(both).find(one).key == one.key
    assert KnownBlocks(both[:1]).find(one).key == two.key
    assert KnownBlocks(both).find(blocks_of(["Nothing of this kind was ever printed on the site"])[0]) is None


def places(texts, kinds, learned):
    kept = [True] * len(texts)
    return find_recurring(make_body_blocks(texts, kept), texts, kinds, kept, frozenset(learned))


def test_a_heading_goes_only_with_what_it_is_the_heading_of():
    learned = ["What we know so far", "Sign the petition on our page"]
    texts = ["What we know so far", "The pier fell into the harbour.", "What we know so far", learned[1]]
    kinds = ["heading", "paragraph", "heading", "paragraph"]
    assert places(texts, kinds, learned) == {2, 3}


def test_a_block_that_is_printed_twice_with_other_numbers_goes_twice():
    texts = ["Read all 15 comments on this", "The pier fell into the harbour.", "Read all 23 comments on this"]
    assert places(texts, ["paragraph"] * 3, ["Read all 4 comments on this"]) == {0, 2}


def test_an_article_of_nothing_else_is_left_as_it_is():
    learned = ["Sign the petition on our page", "Get the app for your telephone"]
    assert places(learned, ["paragraph"] * 2, learned) == set()
