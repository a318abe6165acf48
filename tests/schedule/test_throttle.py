"""How long a host is left alone: by what it asks for, how fast it answers, and whether it says that it is busy."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schedule.throttle import MAX_STRAIN, Pace, PacePolicy, pace_after_answer, pace_after_refusal, pause_of

SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND
FAST = SECOND / 10
POLICY = PacePolicy(floor=SECOND, ceiling=MINUTE)


def after(*answers, pace=None):
    """The pace after answers (how long they took) and refusals (a status, or a reason)."""
    pace = pace or Pace()
    for answer in answers:
        if isinstance(answer, timedelta):
            pace = pace_after_answer(pace, answer)
        else:
            pace = pace_after_refusal(pace, *((answer, "http") if isinstance(answer, int) else (None, answer)))
    return pace


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        pytest.param([], 1, id="nothing known: the floor"),
        pytest.param([FAST] * 9, 1, id="fast: the floor"),
        pytest.param([4 * SECOND] * 3, 4, id="slow: as long as it takes"),
        pytest.param([FAST, 2 * SECOND], 1, id="one slow answer makes no slow host"),
        pytest.param([503], 2, id="busy: twice as long"),
        pytest.param([429, 503], 4, id="busy twice"),
        pytest.param([429] * 99, 60, id="busy for long: the ceiling"),
        pytest.param(["timeout"], 2, id="no answer in time"),
        pytest.param(["deadline"], 2, id="not done in time"),
        pytest.param([404, 500, 403, "reset", "dns"], 1, id="other failures say nothing of load"),
        pytest.param([4 * SECOND, 503], 8, id="slow and busy"),
        pytest.param([600 * SECOND], 60, id="very slow: the ceiling"),
    ],
)
def test_the_pause_follows_how_a_host_answers(answers, seconds):
    assert pause_of(after(*answers), POLICY) == timedelta(seconds=seconds)


def test_good_answers_take_the_pause_back_to_the_floor_little_by_little():
    pauses, pace = [], after(503, 503)
    for _ in range(20):
        pauses.append(pause_of(pace, POLICY))
        pace = after(FAST, pace=pace)
    assert pauses[0] == 4 * SECOND
    assert pauses == sorted(pauses, reverse=True)
    assert pauses[7] < 2 * SECOND < pauses[5]  # seven good answers undo a busy one
    assert pauses[-1] == SECOND


def test_quick_refusals_do_not_shorten_the_pause_of_a_slow_host():
    slow = after(*[5 * SECOND] * 5)
    assert pause_of(after(404, 404, 500, pace=slow), POLICY) == pause_of(slow, POLICY)


def test_requests_at_once_share_the_pause_that_slowness_makes_but_not_the_floor():
    slow = after(*[6 * SECOND] * 5)
    assert pause_of(slow, PacePolicy(SECOND, MINUTE, connections=3)) == 2 * SECOND
    assert pause_of(slow, PacePolicy(SECOND, MINUTE, connections=30)) == SECOND


def test_a_crawl_delay_above_the_ceiling_is_kept_and_not_widened():
    assert pause_of(after(503), PacePolicy(5 * MINUTE, MINUTE)) == 5 * MINUTE


def test_where_no_pause_is_asked_for_none_is_made():
    assert pause_of(after(503, 9 * SECOND), PacePolicy(timedelta(0), MINUTE)) == timedelta(0)


ANSWERS = st.one_of(
    st.timedeltas(timedelta(0), timedelta(hours=1)), st.integers(100, 599), st.sampled_from(["timeout", "reset"])
)


@given(st.lists(ANSWERS, max_size=60))
def test_the_pause_is_never_under_the_floor_nor_over_the_ceiling(answers):
    pace = after(*answers)
    assert SECOND <= pause_of(pace, POLICY) <= MINUTE
    assert 1 <= pace.strain <= MAX_STRAIN
