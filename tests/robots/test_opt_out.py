"""What pages and servers reserve, in the forms in which they say it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.rights import SIGNALS, is_refused, merged, signals_of_headers, signals_of_meta

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
    assert merged(("tdm", "noai"), (), ("noarchive", "noai")) == ("noai", "noarchive", "tdm")


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
