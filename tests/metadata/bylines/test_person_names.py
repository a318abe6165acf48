"""By-lines become names of persons, agencies and newsrooms."""

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.metadata import names
from pipeline.metadata.names import fold_name, is_full_name, read_names, split_byline, strip_before, without_date


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(names).failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("By Ann Lee and Bo Chen, Political Editor", ["Ann Lee", "Bo Chen"], id="and, role"),
        pytest.param("BY ANN LEE", ["ANN LEE"], id="capitals are kept"),
        pytest.param("Von Jens Müller und Dr. Eva Roth", ["Jens Müller", "Dr. Eva Roth"], id="German, title kept"),
        pytest.param("Ein Gastbeitrag von Eva Roth", ["Eva Roth"], id="long introduction"),
        pytest.param("Par Luc Martin et Zoé Petit, envoyés spéciaux", ["Luc Martin", "Zoé Petit"], id="French"),
        pytest.param("Por Maria Sol y Juan Paz", ["Maria Sol", "Juan Paz"], id="Spanish y parts whole names"),
        pytest.param("José Ortega y Gasset", ["José Ortega y Gasset"], id="y inside a name"),
        pytest.param("Di Carla Bruno", ["Carla Bruno"], id="Italian"),
        pytest.param("Door Piet de Vries", ["Piet de Vries"], id="Dutch"),
        pytest.param("Av Kari Nordmann og Ola Hansen", ["Kari Nordmann", "Ola Hansen"], id="Norwegian"),
        pytest.param("Tekst: Lise Holm", ["Lise Holm"], id="with a colon"),
        pytest.param("Autor: Jan Novák", ["Jan Novák"], id="Czech"),
        pytest.param("구현모 기자", ["구현모"], id="Korean reporter"),
        pytest.param("Ann Lee, Bo Chen, Cy Dean and Di Ek", ["Ann Lee", "Bo Chen", "Cy Dean", "Di Ek"], id="list"),
        pytest.param("Ann Lee; Bo Chen", ["Ann Lee", "Bo Chen"], id="semicolon"),
        pytest.param("Lee, Ann", ["Ann Lee"], id="surname first"),
        pytest.param("Ann Lee | Example News | 3 May 2026", ["Ann Lee", "Example News"], id="bars"),
        pytest.param("Ann Lee December 17, 2025", ["Ann Lee"], id="date behind"),
        pytest.param("ann@news.example (Ann Lee)", [], id="only an address and brackets"),
        pytest.param("Ann Lee ann@news.example @annlee", ["Ann Lee"], id="address and handle"),
        pytest.param("<a href='/ann'>Ann Lee</a> &amp; Bo Chen", ["Ann Lee", "Bo Chen"], id="markup"),
        pytest.param("Von Anna Roth, Frankfurt", ["Anna Roth"], id="place"),
        pytest.param("Head of Research", [], id="only a role"),
        pytest.param("Ann Lee, Ann Lee", ["Ann Lee"], id="once"),
        pytest.param("admin", [], id="nobody"),
        pytest.param("Twitter Facebook", [], id="share buttons"),
        pytest.param("https://news.example/ann", [], id="address"),
        pytest.param("all that was said in the long debate about the harbour", [], id="sentence"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_names_are_read_in_order(text, expected):
    assert [name.text for name in read_names([text])] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dpa", [("dpa", "agency")]),
        ("DPA", [("dpa", "agency")]),
        ("Kim Lee, AFP", [("Kim Lee", "person"), ("AFP", "agency")]),
        ("Anna Berg/dpa", [("Anna Berg", "person"), ("dpa", "agency")]),
        ("The Associated Press", [("The Associated Press", "agency")]),
        ("Anadolu Ajansı", [("Anadolu Ajansı", "agency")]),
        ("Nordkurier-Redaktion", [("Nordkurier-Redaktion", "newsroom")]),
        ("Morning Star staff", [("Morning Star staff", "newsroom")]),
        ("ECD Staff", [("ECD Staff", "newsroom")]),
        ("Example Courant", [("Example Courant", "newsroom")]),
        ("example.org", [("example.org", "newsroom")]),
        ("Ann Lee", [("Ann Lee", "person")]),
    ],
)
def test_agencies_and_newsrooms_are_told_from_persons(text, expected):
    assert [(name.text, name.kind) for name in read_names([text], ["Example Courant"])] == expected


def test_the_papers_own_name_is_no_author_beside_persons():
    assert [name.text for name in read_names(["Example Courant", "Ann Lee"], ["Example Courant"])] == ["Ann Lee"]


def test_what_is_declared_an_organisation_is_no_person():
    assert read_names(["Golden Harbour"], organisation=True)[0].kind == "newsroom"


def test_a_crowd_of_names_is_cut_off():
    crowd = "; ".join(f"Ann L{'e' * number}" for number in range(1, 40))
    assert len(read_names([crowd])) == names.MAX_NAMES


@given(st.text(max_size=200))
@example("Von " * 50)
@example("\u0130stanbul, y, e, &")
@example("&#x0;<" * 20)
def test_any_text_is_survived(text):
    for name in read_names([text]):
        assert name.text.strip()
        assert len(name.text) <= names.MAX_NAME
    fold_name(text), is_full_name(text), without_date(text)


@given(st.text(max_size=80))
def test_taking_off_what_introduces_is_done_once(text):
    assert strip_before(strip_before(text)) == strip_before(text)


@given(
    st.lists(st.sampled_from(["Ann Lee", "Bo Chen", "Jens Müller", "Zoé Petit"]), min_size=1, max_size=4, unique=True)
)
def test_a_list_of_names_comes_out_as_it_went_in(people):
    assert list(split_byline(", ".join(people))) == people
