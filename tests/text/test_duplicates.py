"""Copies are told from other texts by what they say, and by nothing else."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.model import Article
from pipeline.text.duplicates import StoredState, are_copies, compared_text, content_hash, decide_version, likeness
from pipeline.text.words import normalise
from tests.support.texts import edited, words


def copies(one, other, sites=("one.example", "two.example")):
    pair = [compared_text(" ".join(text), site) for text, site in zip((one, other), sites, strict=True)]
    assert are_copies(*pair) == are_copies(*reversed(pair))
    assert likeness(*pair) == likeness(*reversed(pair))
    return are_copies(*pair), bool(pair[0].sketch & pair[1].sketch)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda text: text, True, id="the same"),
        pytest.param(lambda text: edited(text, 0.05), True, id="a word in twenty edited"),
        pytest.param(lambda text: edited(text, 0.15), True, id="a word in seven edited"),
        pytest.param(lambda text: text[:200], True, id="the first half"),
        pytest.param(lambda text: edited(text[200:], 0.15), True, id="the second half, edited"),
        pytest.param(lambda text: [*words(99, 60), *text, *words(98, 60)], True, id="framed"),
        pytest.param(lambda text: words(2), False, id="another text"),
        pytest.param(lambda text: [*words(3, 270), *text[:130]], False, id="a follow-up that repeats a third"),
        pytest.param(lambda text: [*text, *words(4, 1_200)], False, id="a digest of several"),
        pytest.param(lambda text: text[:15], False, id="a phrase"),
        pytest.param(lambda text: [], False, id="nothing"),
    ],
)
def test_copies_are_told_from_others(make, expected):
    text = words(1)
    found, is_found = copies(text, make(text))
    assert found == expected
    assert is_found or not expected


def test_on_one_site_more_must_be_shared():
    text = words(1)
    follow_up = [*text[:240], *words(5, 160)]
    assert copies(text, follow_up) == (True, True)
    assert copies(text, follow_up, ("one.example", "one.example")) == (False, True)


def test_reports_with_other_numbers_are_no_copies():
    frame = words(1, 60)

    def report(seed):
        rng = random.Random(seed)
        return [part for word in frame for part in (word, "points", "to", str(rng.randint(1, 9_999)))]

    assert copies(report(1), report(1)) == (True, True)
    assert copies(report(1), report(2))[0] is False


def test_layout_and_case_make_no_difference():
    one, other = (
        compared_text("The Harbour\u00ad Board\n\nvoted ON Friday"),
        compared_text("the harbour board VOTED\u00a0on friday"),
    )
    assert one.words == other.words
    assert one.sketch == other.sketch


def test_scripts_without_spaces_are_compared_by_characters():
    rng = random.Random(1)
    text = "".join(chr(rng.randint(0x4E00, 0x5E00)) for _ in range(300))
    cut = text[:80] + "新" + text[81:160]
    other = "".join(chr(rng.randint(0x4E00, 0x5E00)) for _ in range(300))
    one = compared_text(text, "a")
    assert one.is_unspaced
    assert len(one.words) == 300
    assert are_copies(one, compared_text(cut, "b"))
    assert not one.sketch.isdisjoint(compared_text(cut).sketch)
    assert not are_copies(one, compared_text(other, "b"))


@pytest.mark.parametrize("number", [1, 4, 30, 200, 511, 512, 3_000])
def test_a_sketch_stays_small(number):
    assert 1 <= len(compared_text(" ".join(words(1, number))).sketch) <= 60


def test_a_sketch_is_the_same_in_every_process():
    assert compared_text("harbour").sketch == {359356526591091938}


@given(st.text(), st.text())
def test_any_texts_can_be_compared(one, other):
    pair = compared_text(one), compared_text(other)
    assert 0 <= likeness(*pair) <= 1
    assert likeness(*pair) == likeness(*reversed(pair))
    assert are_copies(*pair) == are_copies(*reversed(pair))
    assert are_copies(pair[0], pair[0]) == bool(pair[0].words)


def article(title="Ferry returns", text="The ferry is back."):
    return Article(
        url="https://news.example/a",
        site="news.example",
        title=title,
        text=text,
        content_hash=content_hash(text),
        word_count=len(text.split()),
        extractor="x",
        extractor_version="1",
    )


SAME = StoredState("Ferry returns", content_hash("The ferry is back."))


@pytest.mark.parametrize(
    ("stored", "found", "elsewhere", "decision"),
    [
        pytest.param(None, article(), None, "new", id="never seen"),
        pytest.param(None, article(), 7, "duplicate", id="its text stands on another page"),
        pytest.param(SAME, article(), None, "unchanged", id="same text, same title"),
        pytest.param(SAME, article(), 7, "unchanged", id="an article never turns into a duplicate"),
        pytest.param(SAME, article(text="The ferry\n\nis  back."), None, "unchanged", id="only the layout differs"),
        pytest.param(SAME, article(title="FERRY  returns"), None, "unchanged", id="title in capitals"),
        pytest.param(SAME, article(title=None), None, "unchanged", id="title not found this time"),
        pytest.param(SAME, article(title="Ferry returns at last"), None, "revised", id="another title"),
        pytest.param(SAME, article(text="The ferry is not back."), None, "revised", id="another text"),
        pytest.param(
            SAME, article(text="The ferry is not back."), 7, "revised", id="edited into a text known elsewhere"
        ),
        pytest.param(
            StoredState(None, SAME.content_hash), article(), None, "revised", id="title found for the first time"
        ),
    ],
)
def test_decide(stored, found, elsewhere, decision):
    assert decide_version(stored, found, elsewhere) == decision


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("one\n\ntwo", "one two", id="paragraph breaks"),
        pytest.param("one\u00a0two", "one two", id="no-break space"),
        pytest.param("pre\u00advent", "prevent", id="soft hyphen"),
        pytest.param("e\u0301t\u00e9", "\u00e9te\u0301", id="composition"),
        pytest.param("ﬁle", "file", id="ligature"),
        pytest.param("STRASSE", "Straße", id="case"),
    ],
)
def test_layout_does_not_change_the_hash(left, right):
    assert content_hash(left) == content_hash(right)


def test_words_change_the_hash():
    assert content_hash("one two") != content_hash("onetwo")


@given(st.text())
@example("\ud800")
@example("ΐ")
@example("ſ\u0345")
def test_normalising_survives_anything_and_twice_is_once(text):
    once = normalise(text)
    assert normalise(once) == once
    assert len(content_hash(text)) == 64
