"""The kinds of paragraphs are stored beside the text, revised with it, and shown as rows, on both databases."""

import pytest

from pipeline.store.schema.tables import ArticleRow, RevisionRow
from pipeline.text.shape import iterate_blocks
from tests.support.archive import HOUR, NOW, Archive
from tests.support.views import rows

URL = "https://news.example/1"
TEXT = "Tides\n\nThey \"come\" and\ngo.\n\nLow, c:\\n\\n\n\nHigh \\u0041 é 潮\n\n'A | B'"
BLOCK = ("position", "kind", "level", "text")


@pytest.fixture
def archive(engine):
    return Archive(engine)


def shapes(archive):
    return [row["shape"] for row in archive.rows(ArticleRow)], [row["shape"] for row in archive.rows(RevisionRow)]


def test_each_paragraph_is_a_row_with_its_kind(archive):
    archive.store(URL, text=TEXT, shape="2pIKr")
    told = list(iterate_blocks(TEXT, "2pIKr"))
    assert [(block.kind, block.level) for block in told] == [
        *(("heading", 2), ("paragraph", None), ("item", 1), ("item", 3), ("row", None)),
    ]
    assert rows(archive.engine, "v_article_block", *BLOCK) == [
        (position, *block) for position, block in enumerate(told, start=1)
    ]


def test_where_the_kinds_are_not_known_there_are_rows_without(archive):
    archive.store(URL, text="One two.\n\nThree four.")
    assert rows(archive.engine, "v_article_block", *BLOCK) == [
        (1, None, None, "One two."),
        (2, None, None, "Three four."),
    ]


def test_a_revision_keeps_the_shape_that_its_text_had(archive):
    archive.store(URL, text="Tides\n\nThey come.", shape="2p")
    archive.store(URL, text="Tides\n\nThey come.\n\nThey go.", shape="2pi", now=NOW + HOUR)
    assert shapes(archive) == (["2pi"], ["2p", "2pi"])
    assert rows(archive.engine, "v_revision", "shape", "number", order="number") == [("2p", 1), ("2pi", 2)]
    assert rows(archive.engine, "v_article_version", "shape", "number", order="number") == [("2p", 1), ("2pi", 2)]


def test_a_shape_that_is_known_later_is_filled_in(archive):
    archive.store(URL, text="Tides\n\nThey come.")
    assert archive.store(URL, text="Tides\n\nThey come.", shape="2p", now=NOW + HOUR).decision == "unchanged"
    assert shapes(archive) == (["2p"], ["2p"])
    assert [kind for (kind, _) in rows(archive.engine, "v_changes", "kind", "cursor", order="cursor")] == [
        "new",
        "updated",
    ]


@pytest.mark.parametrize(
    ("text", "shape"), [("Tides They\n\ncome.", "3p"), ("Tides\n\nThey come.", None)], ids=["other cuts", "unknown"]
)
def test_a_shape_of_another_text_or_none_replaces_no_shape(archive, text, shape):
    archive.store(URL, text="Tides\n\nThey come.", shape="2p")
    assert archive.store(URL, text=text, shape=shape, now=NOW + HOUR).decision == "unchanged"
    assert shapes(archive) == (["2p"], ["2p"])
