"""The agency of an article, by its by-line, its dateline or its last words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata.agencies import agency_of


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
