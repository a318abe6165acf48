"""How often feeds are polled, what servers have to say about it, and a simulated month of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.schedule import compare, table
from pipeline.model import Rhythm
from pipeline.schedule.feed_failures import MANY, RARELY, error_class, feed_retry_pause, strain_of
from pipeline.schedule.feeds import (
    CAUTION,
    LATE,
    PollFacts,
    PollPolicy,
    adapt_rhythm,
    first_rhythm,
    least_pause,
    next_poll_at,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = PollPolicy(start=30 * MINUTE, shortest=5 * MINUTE, longest=DAY)
START = first_rhythm(POLICY)
MINUTELY = PollPolicy(start=30 * MINUTE, shortest=MINUTE, longest=DAY)


def after(rhythm, polls, *, new, window=20, missed=False):
    """The rhythm after so many polls on time, each with the same news."""
    for _ in range(polls):
        rhythm = adapt_rhythm(rhythm, PollFacts(rhythm.interval, new, window, missed), POLICY)
    return rhythm


# ---------------------------------------------------------------- the interval


def test_a_new_feed_starts_at_the_given_interval_between_floor_and_ceiling():
    assert START.interval == 30 * MINUTE
    assert first_rhythm(PollPolicy(MINUTE, 5 * MINUTE, DAY)).interval == 5 * MINUTE
    assert first_rhythm(PollPolicy(7 * DAY, 5 * MINUTE, DAY)).interval == DAY


def test_the_first_poll_says_nothing_since_everything_is_new_then():
    assert adapt_rhythm(START, PollFacts(None, 50, 50), POLICY) == START


def test_the_dates_of_the_first_document_tell_the_pace_at_once():
    dates = (*(NOW - n * MINUTE for n in range(20)), NOW - 300 * DAY, NOW + DAY)  # one is pinned, one is to come
    busy = adapt_rhythm(START, PollFacts(None, 22, 22, is_cheap=True, dated=dates, at=NOW), MINUTELY)
    assert busy.interval <= 2 * MINUTE
    for untold in (dates[:3], (NOW - HOUR,) * 9):
        assert adapt_rhythm(START, PollFacts(None, 22, 22, is_cheap=True, dated=untold, at=NOW), MINUTELY) == START


def test_a_feed_that_is_sent_whole_each_time_is_asked_each_five_minutes_at_most_whatever_its_window_loses():
    rhythm = Rhythm(4 * MINUTE, rate=1000.0)
    for missed in (False, True):
        poll = PollFacts(4 * MINUTE, new=20, window=20, missed=missed)
        assert adapt_rhythm(rhythm, poll, MINUTELY).interval == 5 * MINUTE
        assert adapt_rhythm(rhythm, replace(poll, is_cheap=True), MINUTELY).interval < 4 * MINUTE


def test_a_feed_that_can_be_asked_conditionally_is_asked_twice_for_each_entry_down_to_the_floor():
    def settled(hourly, *, is_cheap):
        rhythm = first_rhythm(MINUTELY)
        for _ in range(6000):
            new = hourly * (rhythm.interval / HOUR)
            rhythm = adapt_rhythm(rhythm, PollFacts(rhythm.interval, new, 1000, is_cheap=is_cheap), MINUTELY)
        return rhythm.interval / MINUTE

    assert settled(60, is_cheap=True) == 1
    assert settled(600, is_cheap=True) == 1
    assert settled(12, is_cheap=True) == pytest.approx(2.5, rel=0.02)
    assert settled(600, is_cheap=False) == 5
    assert settled(0.1, is_cheap=True) == pytest.approx(settled(0.1, is_cheap=False))


def test_the_pace_of_a_feed_without_dates_is_learned_within_a_day():
    rhythm, passed = first_rhythm(MINUTELY), timedelta(0)
    while passed < DAY:
        passed += rhythm.interval
        facts = PollFacts(rhythm.interval, round(rhythm.interval / MINUTE), 100, is_cheap=True)
        rhythm = adapt_rhythm(rhythm, facts, MINUTELY)
    assert rhythm.interval < 1.5 * MINUTE


def test_new_entries_make_the_interval_shorter_down_to_the_floor():
    once = after(START, 1, new=10)
    assert once.interval < START.interval
    assert after(START, 60, new=15).interval == POLICY.shortest


def test_polls_without_new_entries_make_it_longer_up_to_the_ceiling():
    intervals = [after(START, polls, new=0, window=0).interval for polls in (1, 10, 30, 200)]
    assert intervals == sorted(set(intervals))
    assert intervals[-1] == POLICY.longest


def test_a_full_feed_whose_entries_are_all_known_does_not_shorten_it():
    assert after(START, 1, new=0, window=50).interval > START.interval


def test_four_times_the_entries_are_worth_twice_the_polls():
    def settled(daily):
        rhythm = START
        for _ in range(500):
            rhythm = adapt_rhythm(rhythm, PollFacts(rhythm.interval, daily * (rhythm.interval / DAY), 1000), POLICY)
        return rhythm

    quiet, busy = settled(5), settled(20)
    assert quiet.rate == pytest.approx(5, rel=0.01)
    assert quiet.interval / busy.interval == pytest.approx(2, rel=0.01)


def test_a_poll_that_came_late_by_our_own_fault_cannot_shorten_it():
    late = PollFacts(START.interval * LATE + HOUR, new=200, window=200)
    assert adapt_rhythm(START, late, POLICY).interval >= START.interval
    on_time = PollFacts(START.interval, new=200, window=200)
    assert adapt_rhythm(START, on_time, POLICY).interval < START.interval


def test_a_late_poll_without_news_still_makes_it_longer():
    assert adapt_rhythm(START, PollFacts(2 * DAY, 0, 0), POLICY).interval > START.interval


def test_a_window_that_was_mostly_new_is_looked_at_sooner_than_its_rate_asks_for():
    wide, tiny = (
        adapt_rhythm(START, PollFacts(30 * MINUTE, 4, 100), POLICY),
        adapt_rhythm(START, PollFacts(30 * MINUTE, 4, 5), POLICY),
    )
    assert tiny.rate == wide.rate
    assert tiny.interval < wide.interval
    assert tiny.interval == 30 * MINUTE * 0.5 / (4 / 5)


def test_the_caution_of_a_full_window_wears_off():
    cautious = Rhythm(10 * MINUTE, 1.0, 10 * MINUTE)
    assert adapt_rhythm(cautious, PollFacts(10 * MINUTE), POLICY).limit > cautious.limit
    rhythm, passed = cautious, timedelta(0)
    while passed < 8 * CAUTION:
        passed += rhythm.interval
        rhythm = adapt_rhythm(rhythm, PollFacts(rhythm.interval), POLICY)
    assert rhythm.limit is None


def test_missed_entries_halve_the_pause_at_the_least():
    slow = Rhythm(2 * HOUR, 10.0)
    assert adapt_rhythm(slow, PollFacts(2 * HOUR, 10, 10, missed=True), POLICY).interval <= HOUR


@given(
    interval=st.timedeltas(min_value=timedelta(seconds=1), max_value=40 * DAY),
    rate=st.none() | st.floats(0, 1e9),
    limit=st.none() | st.timedeltas(min_value=timedelta(seconds=1), max_value=40 * DAY),
    elapsed=st.none() | st.timedeltas(min_value=-DAY, max_value=4000 * DAY),
    new=st.integers(0, 5000),
    window=st.integers(0, 5000),
    missed=st.booleans(),
)
@example(interval=timedelta(seconds=1), rate=5e-324, limit=None, elapsed=DAY, new=1, window=0, missed=False)
def test_any_rhythm_stays_between_floor_and_ceiling_once_judged(interval, rate, limit, elapsed, new, window, missed):
    old = Rhythm(interval, rate, limit)
    found = adapt_rhythm(old, PollFacts(elapsed, new, window, missed), POLICY)
    if found != old:
        assert POLICY.shortest <= found.interval <= POLICY.longest
        assert found.rate >= 0


# ---------------------------------------------------------------- when it is due


def test_an_hourly_feed_is_polled_by_each_hourly_run_however_long_the_runs_take():
    due, polls = NOW, 0
    for hour in range(24):
        began = NOW + hour * HOUR + timedelta(seconds=(7 * hour) % 60)  # runs start some seconds late, never alike
        if due > began:
            continue
        polls += 1
        due = next_poll_at(began, began + (hour % 5) * 5 * MINUTE, HOUR, chance=(hour % 10) / 10)
    assert polls == 24


def test_a_run_never_polls_a_feed_twice():
    for interval in (timedelta(seconds=1), HOUR):
        assert next_poll_at(NOW, NOW, interval, 0.999) > NOW
        assert next_poll_at(NOW, NOW + 3 * HOUR, interval, 0.0) > NOW + 3 * HOUR


def test_feeds_that_were_subscribed_to_together_drift_apart():
    assert len({next_poll_at(NOW, NOW, HOUR, chance / 10) for chance in range(10)}) == 10


def test_what_the_server_asks_for_counts_from_the_poll_and_in_full():
    assert next_poll_at(NOW, NOW + 20 * MINUTE, 30 * MINUTE, 0.5, least=HOUR) == NOW + 80 * MINUTE


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, timedelta(0), id="nothing"),
        pytest.param({"cache": HOUR}, HOUR, id="Cache-Control"),
        pytest.param({"cache": HOUR, "ttl": 2 * HOUR, "period": 10 * MINUTE}, 2 * HOUR, id="the longest"),
        pytest.param({"ttl": 365 * DAY}, DAY, id="no more than the ceiling"),
        pytest.param({"period": 2 * HOUR}, 2 * HOUR, id="a feed that keeps to its period"),
        pytest.param({"period": DAY}, timedelta(0), id="a feed that brings more than it says"),
    ],
)
def test_the_server_and_the_feed_have_their_say(asked, expected):
    assert least_pause(Rhythm(HOUR, rate=10.0), POLICY, **asked) == expected


def test_no_hint_makes_us_miss_entries():
    assert least_pause(Rhythm(HOUR, 10.0, limit=40 * MINUTE), POLICY, ttl=6 * HOUR) == 40 * MINUTE


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("reason", "status", "expected"),
    [
        ("http_404", 404, "hard"),
        ("http_410", 410, "hard"),
        ("http_401", 401, "hard"),
        ("redirect_loop", None, "hard"),
        ("blocked_address", None, "hard"),
        ("html", 200, "soft"),
        ("unparsable", 200, "soft"),
        ("http_500", 500, "soft"),
        ("http_403", 403, "soft"),
        ("dns", None, "soft"),
        ("http_429", 429, "temporary"),
        ("http_503", 503, "temporary"),
        ("timeout", None, "temporary"),
        ("truncated", 200, "temporary"),
        ("empty", 200, "temporary"),
    ],
)
def test_errors_weigh_by_what_they_say_against_the_feed(reason, status, expected):
    assert error_class(reason, status) == expected
    assert strain_of(reason, status) == {"hard": 1, "soft": 0.5, "temporary": 0.25}[expected]


def test_the_pause_grows_with_the_weight_of_what_failed_up_to_a_day():
    pauses = [feed_retry_pause(strain, 5 * MINUTE, 0.0) for strain in (0.25, 0.5, 1, 2, 4, 10, 29)]
    assert pauses == [15 * MINUTE, 30 * MINUTE, HOUR, HOUR, 3 * HOUR, 9 * HOUR, DAY]


def test_after_very_many_failures_it_is_asked_rarely_but_never_given_up():
    assert feed_retry_pause(MANY + 1, HOUR, 0.0) == feed_retry_pause(1e6, HOUR, 0.0) == RARELY


def test_what_failed_together_does_not_come_back_together():
    pauses = {feed_retry_pause(5, HOUR, chance / 10) for chance in range(10)}
    assert len(pauses) == 10
    assert min(pauses) >= 0.75 * max(pauses)


def test_a_feed_that_fails_is_never_asked_more_often_than_when_it_works():
    assert feed_retry_pause(0.25, 2 * DAY, 1.0) == 2 * DAY


@pytest.mark.parametrize("wait", [88 * HOUR, 7 * DAY], ids=["88 hours", "a week"])
def test_retry_after_is_kept_even_where_it_is_more_than_a_day(wait):
    assert feed_retry_pause(0.25, HOUR, 0.5, retry_after=wait) == wait


def test_a_short_retry_after_does_not_shorten_the_pause():
    assert feed_retry_pause(1, MINUTE, 0.0, retry_after=timedelta(seconds=5)) == HOUR


# ---------------------------------------------------------------- a simulated fortnight


@pytest.fixture(scope="module")
def compared():
    return compare(feeds=100, days=10, seed=5, every=5 * MINUTE)


def test_the_schedule_finds_entries_sooner_with_fewer_requests_and_misses_no_more_than_a_fixed_hour(compared):
    fixed, ours = compared["all feeds"]
    assert ours.requests < fixed.requests
    assert ours.percentile(0.5) < 0.75 * fixed.percentile(0.5)
    assert fixed.missed > 0  # else there was nothing to miss
    assert ours.missed <= fixed.missed


def test_nothing_published_is_lost_in_the_counts_of_the_simulation(compared):
    fixed, ours = compared["all feeds"]
    of_all = [len(result.delays) + result.missed for result in (fixed, ours)]
    assert of_all[1] == pytest.approx(of_all[0], rel=0.05)  # what comes after the last poll is in neither


def test_dead_feeds_cost_an_eighth_of_the_requests(compared):
    fixed, ours = compared["dead from the start"]
    assert ours.requests < fixed.requests / 8


def test_the_simulation_is_the_same_each_time():
    first, again = (table(compare(feeds=20, days=2, seed=9, every=HOUR)) for _ in range(2))
    assert first == again
