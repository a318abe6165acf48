"""What servers and feeds say of how often they may be asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.http.freshness import announced_period, announced_ttl, cache_hint, has_trusted_validators
from pipeline.model import FeedHints

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"cache-control": "max-age=900"}, 15 * MINUTE, id="max-age"),
        pytest.param({"cache-control": 'public, Max-Age = "900"'}, 15 * MINUTE, id="max-age in another spelling"),
        pytest.param({"cache-control": "max-age=0"}, None, id="max-age of zero"),
        pytest.param({"cache-control": "max-age=-5"}, None, id="a negative max-age"),
        pytest.param({"cache-control": "max-age=soon"}, None, id="a max-age that is no number"),
        pytest.param({"cache-control": "max-age=" + "9" * 400}, None, id="a max-age without end"),
        pytest.param({"cache-control": "no-cache, max-age=900"}, None, id="no-cache"),
        pytest.param({"cache-control": "no-store"}, None, id="no-store"),
        pytest.param({"expires": "Sun, 22 Nov 2026 13:00:00 GMT"}, HOUR, id="Expires"),
        pytest.param(
            {"expires": "Sun, 22 Nov 2026 14:00:00 GMT", "date": "Sun, 22 Nov 2026 13:30:00 GMT"},
            30 * MINUTE,
            id="Expires by the server's own clock",
        ),
        pytest.param(
            {"expires": "Sun, 22 Nov 2026 14:00:00 GMT", "cache-control": "max-age=60"}, MINUTE, id="max-age wins"
        ),
        pytest.param({"expires": "Wed, 11 Jan 1984 05:00:00 GMT"}, None, id="Expires in the past"),
        pytest.param({"expires": "0"}, None, id="Expires: 0"),
        pytest.param({"expires": "-1"}, None, id="Expires: -1"),
        pytest.param({"expires": "next week, perhaps"}, None, id="an Expires that is no date"),
        pytest.param({"expires": "Sun, 99 Nov 2026 13:00:00 GMT"}, None, id="an Expires on no day"),
    ],
)
def test_headers_say_how_long_an_answer_is_fresh(headers, expected):
    assert cache_hint(headers, NOW) == expected


@pytest.mark.parametrize(
    ("expires", "trusted"), [("0", False), (" -1 ", False), ("Wed, 11 Jan 1984 05:00:00 GMT", True), ("", True)]
)
def test_validators_beside_an_expires_of_zero_are_not_trusted(expires, trusted):
    assert has_trusted_validators({"expires": expires}) is trusted


@pytest.mark.parametrize(
    ("ttl", "expected"),
    [("60", HOUR), (" 15 ", 15 * MINUTE), ("0", None), ("-3", None), ("hourly", None), (None, None), ("nan", None)],
)
def test_a_ttl_is_in_minutes(ttl, expected):
    assert announced_ttl(FeedHints(ttl=ttl)) == expected


@pytest.mark.parametrize(
    ("period", "frequency", "expected"),
    [
        ("hourly", "1", HOUR),
        ("hourly", "2", 30 * MINUTE),
        (" Daily ", None, DAY),
        ("dayly", "4", 6 * HOUR),
        ("weekly", "x", 7 * DAY),
        (None, "2", 12 * HOUR),
        ("always", "1", None),
        ("now and then", "1", None),
        ("hourly", "0", HOUR),
        (None, None, None),
    ],
)
def test_a_feed_says_how_often_it_is_updated(period, frequency, expected):
    assert announced_period(FeedHints(update_period=period, update_frequency=frequency)) == expected


@given(st.text(), st.text(), st.text())
def test_reading_hints_survives_anything(first, second, third):
    headers = {"cache-control": first, "expires": second, "date": third}
    for hint in (
        cache_hint(headers, NOW),
        announced_ttl(FeedHints(ttl=first)),
        announced_period(FeedHints(update_period=second, update_frequency=third)),
    ):
        assert hint is None or hint > timedelta(0)
