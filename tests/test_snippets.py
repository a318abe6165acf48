"""What matched is marked in the text as it was written, on both databases."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.store.engine import open_engine, reading
from pipeline.store.search import search
from pipeline.store.snippets import BEGIN, END, IndexForm
from tests.test_store import Archive

FILLING = "Nothing of this is looked for. " * 40
BETWEEN = {ord("-"): None, ord("."): None}
MARKED = {
    "accents": ("cafe", "Le Café de la région.", "Café"),
    "accents in the search": ("région", "Le cafe de la region.", "region"),
    "accents apart": ("cafe", "Le cafe\u0301 de nuit.", "cafe\u0301"),
    "dots": ("U.S.", "Said the U.S. envoy — again.", "US"),
    "hyphen": ("well-known", "Ein well-known „Plan“.", "wellknown"),
    "address": ("example", "Write to ä@news.example/now for more.", "example"),
    "soft hyphen": ("hafenstadt", "Die Hafen\u00adstadt – heute.", "Hafen\u00adstadt"),
}


def found(engine, query):
    with reading(engine) as connection:
        (hit,) = search(connection, query).hits
    return hit


@pytest.mark.parametrize("name", MARKED)
def test_the_place_that_matches_is_shown_and_marked(engine, name):
    if (name, engine.dialect.name) == ("soft hyphen", "sqlite"):
        pytest.skip("parts words on SQLite")
    query, text, expected = MARKED[name]
    Archive(engine).store(title=text, text=FILLING + text + " " + FILLING)
    hit = found(engine, query)
    for spans in (hit.title, hit.snippet):
        # SQLite marks the words of a phrase together, PostgreSQL each by itself.
        marked = "".join(span.text for span in spans if span.is_match)
        assert marked.translate(BETWEEN) == expected
    assert "".join(span.text for span in hit.title) == text


@pytest.mark.postgres
def test_scripts_without_spaces_are_marked_by_the_character(postgres_url):
    engine = open_engine(postgres_url)
    Archive(engine).store(title="港区の祭り", text="東京都港区で祭りが行われた。" * 3, language="ja")
    hit = found(engine, "港区")
    assert [span.text for span in hit.title if span.is_match] == ["港", "区"]
    assert "".join(span.text for span in hit.title) == "港区の祭り"
    engine.dispose()


def test_what_looks_like_a_tag_leaves_the_rest_readable(engine):
    Archive(engine).store(title="a <b> harbour", text=FILLING + "if a <b> harbour é then")
    assert "harbour" in [span.text for span in found(engine, "harbour").snippet if span.is_match]


ODD = st.text(st.sampled_from("aé e\u0301ß.-/@_:ﬁ港日ก…„“\u00ad\u200bＡ½한İ\n<&"), max_size=40)


@pytest.mark.postgres
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(text=ODD)
@example(text="Ünïcödé — 日本語 🚢 ﬁnance 1½")
def test_the_form_of_the_index_is_that_of_the_database(postgres_url, text):
    engine = _engine(postgres_url)
    with engine.connect() as connection:
        there = connection.scalar(sa.text("SELECT news_search_text(CAST(:text AS text))"), {"text": text})
    assert IndexForm(text).text == there


_ENGINES = {}


def _engine(url):
    return _ENGINES.setdefault(url, sa.create_engine(url, poolclass=sa.NullPool))


@given(ODD, st.integers(0, 60), st.integers(0, 60))
def test_marks_never_change_the_text(text, begin, length):
    form = IndexForm(text)
    marked = form.text[:begin] + BEGIN + form.text[begin : begin + length] + END + form.text[begin + length :]
    assert form.mark(marked).replace(BEGIN, "").replace(END, "") == text
