"""When something is due again, and what a page's row becomes."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import ExtractError, FetchError
from pipeline.model import Fetched, NoArticle, Page, Validators
from pipeline.schedule.pages import (
    MAX_BACKOFF,
    PagePolicy,
    after_article,
    after_blocked,
    after_error,
    after_no_article,
    after_not_modified,
    next_retry_at,
    next_revisit_at,
    page_retry_pause,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = PagePolicy(max_attempts=3, retry_delay=timedelta(minutes=5), revisits=(HOUR, DAY, 7 * DAY))


FETCHED = Fetched(200, Validators("x"), 7)


def page(*, attempts=1, stored=False, published_at=None):
    seen = NOW if stored else None
    return Page(1, "https://news.example/a", "news.example", Validators(), attempts, stored, published_at, seen)


def failure(status=None, *, temporary=True, retry_after=None):
    reason = f"http_{status}" if status else "timeout"
    return FetchError("https://news.example/a", reason, temporary=temporary, status=status, retry_after=retry_after)


@pytest.mark.parametrize(
    ("published", "now", "expected"),
    [
        pytest.param(NOW, NOW, NOW + HOUR, id="just published: in an hour"),
        pytest.param(NOW - HOUR, NOW, NOW - HOUR + DAY, id="an hour ago: a day after publication"),
        pytest.param(NOW - 2 * DAY, NOW, NOW + 5 * DAY, id="two days ago: a week after publication"),
        pytest.param(NOW - 8 * DAY, NOW, None, id="long ago: never again"),
        pytest.param(None, NOW, NOW + HOUR, id="no date: as if published now"),
        pytest.param(NOW + 30 * DAY, NOW, NOW + HOUR, id="dated in the future: as if published now"),
    ],
)
def test_the_next_revisit_is_the_first_still_to_come(published, now, expected):
    assert next_revisit_at(published, now, now, POLICY.revisits) == expected


@pytest.mark.parametrize("published", [None, NOW + 300 * DAY], ids=["no date", "a date in the future"])
def test_revisits_end_also_without_a_usable_date(published):
    now, times = NOW, []
    while (now := next_revisit_at(published, NOW, now, POLICY.revisits)) is not None:
        times.append(now)
    assert times == [NOW + HOUR, NOW + DAY, NOW + 7 * DAY]


def test_without_revisit_times_nothing_is_looked_at_again():
    assert next_revisit_at(NOW, NOW, NOW, ()) is None


def test_backoff_doubles_up_to_a_day():
    pauses = [page_retry_pause(failures, timedelta(minutes=5)) for failures in range(1, 60)]
    assert pauses[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == MAX_BACKOFF


def test_a_page_is_tried_again_when_its_server_says():
    assert next_retry_at(NOW, 1, HOUR, timedelta(seconds=2)) == NOW + timedelta(seconds=2)
    assert next_retry_at(NOW, 2, HOUR) == NOW + 2 * HOUR


def test_a_stored_article_is_revisited():
    update = after_article("new", FETCHED, NOW, NOW, NOW, POLICY)
    assert (update.state, update.outcome, update.next_fetch_at) == ("stored", "new", NOW + HOUR)
    assert (update.validators, update.bytes, update.succeeded) == (Validators("x"), 7, True)


def test_a_temporary_failure_puts_the_page_back_until_its_attempts_are_spent():
    first, last = (after_error(page(attempts=n), failure(503), NOW, POLICY) for n in (1, 3))
    assert (first.state, first.outcome, first.next_fetch_at) == ("queued", "retry", NOW + POLICY.retry_delay)
    assert (last.state, last.outcome, last.next_fetch_at, last.reason) == ("failed", "failed", None, "http_503")
    assert not first.succeeded


def test_a_failure_for_good_is_not_tried_again():
    update = after_error(page(), failure(451, temporary=False), NOW, POLICY)
    assert (update.state, update.reason, update.next_fetch_at) == ("failed", "http_451", None)


def test_a_page_that_no_parser_survives_has_a_reason_too():
    update = after_error(page(), ExtractError("https://news.example/a", "too_slow"), NOW, POLICY)
    assert (update.state, update.reason, update.status) == ("failed", "too_slow", None)


@pytest.mark.parametrize("status", [404, 410])
def test_an_article_whose_page_has_gone_is_gone_not_lost(status):
    update = after_error(page(stored=True), failure(status, temporary=False), NOW, POLICY)
    assert (update.state, update.gone, update.next_fetch_at) == ("gone", True, None)


def test_a_page_that_was_never_there_has_failed_not_gone():
    update = after_error(page(), failure(404, temporary=False), NOW, POLICY)
    assert (update.state, update.gone) == ("failed", False)


def test_a_stored_article_survives_every_failure_of_a_revisit():
    for error in (failure(503), failure(451, temporary=False), ExtractError("u", "crashed", temporary=True)):
        for attempts in (1, 3, 9):
            update = after_error(page(stored=True, attempts=attempts, published_at=NOW), error, NOW, POLICY)
            assert update.state == "stored"
            assert update.next_fetch_at is not None


def test_a_revisit_that_finds_no_article_keeps_the_one_there_is_and_its_validators():
    found = NoArticle("https://news.example/a", "too_short", "3 words")
    update = after_no_article(page(stored=True, published_at=NOW), found, FETCHED, NOW, POLICY)
    assert (update.state, update.reason, update.validators) == ("stored", "too_short", None)
    update = after_no_article(page(), found, FETCHED, NOW, POLICY)
    assert (update.state, update.reason, update.next_fetch_at) == ("rejected", "too_short", None)


def test_what_has_not_changed_waits_for_its_next_revisit():
    update = after_not_modified(page(stored=True, published_at=NOW - HOUR), NOW, POLICY)
    assert (update.state, update.outcome, update.next_fetch_at) == ("stored", "not_modified", NOW - HOUR + DAY)
    rejected = after_not_modified(page(), NOW, POLICY)
    assert (rejected.state, rejected.keeps_reason, update.keeps_reason) == ("rejected", True, False)


def test_a_page_that_robots_txt_forbids_is_blocked_and_a_stored_one_kept():
    assert after_blocked(page()).state == "blocked"
    assert after_blocked(page(stored=True)).state == "stored"
    assert after_blocked(page()).next_fetch_at is None
