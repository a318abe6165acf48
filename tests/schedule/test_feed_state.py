"""What becomes of a feed after a poll."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.model import Feed, Validators
from pipeline.schedule.feed_state import ADOPT_AFTER, PollAnswer, after_answer, after_failure, permanent_target
from pipeline.schedule.feeds import PollFacts, PollPolicy

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = PollPolicy(start=30 * MINUTE, shortest=5 * MINUTE, longest=DAY)
FEED = Feed(1, "https://a.example/feed", "a.example", NOW, Validators(), interval=30 * MINUTE, failures=0)
NEWS = PollAnswer(PollFacts(30 * MINUTE, new=2, window=20))


def fail(feed, *, reason="http_404", status=404, now=NOW, retry_after=None):
    return after_failure(feed, reason, status, retry_after, now, chance=0.0)


def answer(feed, found=NEWS, *, now=NOW):
    return after_answer(feed, found, now, now, POLICY, chance=0.0)


def denied(status, *, days, reason=None):
    """The updates of a feed whose polls fail twice a day for so long."""
    feed, updates = FEED, []
    for half in range(2 * days + 1):
        now = NOW + half * DAY / 2
        update = fail(feed, reason=reason or f"http_{status}", status=status, now=now)
        updates.append(update)
        feed = replace(
            feed,
            state=update.state,
            failures=update.failures,
            strain=update.strain,
            missing_since=update.missing_since,
        )
    return updates


def test_a_watch_keeps_to_the_floor_to_the_second_and_a_run_by_the_clock_may_be_early():
    policy = PollPolicy(HOUR, HOUR, 24 * HOUR)
    for is_strict, earliest in ((True, NOW + HOUR), (False, NOW + 0.9 * HOUR)):
        exact = replace(policy, is_strict=is_strict)
        update = after_answer(replace(FEED, interval=HOUR), PollAnswer(PollFacts(HOUR, 100, 100)), NOW, NOW, exact, 1.0)
        assert update.next_poll_at == earliest


def test_a_run_by_the_clock_keeps_to_a_short_floor_to_the_second():
    policy = PollPolicy(HOUR, MINUTE, 24 * HOUR)
    update = after_answer(
        replace(FEED, interval=MINUTE), PollAnswer(PollFacts(MINUTE, 9, 9, is_cheap=True)), NOW, NOW, policy, 1.0
    )
    assert update.next_poll_at == NOW + MINUTE


def test_a_feed_that_fails_is_failing_and_waits_and_one_that_answers_is_active_and_forgiven():
    once = fail(FEED)
    assert (once.state, once.failures, once.strain, once.next_poll_at) == ("failing", 1, 1.0, NOW + HOUR)
    twice = fail(replace(FEED, state="failing", failures=1, strain=3.0))
    assert (twice.failures, twice.strain, twice.next_poll_at) == (2, 4.0, NOW + 3 * HOUR)
    healed = answer(replace(FEED, state="failing", failures=7, strain=9.0, missing_since=NOW - DAY))
    assert (healed.state, healed.failures, healed.strain, healed.missing_since) == ("active", 0, 0.0, None)


def test_a_feed_that_fails_is_not_asked_in_the_hours_that_it_excludes():
    assert fail(FEED).next_poll_at == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert fail(replace(FEED, skips=("13", "14"))).next_poll_at == datetime(2026, 11, 22, 15, tzinfo=UTC)


def test_how_long_a_feed_that_fails_waits_can_be_set_but_it_is_not_asked_more_often_than_when_it_works():
    feed = replace(FEED, interval=timedelta(seconds=10))
    pauses = [
        after_failure(replace(feed, strain=strain), "timeout", None, None, NOW, 0.0, step=MINUTE).next_poll_at - NOW
        for strain in (0.0, 3.75)
    ]
    assert pauses == [15 * timedelta(seconds=1), 3 * MINUTE]
    assert after_failure(FEED, "timeout", None, None, NOW, 0.0, step=MINUTE).next_poll_at == NOW + FEED.interval


def test_failures_leave_the_pace_alone():
    assert fail(FEED).rhythm == FEED.rhythm


def test_html_in_place_of_a_feed_backs_off():
    pauses = [
        fail(replace(FEED, strain=strain), reason="html", status=200).next_poll_at - NOW for strain in (0, 2.5, 9.5)
    ]
    assert pauses == [30 * MINUTE, 2 * HOUR, 9 * HOUR]


def test_the_word_of_the_server_on_when_to_come_back_is_kept():
    waits = fail(FEED, reason="http_429", status=429, retry_after=88 * HOUR)
    assert waits.next_poll_at == NOW + 88 * HOUR
    assert waits.strain == 0.25


@pytest.mark.parametrize(("status", "days"), [(410, 1), (404, 7)])
def test_a_feed_that_is_denied_for_long_has_gone_but_not_before(status, days):
    states = [update.state for update in denied(status, days=days + 1)]
    first = states.index("gone")
    assert first == max(2 * days, 2)
    assert states == ["failing"] * first + ["gone"] * (len(states) - first)


@pytest.mark.parametrize(("reason", "status"), [("timeout", None), ("html", 200), ("http_503", 503), ("dns", None)])
def test_what_may_pass_never_makes_a_feed_gone(reason, status):
    assert {update.state for update in denied(status, days=60, reason=reason)} == {"failing"}


def test_a_time_out_between_two_404_does_not_set_the_count_back():
    update = fail(replace(FEED, failures=9, missing_since=NOW - 8 * DAY), reason="timeout", status=None)
    assert (update.state, update.missing_since) == ("failing", NOW - 8 * DAY)
    assert fail(replace(FEED, failures=10, missing_since=update.missing_since)).state == "gone"


def test_a_feed_that_has_gone_is_still_asked_and_may_come_back():
    gone = replace(FEED, state="gone", failures=500, strain=500.0, missing_since=NOW - 400 * DAY)
    assert fail(gone, reason="dns", status=None).state == "gone"
    assert NOW < fail(gone).next_poll_at <= NOW + 7 * DAY
    assert answer(gone).state == "active"


def test_what_the_server_asks_for_delays_the_next_poll():
    assert answer(FEED, replace(NEWS, ttl=3 * HOUR)).next_poll_at == NOW + 3 * HOUR
    assert answer(FEED, replace(NEWS, cache=2 * HOUR)).next_poll_at == NOW + 2 * HOUR
    assert answer(FEED).next_poll_at < NOW + HOUR


def test_a_permanent_redirect_is_adopted_when_it_was_seen_several_times_in_a_row():
    feed, adopted = FEED, []
    for _ in range(ADOPT_AFTER):
        update = answer(feed, replace(NEWS, target="https://b.example/feed"))
        adopted.append(update.adopt)
        feed = replace(feed, target=update.target, redirects=update.redirects)
    assert adopted == [None] * (ADOPT_AFTER - 1) + ["https://b.example/feed"]


@pytest.mark.parametrize("between", [None, "https://c.example/feed"], ids=["none", "another"])
def test_a_redirect_that_does_not_last_is_not_adopted(between):
    feed = replace(FEED, target="https://b.example/feed", redirects=ADOPT_AFTER - 1)
    update = answer(feed, replace(NEWS, target=between))
    assert (update.adopt, update.target, update.redirects) == (None, between, 0 if between is None else 1)


def test_a_failed_poll_between_says_nothing_about_a_redirect():
    update = fail(replace(FEED, target="https://b.example/feed", redirects=2))
    assert (update.target, update.redirects) == ("https://b.example/feed", 2)


A, B, C = "https://a.example/feed", "https://b.example/feed", "https://c.example/feed"


@pytest.mark.parametrize(
    ("url", "hops", "final", "expected"),
    [
        pytest.param(A, [], A, None, id="no redirect"),
        pytest.param(A, [(A, 301)], B, B, id="301"),
        pytest.param(A, [(A, 308), (B, 301)], C, C, id="two permanent ones"),
        pytest.param(A, [(A, 302)], B, None, id="a temporary one"),
        pytest.param(A, [(A, 301), (B, 302)], C, B, id="only as far as it is permanent"),
        pytest.param(A, [(A, 302), (B, 301)], C, None, id="permanent only from elsewhere"),
        pytest.param("http://a.example/feed", [("http://a.example/feed", 301)], A, A, id="to https"),
        pytest.param(A, [(A, 301)], "http://a.example/feed", None, id="never away from https"),
    ],
)
def test_a_redirect_is_followed_for_good_as_far_as_it_is_permanent(url, hops, final, expected):
    assert permanent_target(url, hops, final) == expected
