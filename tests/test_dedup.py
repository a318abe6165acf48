import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.dedup import Stored, content_hash, decide, normalise
from pipeline.model import Article


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


SAME = Stored("Ferry returns", content_hash("The ferry is back."))


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
        pytest.param(Stored(None, SAME.content_hash), article(), None, "revised", id="title found for the first time"),
    ],
)
def test_decide(stored, found, elsewhere, decision):
    assert decide(stored, found, elsewhere) == decision


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
