"""tdmrep.json: what it reserves, for which paths."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.rights import signals_of_headers
from pipeline.tdm import MAX_BYTES, TdmRules, parse_tdm, tdm_text


def reserved(path, *rules):
    text = json.dumps([{"location": location, "tdm-reservation": value} for location, value in rules])
    return parse_tdm(text).is_reserved(f"https://news.example{path}")


@pytest.mark.parametrize(
    ("path", "rules", "expected"),
    [
        pytest.param("/a", [("/", 1)], True, id="everything"),
        pytest.param("", [("/", 1)], True, id="the root without its slash"),
        pytest.param("/a", [("/", 0)], False, id="nothing, by its word"),
        pytest.param("/a", [], None, id="no rule"),
        pytest.param("/b/1", [("/a/", 1)], None, id="another folder"),
        pytest.param("/a/b/1", [("/a/", 1)], True, id="below a folder"),
        pytest.param("/A/1", [("/a/", 1)], None, id="the case counts"),
        pytest.param("/press/1", [("/press/", 0), ("/", 1)], False, id="the first that fits counts"),
        pytest.param("/press/1", [("/", 1), ("/press/", 0)], True, id="even where a later one is more exact"),
        pytest.param("/i/x/1.jpg", [("/i/*.jpg", 1)], True, id="a star"),
        pytest.param("/i/1.jpeg", [("/i/*.jpg", 1)], None, id="a star, another ending"),
        pytest.param("/i/1.jpg?w=1", [("/i/*.jpg$", 1)], None, id="the end"),
        pytest.param("/i/1.jpg", [("/i/*.jpg$", 1)], True, id="a star and the end"),
        pytest.param("/a.jpg.jpg", [("/*.jpg$", 1)], True, id="the last of several ends"),
        pytest.param("/a", [("/a$", 1)], True, id="all of it"),
        pytest.param("/ab", [("/a$", 1)], None, id="not all of it"),
        pytest.param("/aba", [("/ab*ba$", 1)], None, id="no letter serves twice"),
        pytest.param("/x", [("*", 1)], True, id="a star alone"),
        pytest.param("/list?page=2", [("/list?page=", 1)], True, id="the query"),
        pytest.param("/%7euser/1", [("/~user/", 1)], True, id="encoded in the URL"),
        pytest.param("/~user/1", [("/%7Euser/", 1)], True, id="encoded in the pattern"),
        pytest.param("/a", [("/", "1")], True, id="the number as text"),
        pytest.param("/a", [("/", True)], True, id="true"),
        pytest.param("/a", [("/", 2), ("/", 0)], False, id="no value of the protocol: as if it were not there"),
        pytest.param("/a", [("/", 1.0), ("/", None)], None, id="neither"),
        pytest.param("/a", [("a", 1), (7, 1)], None, id="no path"),
    ],
)
def test_the_first_rule_whose_pattern_fits_counts(path, rules, expected):
    assert reserved(path, *rules) is expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("<!doctype html><title>Not found</title>", id="a page"),
        pytest.param('{"location": "/", "tdm-reservation": 1}', id="a rule without its list"),
        pytest.param("[[[1]]]", id="lists"),
        pytest.param('["/", 1, null]', id="no rules"),
        pytest.param("[" * 100_000, id="a tower"),
        pytest.param('[{"location": "/", "tdm-reservation": 1}', id="cut"),
    ],
)
def test_what_is_no_file_of_rules_says_nothing(text):
    assert parse_tdm(text) == TdmRules()


def test_what_is_kept_can_be_stored_and_is_small():
    assert tdm_text('\ufeff[{"location": "/\0"}]'.encode()) == '[{"location": "/\ufffd"}]'
    assert tdm_text(b"<html>") == ""
    assert tdm_text(b"[" + b" " * MAX_BYTES) == ""


@pytest.mark.parametrize(
    ("header", "file", "expected"),
    [
        pytest.param(None, True, ("tdm",), id="the file alone"),
        pytest.param(None, None, (), id="nobody says anything"),
        pytest.param("0", True, (), id="the header takes it back"),
        pytest.param("1", False, ("tdm",), id="the header reserves"),
        pytest.param("maybe", True, ("tdm",), id="a header that says nothing"),
    ],
)
def test_the_header_outweighs_the_file(header, file, expected):
    headers = {} if header is None else {"tdm-reservation": header}
    assert signals_of_headers(headers, "news-pipeline/1.0", file) == expected


def test_many_stars_do_no_harm():
    assert reserved("/" + "a" * 2000, ("/" + "*a" * 500 + "b$", 1)) is None


@given(st.text(), st.text())
@example('[{"location": "/", "tdm-reservation": 1}]', "http://[")
def test_any_text_and_any_url_will_do(text, url):
    assert parse_tdm(text).is_reserved(url) in {True, False, None}
