"""Bylines become names of persons, agencies and newsrooms."""

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.metadata.bylines import byline_parts, person_names
from pipeline.metadata.bylines.byline_parts import fold_name, split_byline, strip_before, strip_date
from pipeline.metadata.bylines.person_names import agency_of, is_full_name, names_by_kind, read_names


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(person_names).failed == 0


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
        pytest.param("By Ann Lee in Ghent", ["Ann Lee"], id="place without a comma"),
        pytest.param("Ann Lee in Ghent and Bo Chen in Mons", ["Ann Lee", "Bo Chen"], id="two in two places"),
        pytest.param("By Ann Lee for The Courant", ["Ann Lee"], id="the paper behind"),
        pytest.param("Ann Lee, Special to The Courant", ["Ann Lee"], id="special to a paper"),
        pytest.param("Par Luc Martin (à Gand), avec Zoé Petit", ["Luc Martin", "Zoé Petit"], id="with another"),
        pytest.param("Published by Ann Lee on March 5, 2026", ["Ann Lee"], id="on a day"),
        pytest.param("Ann Lee Thursday, December 4, 2025", ["Ann Lee"], id="weekday behind"),
        pytest.param("Text: Ann Lee, Fotos: Bo Chen", ["Ann Lee"], id="photographer in German"),
        pytest.param("Ann Lee | Photographs by Bo Chen", ["Ann Lee"], id="photographer in English"),
        pytest.param("Text und Fotos von Eva Roth", ["Eva Roth"], id="who wrote and took the pictures"),
        pytest.param("Photo: Bo Chen", [], id="only a photographer"),
        pytest.param("Alle Artikel von Eva Roth", ["Eva Roth"], id="label of a German link"),
        pytest.param("View all posts by Ann Lee", ["Ann Lee"], id="label of an English link"),
        pytest.param("Redaktion: Jan Roth (Pressestelle)", ["Jan Roth"], id="the desk before a name"),
        pytest.param("Von Redaktion", ["Redaktion"], id="only the desk"),
        pytest.param("Maria da Silva", ["Maria da Silva"], id="a particle that is no place"),
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


@pytest.mark.parametrize("printed", ["AP", "Associated Press", "The Associated Press", "AP News"])
def test_an_agency_has_one_name_whatever_the_byline_calls_it(printed):
    assert names_by_kind(read_names([printed]))["agencies"] == ("AP",)


def test_the_papers_own_name_is_no_author_beside_persons():
    assert [name.text for name in read_names(["Example Courant", "Ann Lee"], ["Example Courant"])] == ["Ann Lee"]


def test_what_is_declared_an_organisation_is_no_person():
    assert read_names(["Golden Harbour"], organisation=True)[0].kind == "newsroom"


def test_a_crowd_of_names_is_cut_off():
    crowd = "; ".join(f"Ann L{'e' * number}" for number in range(1, 40))
    assert len(read_names([crowd])) == person_names.MAX_NAMES


@given(st.text(max_size=200))
@example("Von " * 50)
@example("\u0130stanbul, y, e, &")
@example("&#x0;<" * 20)
def test_any_text_is_survived(text):
    for name in read_names([text]):
        assert name.text.strip()
        assert len(name.text) <= byline_parts.MAX_NAME
    fold_name(text), is_full_name(text), strip_date(text)


@given(st.text(max_size=80))
def test_taking_off_what_introduces_is_done_once(text):
    assert strip_before(strip_before(text)) == strip_before(text)


@given(
    st.lists(st.sampled_from(["Ann Lee", "Bo Chen", "Jens Müller", "Zoé Petit"]), min_size=1, max_size=4, unique=True)
)
def test_a_list_of_names_comes_out_as_it_went_in(people):
    assert list(split_byline(", ".join(people))) == people


@pytest.mark.parametrize(
    ("named", "text", "expected"),
    [
        pytest.param(("AFP", "AP"), "Text.", "AFP", id="by-line"),
        pytest.param((), "ROME, Nov 3 (Reuters) — The board voted.", "Reuters", id="dateline"),
        pytest.param((), "Hamburg (dpa/lno) - Der Hafen ist zu.", None, id="unknown service"),
        pytest.param((), "Berlin (dpa/AFP) – Der Hafen ist zu.", "dpa", id="two agencies"),
        pytest.param((), "Der Hafen ist zu.\n\nDas sagte der Senat. (dpa)", "dpa", id="at the end"),
        pytest.param((), "The pilots' association (PA) will strike.", None, id="another abbreviation"),
        pytest.param((), "The pilots (Reuters readers) — will strike.", None, id="more than a name"),
        pytest.param((), "He works for the AP.", None, id="no brackets"),
        pytest.param((), "", None, id="nothing"),
    ],
)
def test_agencies_are_found(named, text, expected):
    assert agency_of(named, text) == expected


@given(st.text())
def test_any_text_has_an_agency_or_none(text):
    found = agency_of((), text)
    assert found is None or found
