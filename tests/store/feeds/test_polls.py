"""What polls make of feeds, on real SQLite and real PostgreSQL: pace, gaps, states, addresses."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.model import Entry, FeedHints, Subscription
from pipeline.store.connection.engine import reading
from pipeline.store.feeds.feed_addresses import adopt_address, list_former_addresses
from pipeline.store.feeds.polls import Poll
from pipeline.store.feeds.subscriptions import add_feeds, find_feed, list_feeds, make_feeds_due, set_feed_state
from pipeline.store.frontier.due_work import count_due
from pipeline.store.queries.status import load_status
from pipeline.store.schema.tables import AddressRow, EntryRow, FeedRow, PollRow
from tests.support.archive import (
    FEED,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    POLLING,
    Archive,
    claim_feed,
    entry,
    parsed,
    record_poll,
    scope,
)
from tests.support.command_line import News

DAY = timedelta(days=1)
OTHER = "https://feeds.news.example/other.xml"


class Feeds(Archive):
    """Feeds of one host, polled whenever the test says."""

    def subscribe(self, *urls):
        self(add_feeds, [Subscription(url=url) for url in urls], NOW - DAY, HOUR)

    def feed(self, url=FEED):
        return next(row for row in self.rows(FeedRow) if row["url"] == url)

    def polled(self, *entries, at=NOW, outcome="read", **facts):
        """Poll the feed that is due the longest; entries make a document, none an answer of 304."""
        self(make_feeds_due, at)
        feed = self(claim_feed, scope(at), "feeds.news.example", "w", at, LEASE)
        document = parsed(*entries, **facts.pop("said", {})) if entries else None
        return self(record_poll, Poll(feed, at, outcome, parsed=document, **facts), POLLING)

    def failed(self, reason="http_404", status=404, *, at=NOW):
        due = max(at, self.feed()["next_poll_at"])
        feed = self(claim_feed, scope(due), "feeds.news.example", "w", due, LEASE)
        self(record_poll, Poll(feed, due, reason, status=status, failed=True), POLLING)
        return due


@pytest.fixture
def feeds(engine):
    archive = Feeds(engine)
    archive.subscribe(FEED)
    return archive


def numbered(*numbers):
    return [entry(number) for number in reversed(numbers)]


def rolling(feeds):
    """A feed that shows three entries, polled twice: one has fallen out as one came."""
    feeds.polled(*numbered(1, 2, 3))
    feeds.polled(*numbered(2, 3, 4), at=NOW + HOUR)


# ---------------------------------------------------------------- gaps


def test_a_poll_that_shares_no_entry_with_the_one_before_tells_of_missed_entries(feeds):
    rolling(feeds)
    before = feeds.feed()["interval"]
    assert feeds.polled(*numbered(8, 9, 10), at=NOW + 2 * HOUR).missed
    assert [row["missed"] for row in feeds.rows(PollRow)] == [False, False, True]
    assert feeds.feed()["interval"] <= before / 2
    with reading(feeds.engine) as connection:
        assert load_status(connection, NOW + 3 * HOUR)["gaps_of_the_last_week"] == {"polls": 1, "feeds": 1}
        assert load_status(connection, NOW + 8 * DAY)["gaps_of_the_last_week"] == {"polls": 0, "feeds": 0}


def test_one_entry_in_common_is_enough_to_have_missed_none(feeds):
    rolling(feeds)
    assert not feeds.polled(*numbered(4, 5, 6), at=NOW + 2 * HOUR).missed


def test_an_entry_pinned_to_the_top_does_not_hide_a_gap(feeds):
    pinned = entry(0)
    feeds.polled(pinned, *numbered(1, 2, 3))
    feeds.polled(pinned, *numbered(2, 3, 4), at=NOW + HOUR)
    assert feeds.polled(pinned, *numbered(7, 8, 9), at=NOW + 2 * HOUR).missed


def test_a_feed_that_was_never_seen_to_roll_may_replace_all_its_entries(feeds):
    feeds.polled(*numbered(1, 2, 3))
    assert not feeds.polled(*numbered(4, 5, 6), at=NOW + HOUR).missed


def test_the_first_poll_misses_nothing(feeds):
    assert not feeds.polled(*numbered(1, 2, 3)).missed


def test_new_guids_for_the_same_pages_are_no_gap_and_no_news(feeds):
    rolling(feeds)
    rate = feeds.feed()["rate"]
    renamed = [Entry(guid=f"tag:{number}", url=f"https://news.example/{number}", hash="h") for number in (2, 3, 4)]
    counts = feeds.polled(*renamed, at=NOW + 2 * HOUR)
    assert (counts.new, counts.fresh, counts.missed) == (3, 0, False)
    assert feeds.feed()["rate"] < rate


# ---------------------------------------------------------------- the pace


def test_the_pace_is_kept_between_polls_and_follows_new_entries_only(feeds):
    feeds.polled(*numbered(1, 2, 3))
    started = feeds.feed()
    feeds.polled(*numbered(*range(2, 12)), at=NOW + HOUR)
    busy = feeds.feed()
    assert busy["interval"] < started["interval"]
    assert busy["rate"] > (started["rate"] or 0)
    feeds.polled(*numbered(*range(2, 12)), at=NOW + HOUR + timedelta(seconds=busy["interval"]))
    assert feeds.feed()["rate"] < busy["rate"]
    assert (feeds.feed()["window"], feeds.feed()["news_at"]) == (10, NOW + HOUR)


def test_what_the_feed_says_of_its_pace_holds_for_answers_without_a_document_too(feeds):
    feeds.polled(entry(1), said={"hints": FeedHints(ttl="300")})
    assert feeds.feed()["next_poll_at"] == NOW + 5 * HOUR
    feeds.polled(outcome="unchanged", at=NOW + 6 * HOUR, status=304)
    assert feeds.feed()["next_poll_at"] == NOW + 11 * HOUR


def test_hours_and_days_that_a_feed_asks_to_be_left_alone_in_are(feeds):
    hours = tuple(str(NOW.hour + ahead) for ahead in range(4))
    feeds.polled(entry(1), said={"hints": FeedHints(skips=hours)})
    assert feeds.feed()["next_poll_at"] == NOW + 4 * HOUR
    feeds.polled(outcome="unchanged", at=NOW, status=304)
    assert feeds.feed()["next_poll_at"] == NOW + 4 * HOUR
    feeds.polled(entry(1), said={"hints": FeedHints()})
    assert feeds.feed()["next_poll_at"] < NOW + 4 * HOUR


def test_a_feed_is_due_again_in_time_for_the_next_hourly_run(feeds):
    late = NOW + 20 * MINUTE
    feed = feeds(claim_feed, scope(), "feeds.news.example", "w", late, LEASE)
    feeds(record_poll, Poll(feed, late, "unchanged", began_at=NOW), POLLING)
    assert feeds.feed()["next_poll_at"] <= NOW + HOUR


# ---------------------------------------------------------------- states


def test_a_feed_denied_for_a_week_has_gone_and_is_marked_to_be_found_again(feeds):
    feeds.polled(entry(1))
    at = NOW
    while feeds.feed()["state"] != "gone":
        at = feeds.failed(at=at)
    assert at - NOW >= 7 * DAY
    gone = feeds.feed()
    assert gone["rediscover_at"] == at
    assert gone["next_poll_at"] > at
    assert feeds(count_due, scope(gone["next_poll_at"]), gone["next_poll_at"]).feeds == 1  # still asked
    assert feeds(make_feeds_due, at) == 0  # but not with the healthy ones
    feed = feeds(claim_feed, scope(gone["next_poll_at"]), "feeds.news.example", "w", at, LEASE)
    feeds(record_poll, Poll(feed, gone["next_poll_at"], "unchanged", status=304), POLLING)
    back = feeds.feed()
    assert (back["state"], back["failures"], back["strain"]) == ("active", 0, 0)
    assert (back["missing_since"], back["rediscover_at"]) == (None, None)


def test_a_feed_that_was_paused_while_it_was_polled_stays_paused(feeds):
    feed = feeds(claim_feed, scope(), "feeds.news.example", "w", NOW, LEASE)
    feeds(set_feed_state, feed.id, "paused", NOW)
    feeds(record_poll, Poll(feed, NOW, "read", parsed=parsed(entry(1))), POLLING)
    assert feeds.feed()["state"] == "paused"


def test_a_feed_that_is_resumed_starts_with_a_clean_slate(feeds):
    feeds.failed()
    feeds(set_feed_state, feeds.feed()["id"], "active", NOW + HOUR)
    row = feeds.feed()
    assert (row["state"], row["failures"], row["strain"], row["missing_since"]) == ("active", 0, 0, None)
    assert row["next_poll_at"] == NOW + HOUR


# ---------------------------------------------------------------- addresses


def redirected(feeds, target, times=3, first=1):
    for time in range(times):
        counts = feeds.polled(*numbered(first, first + 1), at=NOW + time * HOUR, target=target)
    return counts


def test_a_feed_takes_the_address_that_its_own_led_to_several_times(feeds):
    redirected(feeds, OTHER, times=2)
    assert feeds.feed()["redirects"] == 2
    redirected(feeds, OTHER, times=1)
    moved = feeds.feed(OTHER)
    assert (moved["state"], moved["redirects"], moved["target_url"]) == ("active", 0, None)
    assert len(feeds.rows(EntryRow)) == 2
    assert {row["feed_id"] for row in feeds.rows(PollRow)} == {moved["id"]}
    with reading(feeds.engine) as connection:
        (former,) = list_former_addresses(connection, moved["id"])
    assert (former["url"], former["reason"]) == (FEED, "redirect")


def test_who_subscribes_to_a_former_address_is_subscribed_already(feeds):
    redirected(feeds, OTHER)
    assert feeds(add_feeds, [Subscription(url=FEED, tags=("x",))], NOW, HOUR) == 0
    assert [(row["url"], row["tags"]) for row in feeds.rows(FeedRow)] == [(OTHER, ["x"])]


def test_a_feed_may_move_there_and_back(feeds):
    redirected(feeds, OTHER)
    redirected(feeds, FEED)
    assert [row["url"] for row in feeds.rows(AddressRow)] == [OTHER]
    assert feeds.feed()["state"] == "active"


def test_a_feed_that_leads_to_another_one_is_merged_into_it_without_loss_or_doubles(feeds):
    feeds.polled(*numbered(1, 2))
    feeds.subscribe(OTHER)
    feeds(add_feeds, [Subscription(url=FEED, tags=("old",)), Subscription(url=OTHER, tags=("new",))], NOW, HOUR)
    feeds.polled(*numbered(2, 3), at=NOW + MINUTE)  # the other feed, due since yesterday
    home = feeds.feed(OTHER)["id"]
    states = []
    for time in range(3):
        at = NOW + (time + 2) * HOUR
        feeds(make_feeds_due, at)
        while feed := feeds(claim_feed, scope(at), "feeds.news.example", "w", at, LEASE):
            target = OTHER if feed.url == FEED else None
            done = Poll(feed, at, "read", parsed=parsed(*numbered(2, 3)), target=target)
            states.append((feed.url, feeds(record_poll, done, POLLING).state))
    assert (FEED, "moved") in states
    moved = feeds.feed()
    assert (moved["state"], moved["moved_to"]) == ("moved", home)
    assert {row["feed_id"] for row in feeds.rows(PollRow)} == {home}
    entries = {row["guid"][-1]: (row["feed_id"], row["first_seen_at"]) for row in feeds.rows(EntryRow)}
    assert entries == {"1": (home, NOW), "2": (home, NOW), "3": (home, NOW + MINUTE)}
    assert sorted(feeds.feed(OTHER)["tags"]) == ["new", "old"]
    assert len(feeds.rows(EntryRow)) == 3
    with reading(feeds.engine) as connection:
        assert {row["state"] for row in list_feeds(connection)} == {"active", "moved"}
        assert [row["reason"] for row in list_former_addresses(connection, home)] == ["merged"]
    feeds(make_feeds_due, NOW + 9 * HOUR)
    assert feeds(count_due, scope(NOW + 9 * HOUR), NOW + 9 * HOUR).feeds == 1  # one document, one poll
    assert feeds(add_feeds, [Subscription(url=FEED)], NOW, HOUR) == 0


def test_a_feed_is_not_merged_into_one_that_the_user_paused(feeds):
    feeds.subscribe(OTHER)
    feeds(set_feed_state, feeds(find_feed, OTHER), "paused", NOW)
    redirected(feeds, OTHER)
    assert (feeds.feed()["state"], feeds.feed(OTHER)["state"]) == ("active", "paused")


@pytest.mark.parametrize(
    "target", ["https://user:word@feeds.news.example/f", "https://feeds.news.example/" + "x" * 3000, "https://"]
)
def test_an_address_that_cannot_be_kept_is_not_adopted(feeds, target):
    redirected(feeds, target)
    assert [row["url"] for row in feeds.rows(FeedRow)] == [FEED]


# ---------------------------------------------------------------- what people see


@pytest.fixture
def news(database_url):
    return News(database_url)


def test_gaps_states_and_former_addresses_are_shown(feeds, news):
    rolling(feeds)
    recent = datetime.now(UTC)
    feeds.polled(*numbered(8, 9, 10), at=recent)
    feeds.failed(at=recent + HOUR)
    assert "missed" in news("status")
    assert news.json("status")["gaps_of_the_last_week"] == {"polls": 1, "feeds": 1}
    assert [row["url"] for row in news.json("feeds", "list", "--state", "failing")] == [FEED]
    assert [poll["missed"] for poll in news.json("feeds", "show", FEED)["polls"]] == [False, True, False, False]
    feeds(adopt_address, feeds.feed()["id"], "https://new.example/feed", recent, "redirect", "read")
    assert "formerly at" in news("feeds", "show", "https://new.example/feed")
    assert news.json("feeds", "show", "https://new.example/feed")["former_addresses"][0]["url"] == FEED


def test_feeds_that_were_merged_are_listed_but_not_exported(feeds, news):
    feeds.subscribe(OTHER)
    feeds(adopt_address, feeds.feed()["id"], OTHER, NOW, "redirect", "read")
    assert {row["state"] for row in news.json("feeds", "list")} == {"moved", "active"}
    assert news("feeds", "export", "--plain").split() == [OTHER]


def per_day(feeds, at):
    with reading(feeds.engine) as connection:
        (feed,) = list_feeds(connection, now=at)
    return feed["per_day"]


def test_entries_a_day_are_counted_and_not_guessed_from_the_interval(feeds):
    with feeds.engine.begin() as connection:
        connection.execute(sa.update(FeedRow).values(interval=5.0))
    assert per_day(feeds, NOW) is None
    feeds.polled(*numbered(1, 2, 3))
    assert per_day(feeds, NOW + MINUTE) is None
    feeds.polled(*numbered(2, 3, 4), at=NOW + MINUTE)
    assert per_day(feeds, NOW + 2 * MINUTE) == 1.0
    feeds.polled(*numbered(4, 5, 6), at=NOW + 4 * DAY)
    assert per_day(feeds, NOW + 4 * DAY) == 0.8
    assert per_day(feeds, NOW + 30 * DAY) == 0.0
