"""What pages and servers reserve, in the forms in which they say it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.robots.opt_out import (
    MAX_BYTES,
    SIGNALS,
    TdmRules,
    is_refused,
    merge_signals,
    parse_tdm,
    signals_of_headers,
    signals_of_meta,
    tdm_text,
)

AGENT = "news-pipeline/1.2"


@pytest.mark.parametrize(
    ("headers", "signals"),
    [
        pytest.param({}, (), id="nothing said"),
        pytest.param({"x-robots-tag": "index, follow"}, (), id="what does not matter here"),
        pytest.param({"x-robots-tag": "noarchive"}, ("noarchive",), id="noarchive"),
        pytest.param({"x-robots-tag": "NoAI, NoImageAI"}, ("noai", "noimageai"), id="in any case"),
        pytest.param({"x-robots-tag": "noai,noarchive , noai"}, ("noai", "noarchive"), id="each once"),
        pytest.param({"x-robots-tag": "googlebot: noarchive"}, (), id="to another robot"),
        pytest.param({"x-robots-tag": "googlebot: noindex, noarchive"}, (), id="a name holds for the whole list"),
        pytest.param({"x-robots-tag": "noai, googlebot: noarchive"}, ("noai",), id="to all, then to another"),
        pytest.param({"x-robots-tag": "news-pipeline: noarchive"}, ("noarchive",), id="to us by name"),
        pytest.param({"x-robots-tag": "otherbot: noai, *: noarchive"}, ("noarchive",), id="to all by an asterisk"),
        pytest.param(
            {"x-robots-tag": "max-snippet: 20, noarchive"}, ("noarchive",), id="after a directive with a value"
        ),
        pytest.param(
            {"x-robots-tag": "unavailable_after: Sat, 21 Nov 2026 09:00:00 GMT, noai"}, ("noai",), id="after a date"
        ),
        pytest.param({"tdm-reservation": "1"}, ("tdm",), id="mining reserved"),
        pytest.param({"tdm-reservation": "1, 1"}, ("tdm",), id="said twice"),
        pytest.param({"tdm-reservation": "0"}, (), id="mining not reserved"),
        pytest.param({"tdm-reservation": "10"}, (), id="no number of the specification"),
        pytest.param({"tdm-policy": "https://news.example/policy.json"}, (), id="a policy alone reserves nothing"),
        pytest.param({"tdm-reservation": "1", "x-robots-tag": "noai"}, ("noai", "tdm"), id="both"),
        pytest.param({"x-robots-tag": "noaim, archive"}, (), id="similar words"),
    ],
)
def test_signals_in_headers(headers, signals):
    assert signals_of_headers(headers, AGENT) == signals


@pytest.mark.parametrize(
    ("meta", "signals"),
    [
        pytest.param({}, (), id="nothing said"),
        pytest.param({"robots": ("index,follow,max-image-preview:large",)}, (), id="what does not matter here"),
        pytest.param({"robots": ("noarchive",)}, ("noarchive",), id="noarchive"),
        pytest.param({"robots": ("noai noimageai",)}, ("noai", "noimageai"), id="separated by blanks"),
        pytest.param({"robots": ("index", "NOAI")}, ("noai",), id="in the second of two elements"),
        pytest.param({"googlebot": ("noarchive",)}, (), id="to another robot"),
        pytest.param({"news-pipeline": ("noarchive",)}, ("noarchive",), id="to us by name"),
        pytest.param({"tdm-reservation": ("1",)}, ("tdm",), id="mining reserved"),
        pytest.param({"tdm-reservation": ("0",)}, (), id="mining not reserved"),
        pytest.param({"description": ("noai, noarchive",)}, (), id="words in another element"),
    ],
)
def test_signals_in_meta_elements(meta, signals):
    assert signals_of_meta(meta, AGENT) == signals


def test_signals_of_both_are_recorded_once_in_one_order():
    assert merge_signals(("tdm", "noai"), (), ("noarchive", "noai")) == ("noai", "noarchive", "tdm")


@pytest.mark.parametrize(
    ("signals", "respected", "refused"),
    [
        pytest.param(("noai",), (), False, id="nothing is respected by default"),
        pytest.param(("noai", "tdm"), ("tdm",), True, id="one of several"),
        pytest.param(("noai",), ("tdm", "noarchive"), False, id="others"),
        pytest.param((), SIGNALS, False, id="nothing said"),
    ],
)
def test_only_what_is_set_to_be_respected_is_refused(signals, respected, refused):
    assert is_refused(signals, respected) is refused


def test_the_setting_takes_each_signal_and_no_other_word():
    settings = Settings.from_env({"NEWS_RESPECT_OPT_OUT": ", ".join(SIGNALS)})
    assert settings.respect_opt_out == SIGNALS
    with pytest.raises(ConfigError, match="nocopy: must be some of noai"):
        Settings.from_env({"NEWS_RESPECT_OPT_OUT": "noai,nocopy"})


@given(st.text(), st.text())
@example("::,: ,*:", "")
@example("noai:noai", "/")
def test_reading_survives_anything_and_finds_known_signals_only(value, agent):
    found = signals_of_headers({"x-robots-tag": value, "tdm-reservation": value}, agent)
    assert set(found) | set(signals_of_meta({"robots": (value,), "tdm-reservation": (value,)}, agent)) <= set(SIGNALS)


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
