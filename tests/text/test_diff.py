"""What was edited, in words: as pieces, and by the command `news diff`."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.text.diff import compare_paragraphs, compare_words, count_changed_words
from tests.support.archive import HOUR, NOW, Archive

URL = "https://news.example/1"
TEXTS = st.text("ab .,'\n", max_size=40)
PARAGRAPHS = st.lists(st.sampled_from(["One two three.", "One two four.", "Other words here", "x"]), max_size=6)


def marked(words):
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(marks[piece.change].format(piece.text) for piece in words)


def side(words, change):
    return "".join(piece.text for piece in words if piece.change in {"same", change})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("A port", "A port", "A port"),
        ("", "", ""),
        ("", "New", "{+New+}"),
        ("Old", "", "[-Old-]"),
        ("The red car was seen.", "The blue bus was seen.", "The [-red car-]{+blue bus+} was seen."),
        ("Three died.", "At least five people died.", "[-Three-]{+At least five people+} died."),
        ("It's the mayor's", "It's the minister's", "It's the [-mayor's-]{+minister's+}"),
        ("one, two", "one; two", "one[-,-]{+;+} two"),
        ("Пять человек", "Шесть человек", "[-Пять-]{+Шесть+} человек"),
    ],
    ids=["same", "empty", "new", "gone", "several words", "put in", "apostrophes", "signs", "Cyrillic"],
)
def test_words_that_went_and_came(before, after, expected):
    assert marked(compare_words(before, after)) == expected


@given(TEXTS, TEXTS)
@example("a b", "a  b")
def test_both_texts_can_be_read_from_what_became_of_the_words(before, after):
    words = compare_words(before, after)
    assert (side(words, "removed"), side(words, "added")) == (before, after)


@given(PARAGRAPHS, PARAGRAPHS)
def test_no_paragraph_is_lost(before, after):
    found = compare_paragraphs(before, after)
    assert [text for words in found if (text := side(words, "removed"))] == before
    assert [text for words in found if (text := side(words, "added"))] == after


def test_a_paragraph_that_is_put_in_leaves_the_others_alone():
    found = compare_paragraphs(["One two three.", "Last one."], ["First of all.", "One two four.", "Last one."])
    assert [marked(words) for words in found] == ["{+First of all.+}", "One two [-three-]{+four+}.", "Last one."]
    assert [count_changed_words(found, change) for change in ("same", "removed", "added")] == [4, 1, 4]


@pytest.fixture
def news(engine):
    """An article with three revisions, and the command line."""
    archive = Archive(engine)
    texts = [
        "It was calm.\n\nThree boats left.",
        "It was calm.\n\nFive boats left.",
        "It was calm.\n\nFive ships left.",
    ]
    for hours, (title, text) in enumerate(zip(["Boats", "Boats", "Ships"], texts, strict=True)):
        archive.store(URL, now=NOW + hours * HOUR, title=title, text=text)
    url = engine.url.render_as_string(hide_password=False)
    return lambda *words: CliRunner().invoke(main, ["diff", *words], env={"NEWS_DATABASE_URL": url})


def test_the_last_edit_is_shown_with_title_and_text(news):
    done = news(URL)
    assert done.exit_code == 0, done.output
    assert "[-Boats-]{+Ships+}" in done.stdout
    assert "Five [-boats-]{+ships+} left." in done.stdout
    assert "1 paragraph unchanged" in done.stdout
    assert "It was calm" not in done.stdout
    assert "It was calm" in news(URL, "--whole").stdout


def test_any_two_revisions_are_compared_for_programs(news):
    told = json.loads(news(URL, "--from", "1", "--to", "2", "--json").stdout)
    assert (told["from"]["number"], told["to"]["number"]) == (1, 2)
    assert told["words"] == {"same": 6, "removed": 1, "added": 1}
    assert told["title"] == [{"change": "same", "text": "Boats"}]
    assert told["paragraphs"][1] == [
        {"change": "removed", "text": "Three"},
        {"change": "added", "text": "Five"},
        {"change": "same", "text": " boats left."},
    ]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([URL, "--to", "9"], 2, "no revision 9"),
        (["https://news.example/none"], 1, "never seen"),
        (["no url"], 2, "no url"),
    ],
    ids=["no such revision", "never seen", "no URL"],
)
def test_what_cannot_be_compared_says_why(news, words, code, message):
    done = news(*words)
    assert (done.exit_code, message in done.stderr) == (code, True)


def test_words_that_moved_are_not_all_that_is_around_them():
    assert marked(compare_words("Today the ship sank near the coast.", "The ship sank near the coast.")) == (
        "[-Today the-]{+The+} ship sank near the coast."
    )


def test_texts_that_could_be_compared_for_hours_went_and_came_as_a_whole():
    old, new = ("yes no " * 1500).strip(), ("no no yes " * 1000).strip()
    assert [(piece.change, piece.text) for piece in compare_words(old, new)] == [("removed", old), ("added", new)]
    assert len(compare_paragraphs(["same", old], ["same", new])) >= 2
