"""Copies are told from other texts by what they say, and by nothing else."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup.likeness import are_copies, likeness, words_of

RNG = random.Random(7)
VOCABULARY = ["".join(RNG.choices("abcdefghijklmnoprstuvw", k=RNG.randint(2, 9))) for _ in range(3_000)]


def words(seed, number=400):
    return random.Random(seed).choices(VOCABULARY, k=number)


def edited(text, share, seed=1):
    rng = random.Random(seed)
    return [rng.choice(VOCABULARY) if rng.random() < share else word for word in text]


def copies(one, other, sites=("one.example", "two.example")):
    pair = [words_of(" ".join(text), site) for text, site in zip((one, other), sites, strict=True)]
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
        words_of("The Harbour\u00ad Board\n\nvoted ON Friday"),
        words_of("the harbour board VOTED\u00a0on friday"),
    )
    assert one.words == other.words
    assert one.sketch == other.sketch


def test_scripts_without_spaces_are_compared_by_characters():
    rng = random.Random(1)
    text = "".join(chr(rng.randint(0x4E00, 0x5E00)) for _ in range(300))
    cut = text[:80] + "新" + text[81:160]
    other = "".join(chr(rng.randint(0x4E00, 0x5E00)) for _ in range(300))
    one = words_of(text, "a")
    assert one.is_unspaced
    assert len(one.words) == 300
    assert are_copies(one, words_of(cut, "b"))
    assert not one.sketch.isdisjoint(words_of(cut).sketch)
    assert not are_copies(one, words_of(other, "b"))


@pytest.mark.parametrize("number", [1, 4, 30, 200, 511, 512, 3_000])
def test_a_sketch_stays_small(number):
    assert 1 <= len(words_of(" ".join(words(1, number))).sketch) <= 60


def test_a_sketch_is_the_same_in_every_process():
    assert words_of("harbour").sketch == {359356526591091938}


@given(st.text(), st.text())
def test_any_texts_can_be_compared(one, other):
    pair = words_of(one), words_of(other)
    assert 0 <= likeness(*pair) <= 1
    assert likeness(*pair) == likeness(*reversed(pair))
    assert are_copies(*pair) == are_copies(*reversed(pair))
    assert are_copies(pair[0], pair[0]) == bool(pair[0].words)
