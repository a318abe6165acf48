"""The store on real SQLite and real PostgreSQL: claims, polls, articles, revisions."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.errors import ConfigError, FetchError
from pipeline.model import Address, Page, Removed, Subscription, Validators
from pipeline.schedule.pages import after_error
from pipeline.store.articles.bulk_rows import find_announced_urls
from pipeline.store.connection.engine import open_engine, reading
from pipeline.store.feeds.feed_entries import MAX_CHANGES
from pipeline.store.feeds.polls import Poll
from pipeline.store.feeds.subscriptions import (
    add_feeds,
    find_feed,
    list_feeds,
    make_feeds_due,
    remove_feed,
    set_feed_state,
)
from pipeline.store.frontier.discovery import put_addresses
from pipeline.store.frontier.due_work import count_due
from pipeline.store.frontier.hosts import claim_hosts, next_host_at, release_host
from pipeline.store.frontier.leases import give_back, release_dead, release_leases, renew_leases
from pipeline.store.frontier.page_outcomes import give_up_pages, postpone_host, record_held_pages, record_page
from pipeline.store.frontier.retries import FailureSelection, count_failures, retry_pages
from pipeline.store.queries.page_record import load_page_record
from pipeline.store.queries.status import count_reasons, load_status
from pipeline.store.schema.tables import (
    ArticleAuthorRow,
    ArticleRow,
    ArticleTagRow,
    EntryRow,
    FeedRow,
    PageRow,
    RevisionRow,
)
from tests.support.archive import (
    FEED,
    FETCHED,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    POLICY,
    POLLING,
    Archive,
    article,
    claim_feed,
    entry,
    parsed,
    record_poll,
    scope,
)


@pytest.fixture
def archive(engine):
    return Archive(engine)


# ---------------------------------------------------------------- feeds and entries


def test_subscribing_twice_keeps_one_feed_and_its_state(archive):
    assert archive(add_feeds, [Subscription(url=FEED)], NOW, HOUR) == 1
    feed_id = archive.rows(FeedRow)[0]["id"]
    archive(set_feed_state, feed_id, "paused", NOW)
    assert archive(add_feeds, [Subscription(url=FEED, title="All", tags=("a/b",))], NOW, HOUR) == 0
    (feed,) = archive.rows(FeedRow)
    assert (feed["state"], feed["title"], feed["tags"]) == ("paused", "All", ["a/b"])


def test_a_poll_puts_new_entries_into_the_frontier_once(archive):
    first = archive.poll(entry(1), entry(2))
    again = archive.poll(entry(1), entry(2), now=NOW + HOUR)
    assert (first.seen, first.new, again.seen, again.new, again.changed) == (2, 2, 2, 0, 0)
    assert [row["url"] for row in archive.rows(PageRow)] == ["https://news.example/1", "https://news.example/2"]
    assert len(archive.rows(EntryRow)) == 2


def test_an_entry_dated_ahead_of_its_poll_is_marked(archive):
    archive.poll(entry(1), entry(2, is_future=True))
    assert {row["guid"][-1]: row["is_future"] for row in archive.rows(EntryRow)} == {"1": False, "2": True}


def test_two_feeds_that_announce_one_page_have_an_entry_each_and_share_the_page(archive):
    archive.poll(entry(1))
    archive(add_feeds, [Subscription(url="https://other.example/rss")], NOW, HOUR)
    feed = archive(claim_feed, scope(), "other.example", "w", NOW, LEASE)
    archive(record_poll, Poll(feed, NOW, "read", parsed=parsed(entry(1, guid="x"))), POLLING)
    assert len({row["page_id"] for row in archive.rows(EntryRow)}) == 1
    assert len(archive.rows(PageRow)) == 1
    with reading(archive.engine) as connection:
        assert len(load_page_record(connection, "https://news.example/1")["announced_by"]) == 2


def test_a_changed_entry_makes_its_stored_page_due_again(archive):
    archive.store()
    assert archive.page()["next_fetch_at"] == NOW + HOUR  # the revisit
    counts = archive.poll(entry(1, hash_="other"), now=NOW + 2 * MINUTE)
    assert counts.changed == 1
    assert archive.page()["next_fetch_at"] == NOW + 2 * MINUTE


def test_an_entry_that_changes_with_every_poll_stops_causing_fetches(archive):
    archive.store()
    for number in range(MAX_CHANGES + 3):
        at = NOW + (number + 1) * MINUTE
        archive.poll(entry(1, hash_=f"h{number}"), now=at)
        if number > MAX_CHANGES:
            assert archive.page()["next_fetch_at"] == NOW + MAX_CHANGES * MINUTE


def test_what_no_database_stores_is_taken_out_and_the_rest_kept(archive):
    odd = replace(entry(1), title="A\x00B\ud800C", summary="s\x00", guid="g\x00" + "x" * 5000)
    unusable = replace(entry(2), url="https://news.example/" + "y" * 3000)
    counts = archive.poll(odd, unusable)
    assert counts.new == 2
    rows = archive.rows(EntryRow)
    assert {row["title"] for row in rows} == {"ABC", "Title 2"}
    assert [row["page_id"] for row in rows if row["title"] == "Title 2"] == [None]


def test_what_no_database_stores_is_taken_out_of_an_article_and_of_what_was_removed_from_it(archive):
    odd = "N\x00OW \ud800WATCH"
    archive.store(text=f"One. {odd}", title=odd, authors=(odd,), tags=(odd,), removed=(Removed(odd, "teaser"),))
    (row,) = archive.rows(ArticleRow)
    assert (row["text"], row["title"]) == ("One. NOW WATCH", "NOW WATCH")
    assert (row["authors"], row["tags"]) == (["NOW WATCH"], ["NOW WATCH"])
    assert row["removed"] == [{"text": "NOW WATCH", "reason": "teaser"}]


def test_a_failed_poll_keeps_validators_and_counts_up_and_a_good_one_counts_from_zero(archive):
    archive.poll(entry(1))
    archive(make_feeds_due, NOW)
    feed = archive(claim_feed, scope(), "feeds.news.example", "w", NOW, LEASE)
    archive(record_poll, Poll(feed, NOW, "read", validators=Validators('"e"'), parsed=parsed(entry(1))), POLLING)
    archive(make_feeds_due, NOW)
    feed = archive(claim_feed, scope(), "feeds.news.example", "w", NOW, LEASE)
    archive(record_poll, Poll(feed, NOW, "timeout", failed=True, error="slow"), POLLING)
    (row,) = archive.rows(FeedRow)
    assert (row["etag"], row["failures"], row["last_outcome"], row["last_error"]) == ('"e"', 1, "timeout", "slow")
    assert (row["leased_until"], row["lease_owner"], row["title"]) == (None, None, "News")


def test_making_feeds_due_leaves_failing_and_paused_ones_alone(archive):
    urls = [f"https://f{number}.example/" for number in range(3)]
    archive(add_feeds, [Subscription(url=url) for url in urls], NOW - HOUR, HOUR)
    for url in urls:
        feed = archive(claim_feed, scope(), url.split("/")[2], "w", NOW, LEASE)
        archive(record_poll, Poll(feed, NOW, "x", failed=url == urls[0]), POLLING)
    archive(set_feed_state, archive(find_feed, urls[1]), "paused", NOW)
    assert archive(make_feeds_due, NOW + MINUTE) == 1
    assert archive(count_due, scope(NOW + MINUTE), NOW + MINUTE).feeds == 1


def test_a_feed_is_found_by_address_or_number_or_said_to_be_missing(archive):
    archive(add_feeds, [Subscription(url=FEED)], NOW, HOUR)
    assert archive(find_feed, FEED) == archive(find_feed, str(archive(find_feed, FEED)))
    for name in ("https://nowhere.example/", "999999", "9" * 40):
        with pytest.raises(ConfigError, match="news feeds list"):
            archive(find_feed, name)


def test_removing_a_feed_keeps_what_it_brought(archive):
    archive.store()
    archive(remove_feed, archive(find_feed, FEED))
    assert (len(archive.rows(FeedRow)), len(archive.rows(EntryRow))) == (0, 0)
    assert (len(archive.rows(PageRow)), len(archive.rows(ArticleRow))) == (1, 1)
    with reading(archive.engine) as connection:
        assert list_feeds(connection) == []


# ---------------------------------------------------------------- claims


def test_a_host_is_leased_to_one_worker_until_it_is_released(archive):
    archive.poll(entry(1))
    (host,) = archive(claim_hosts, scope(), "one", NOW, LEASE, 10)
    assert host.name == "news.example"
    assert archive(claim_hosts, scope(), "two", NOW, LEASE, 10) == []
    archive(release_host, "news.example", "one", NOW + MINUTE)
    assert archive(claim_hosts, scope(), "two", NOW, LEASE, 10) == []  # politeness: not before that time
    assert archive(next_host_at, scope(), NOW, HOUR) == NOW + MINUTE
    assert len(archive(claim_hosts, scope(), "two", NOW + MINUTE, LEASE, 10)) == 1


def test_a_lease_that_ran_out_is_taken_over_and_cannot_be_released_by_its_old_holder(archive):
    archive.poll(entry(1))
    archive(claim_hosts, scope(), "dead", NOW, LEASE, 10)
    later = NOW + LEASE
    assert len(archive(claim_hosts, scope(), "heir", later, LEASE, 10)) == 1
    archive(release_host, "news.example", "dead", later)
    assert archive(claim_hosts, scope(), "third", later, LEASE, 10) == []


def test_hosts_without_due_work_of_the_wanted_kind_are_not_claimed(archive):
    archive.poll(entry(1))
    archive(make_feeds_due, NOW)
    claim = lambda **kinds: [host.name for host in archive(claim_hosts, scope(**kinds), "w", NOW, LEASE, 10)]  # noqa: E731
    assert claim(crawl=False) == ["feeds.news.example"]
    assert claim(poll=False) == ["news.example"]


def test_work_that_came_due_after_the_run_began_is_left_to_the_next(archive):
    archive.poll(entry(1), now=NOW + MINUTE)
    assert archive(count_due, scope(NOW), NOW + HOUR).pages == 0
    assert archive(count_due, scope(NOW + MINUTE), NOW + HOUR).pages == 1


def test_each_claim_counts_an_attempt_and_a_page_that_kills_its_workers_is_given_up(archive):
    archive.poll(entry(1))
    now = NOW
    for attempt in range(1, POLICY.max_attempts + 1):
        page = archive.claim(f"victim {attempt}", now)
        assert page.attempts == attempt
        assert archive.claim("other", now) is None  # held
        now += LEASE
    assert archive.claim("other", now) is None
    assert archive(give_up_pages, now, POLICY.max_attempts) == 1
    row = archive.page()
    assert (row["state"], row["reason"], row["next_fetch_at"]) == ("failed", "worker_died", None)
    assert row["leased_until"] is None


def test_giving_up_spares_pages_that_a_living_worker_holds(archive):
    archive.poll(entry(1))
    for attempt in range(POLICY.max_attempts):
        archive.claim("w", NOW + attempt * LEASE)
    assert archive(give_up_pages, NOW + (POLICY.max_attempts - 1) * LEASE, POLICY.max_attempts) == 0


def test_a_sign_of_life_makes_claims_last(archive):
    archive.poll(entry(1))
    archive(claim_hosts, scope(), "w", NOW, LEASE, 1)
    archive.claim("w")
    archive(renew_leases, "w", NOW + LEASE, LEASE)
    assert archive.claim("other", NOW + LEASE + MINUTE) is None
    assert archive(claim_hosts, scope(), "other", NOW + LEASE + MINUTE, LEASE, 1) == []


def test_a_worker_that_stops_gives_its_claims_back_with_the_attempts(archive):
    archive.poll(entry(1))
    archive.claim("w")
    assert archive(release_leases, "w", count_attempt=False) == 1
    assert (archive.page()["attempts"], archive.page()["leased_until"]) == (0, None)


def test_claims_of_dead_workers_are_ended_and_their_attempts_kept(archive):
    archive.poll(entry(1), entry(2))
    archive.claim("dead")
    archive.claim("alive")
    assert archive(release_dead, lambda owner: owner == "dead") == ["dead"]
    assert [(row["attempts"], row["lease_owner"]) for row in archive.rows(PageRow)] == [(1, None), (1, "alive")]


def test_of_several_pages_that_a_dead_worker_held_each_is_charged_at_a_second_death_only(archive):
    archive.poll(entry(1), entry(2))
    for attempts in (0, 1):
        archive.claim("dead")
        archive.claim("dead")
        archive(release_dead, lambda owner: owner == "dead")
        assert [row["attempts"] for row in archive.rows(PageRow)] == [attempts, attempts]


def test_an_outcome_of_a_worker_that_lost_its_claim_is_not_written(archive):
    archive.poll(entry(1))
    page = archive.claim("slow")
    archive.claim("heir", NOW + LEASE)
    update = after_error(page, FetchError(page.url, "timeout", temporary=True), NOW, POLICY)
    assert not archive(record_page, page, "slow", update, NOW)
    assert archive.save(page, article(), owner="slow").decision is None
    assert archive.page()["lease_owner"] == "heir"
    assert archive.rows(ArticleRow) == []


def test_of_outcomes_that_are_stored_together_one_that_is_too_late_is_told_apart(archive):
    archive.poll(entry(1), entry(2))
    lost, held = archive.claim("slow"), archive.claim("slow")
    archive(give_back, PageRow, lost.id, "slow")
    outcomes = [(page, after_error(page, FetchError(page.url, "timeout"), NOW, POLICY), NOW) for page in (lost, held)]
    with pytest.raises(LookupError):
        archive(record_held_pages, outcomes, "slow")
    assert {row["outcome"] for row in archive.rows(PageRow)} == {None}
    assert [archive(record_held_pages, [outcome], "slow") for outcome in outcomes] == [[False], [True]]


def test_a_host_out_of_reach_costs_each_of_its_due_pages_one_attempt(archive):
    archive.poll(entry(1), entry(2))
    now, error = NOW, FetchError("https://news.example/robots.txt", "robots_unreachable", temporary=True)
    for _ in range(POLICY.max_attempts):
        given_up = archive(postpone_host, scope(now), "news.example", now, now + MINUTE, error)
        now += MINUTE
    assert given_up == 2
    assert {(row["state"], row["reason"]) for row in archive.rows(PageRow)} == {("failed", "robots_unreachable")}


def test_many_workers_claim_every_page_exactly_once(archive):
    archive.poll(*(entry(number, host=f"h{number % 7}.example") for number in range(70)))
    claimed, errors = [], []

    def work(owner):
        try:
            while hosts := archive(claim_hosts, scope(poll=False), owner, NOW, LEASE, 1):
                while page := archive.claim(owner, host=hosts[0].name):
                    claimed.append(page.id)
                archive(release_host, hosts[0].name, owner, NOW)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(claimed) == sorted(row["id"] for row in archive.rows(PageRow))


# ---------------------------------------------------------------- articles


def test_a_new_article_is_stored_with_its_authors_tags_and_first_revision(archive):
    saved = archive.store()
    assert saved.decision == "new"
    (row,) = archive.rows(ArticleRow)
    assert (row["title"], row["authors"], row["tags"]) == ("Headline", ["Ada Ruiz"], ["port", "tides"])
    assert row["removed"] == [{"text": "NOW WATCH: boats", "reason": "teaser"}]
    assert [author["name"] for author in archive.rows(ArticleAuthorRow)] == ["Ada Ruiz"]
    assert {tag["tag"] for tag in archive.rows(ArticleTagRow)} == {"port", "tides"}
    (revision,) = archive.rows(RevisionRow)
    assert (revision["number"], revision["changed"], revision["text"]) == (1, "first", "One two three four.")
    page = archive.page()
    assert (page["state"], page["outcome"], page["attempts"], page["status"]) == ("stored", "new", 0, 200)
    assert (page["leased_until"], page["etag"], page["next_fetch_at"]) == (None, '"1"', NOW + HOUR)


def test_times_come_back_zone_aware_and_in_utc(archive):
    local = datetime(2026, 11, 22, 9, tzinfo=UTC).astimezone(tz=None)
    archive.store(published_at=local)
    (row,) = archive.rows(ArticleRow)
    assert row["published_at"] == local
    assert row["published_at"].utcoffset() == timedelta(0)
    assert row["first_seen_at"] == NOW


def test_a_time_without_a_zone_is_refused(archive):
    with pytest.raises(sa.exc.StatementError, match="without a zone"):
        archive.store(published_at=datetime(2026, 11, 22))  # noqa: DTZ001


def test_the_same_article_again_changes_nothing(archive):
    archive.store()
    before = (archive.rows(ArticleRow), archive.rows(RevisionRow))
    assert archive.store(now=NOW + HOUR).decision == "unchanged"
    assert (archive.rows(ArticleRow), archive.rows(RevisionRow)) == before


def test_an_edit_of_text_or_title_opens_a_revision_and_other_edits_do_not(archive):
    archive.store()
    assert archive.store(now=NOW + HOUR, text="One two three five.").decision == "revised"
    assert archive.store(now=NOW + 2 * HOUR, text="One two three five.", title="Other").decision == "revised"
    assert archive.store(now=NOW + 3 * HOUR, text="One two three five.", title="Other", tags=("x",)).decision == (
        "unchanged"
    )
    assert [row["changed"] for row in archive.rows(RevisionRow)] == ["first", "text", "title"]
    (row,) = archive.rows(ArticleRow)
    assert (row["tags"], row["updated_at"], row["first_seen_at"]) == (["x"], NOW + 3 * HOUR, NOW)
    assert [tag["tag"] for tag in archive.rows(ArticleTagRow)] == ["x"]


def test_a_headline_that_was_not_found_again_is_kept(archive):
    archive.store()
    archive.store(now=NOW + HOUR, text="Another text altogether.", title=None)
    (row,) = archive.rows(ArticleRow)
    assert row["title"] == "Headline"


def test_a_copy_on_another_page_is_kept_and_linked_to_the_first(archive):
    archive.store()
    copies = [archive.store(f"https://{host}.example/1", now=NOW + MINUTE).decision for host in ("a", "b")]
    assert copies == ["duplicate", "duplicate"]
    first, *others = archive.rows(ArticleRow)
    assert first["duplicate_of"] is None
    assert {row["duplicate_of"] for row in others} == {first["id"]}


def test_a_copy_that_is_edited_is_no_duplicate_any_more(archive):
    archive.store()
    archive.store("https://a.example/1", now=NOW + MINUTE)
    archive.store("https://a.example/1", now=NOW + HOUR, text="Now it says something else.")
    assert [row["duplicate_of"] for row in archive.rows(ArticleRow)] == [None, None]


def test_a_page_that_names_another_url_of_its_own_becomes_an_alias_of_it(archive):
    archive.poll(entry(1))
    archive.save(archive.claim(), article("https://news.example/canonical"))
    alias, home = archive.page(), archive.page("https://news.example/canonical")
    assert (alias["state"], alias["alias_of"], alias["next_fetch_at"]) == ("alias", home["id"], None)
    assert (home["state"], home["outcome"]) == ("stored", "new")
    (row,) = archive.rows(ArticleRow)
    assert (row["page_id"], row["url"]) == (home["id"], "https://news.example/canonical")
    with reading(archive.engine) as connection:
        found = load_page_record(connection, "https://news.example/1")
    assert found["alias_of"] == "https://news.example/canonical"
    assert len(found["announced_by"]) == 1


def test_several_urls_of_a_page_are_one_article(archive):
    archive.poll(entry(1), entry(2))
    decisions = [archive.save(archive.claim(), article("https://news.example/canonical")).decision for _ in range(2)]
    assert decisions == ["new", "unchanged"]
    assert len(archive.rows(ArticleRow)) == 1


def test_pages_that_each_name_the_other_end_as_one_article(archive):
    archive.poll(entry(1), entry(2))
    for other in ("https://news.example/2", "https://news.example/1"):
        page = archive.claim()
        if page is not None:
            archive.save(page, article(other))
    states = {row["url"][-1]: (row["state"], row["alias_of"]) for row in archive.rows(PageRow)}
    assert sorted(state for state, _ in states.values()) == ["alias", "stored"]
    assert len(archive.rows(ArticleRow)) == 1


def test_a_change_announced_for_an_alias_makes_the_article_due(archive):
    archive.poll(entry(1))
    archive.save(archive.claim(), article("https://news.example/canonical"))
    archive.poll(entry(1, hash_="other"), now=NOW + MINUTE)
    assert archive.page()["next_fetch_at"] is None
    assert archive.page("https://news.example/canonical")["next_fetch_at"] == NOW + MINUTE


NEWS = Address("https://news.example/3", NOW, "news_sitemap")


def test_what_a_feed_announced_is_announced_by_each_of_its_urls(archive):
    archive.poll(entry(1), now=NOW)
    archive(put_addresses, [Address("https://news.example/2"), NEWS], NOW, NOW)
    claimed = {page.url[-1]: page for page in (archive.claim(), archive.claim(), archive.claim())}
    assert {name: page.is_announced for name, page in claimed.items()} == {"1": True, "2": False, "3": True}
    archive.save(claimed["1"], article("https://news.example/canonical"))
    archive.save(claimed["3"], article("https://news.example/of-sitemap"))
    archive.poll(entry(1, hash_="other"), now=NOW + MINUTE)
    home = archive.claim(now=NOW + MINUTE)
    assert (home.url, home.is_announced) == ("https://news.example/canonical", True)
    urls = [f"https://news.example/{name}" for name in ("1", "2", "3", "4", "canonical", "of-sitemap")]
    with reading(archive.engine) as connection:
        assert find_announced_urls(connection, urls) == {*urls} - {urls[1], urls[3]}


def test_an_article_that_is_stored_never_moves(archive):
    archive.store()
    archive.poll(entry(1, hash_="other"), now=NOW + HOUR)
    archive.save(archive.claim(now=NOW + HOUR), article("https://news.example/elsewhere"), now=NOW + HOUR)
    assert [row["url"] for row in archive.rows(PageRow)] == ["https://news.example/1"]
    assert len(archive.rows(ArticleRow)) == 1


def test_the_beginning_that_a_paywall_shows_does_not_replace_what_the_feed_carried_whole(archive):
    archive.store(source="feed", text="One two three four five six.")
    archive.store(now=NOW + HOUR, text="One two three.", page_class="paywall")
    (row,) = archive.rows(ArticleRow)
    assert (row["text"], row["source"], row["page_class"]) == ("One two three four five six.", "feed", "paywall")
    archive.store(now=NOW + 2 * HOUR, text="One two three four five six seven.")
    (row,) = archive.rows(ArticleRow)
    assert (row["text"], row["source"], row["page_class"]) == ("One two three four five six seven.", "page", "article")
    assert len(archive.rows(RevisionRow)) == 2


def test_a_page_that_goes_is_noted_and_its_article_kept_and_forgiven_when_it_returns(archive):
    archive.store()
    page = archive.claim(now=NOW + HOUR, owner="w") or pytest.fail("not due for its revisit")
    gone = after_error(page, FetchError(page.url, "http_410", temporary=False, status=410), NOW + HOUR, POLICY)
    assert archive(record_page, page, "w", gone, NOW + HOUR)
    assert (archive.page()["state"], archive.page()["gone_at"]) == ("gone", NOW + HOUR)
    assert len(archive.rows(ArticleRow)) == 1
    assert archive.store(now=NOW + 2 * HOUR).decision == "unchanged"
    assert (archive.page()["state"], archive.page()["gone_at"]) == ("stored", None)


def test_equal_texts_stored_by_many_workers_at_once_have_one_first(archive):
    archive.poll(*(entry(1, host=f"h{number}.example") for number in range(8)))
    pages = [archive.claim(host=f"h{number}.example") for number in range(8)]
    errors = []

    def save(page):
        try:
            archive.save(page, article(page.url))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=save, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    rows = archive.rows(ArticleRow)
    first = [row["id"] for row in rows if row["duplicate_of"] is None]
    assert len(rows) == 8
    assert len(first) == 1
    assert {row["duplicate_of"] for row in rows} == {None, first[0]}


def test_status_counts_the_ledger(archive):
    archive.store()
    archive.poll(entry(2), now=NOW + MINUTE)
    page = archive.claim(now=NOW + MINUTE)
    lost = after_error(page, FetchError(page.url, "http_404", temporary=False, status=404), NOW, POLICY)
    archive(record_page, page, "w", lost, NOW)
    with reading(archive.engine) as connection:
        found = load_status(connection, NOW + MINUTE)
    assert found["pages"] == {"stored": 1, "failed": 1}
    assert found["reasons"] == [{"state": "failed", "reason": "http_404", "pages": 1}]
    assert found["articles"]["stored"] == 1
    assert found["feeds"] == {"active": 1, "failing": 0}


def fail(archive, number, reason, host="news.example", temporary=False):
    archive.poll(entry(number, host=host))
    page = archive.claim(host=host)
    archive(
        record_page, page, "w", after_error(page, FetchError(page.url, reason, temporary=temporary), NOW, POLICY), NOW
    )


def test_every_page_is_counted_under_one_state_and_reason_with_an_example(archive):
    archive.store()
    for number in (2, 3):
        fail(archive, number, "tls")
    fail(archive, 4, "http_503", temporary=True)
    archive.poll(entry(5))
    with reading(archive.engine) as connection:
        found = [tuple(row.values()) for row in count_reasons(connection)]
    assert found[0] == ("failed", "tls", 2, "https://news.example/3")
    assert set(found[1:]) == {
        ("queued", "http_503", 1, "https://news.example/4"),
        ("queued", None, 1, "https://news.example/5"),
        ("stored", None, 1, "https://news.example/1"),
    }


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        pytest.param({}, {1, 2, 3, 4}, id="all of that reason"),
        pytest.param({"state": "failed"}, {1, 2, 3}, id="in one state"),
        pytest.param({"site": "b.example"}, {2, 3}, id="of one site, those below it too"),
        pytest.param({"site": "example"}, {1, 2, 3, 4}, id="of a whole domain"),
        pytest.param({"limit": 2}, {1, 2}, id="the first"),
        pytest.param({"reason": "http_404"}, {5}, id="another reason"),
        pytest.param({"reason": "nothing"}, set(), id="a reason that no page has"),
    ],
)
def test_failures_are_put_back_by_reason_and_no_others(archive, chosen, numbers):
    for number, host in ((1, "a.example"), (2, "b.example"), (3, "www.b.example:8080")):
        fail(archive, number, "tls", host=host)
    fail(archive, 4, "tls", host="c.example", temporary=True)
    fail(archive, 5, "http_404", host="b.example")
    failures, later = FailureSelection(**{"reason": "tls"} | chosen), NOW + 100 * HOUR
    before = archive.rows(PageRow)
    assert archive(count_failures, failures, later) == len(numbers)
    assert archive.rows(PageRow) == before
    assert archive(retry_pages, failures, later) == len(numbers)
    due = {row["url"][-1]: row for row in archive.rows(PageRow) if row["next_fetch_at"] == later}
    assert set(due) == set(map(str, numbers))
    assert {(row["state"], row["attempts"]) for row in due.values()} <= {("queued", 0)}


@pytest.mark.parametrize("act", [count_failures, retry_pages])
def test_a_site_of_which_no_page_is_known_is_refused_and_holds_no_wildcard(archive, act):
    fail(archive, 1, "tls", host="a.example")
    with pytest.raises(ConfigError, match=r"_\.example"):
        archive(act, FailureSelection(reason="tls", site="_.example"), NOW + 100 * HOUR)


def test_putting_back_leaves_articles_validators_of_articles_and_held_pages_alone(archive):
    archive.store()
    page = archive.claim(now=NOW + HOUR)
    gone = after_error(page, FetchError(page.url, "http_404", temporary=False, status=404), NOW + HOUR, POLICY)
    archive(record_page, page, "w", gone, NOW + HOUR)
    fail(archive, 2, "http_404")
    archive(retry_pages, FailureSelection("http_404"), NOW + 2 * HOUR)
    assert (archive.page()["state"], archive.page()["etag"]) == ("gone", '"1"')
    assert archive.page()["next_fetch_at"] == NOW + 2 * HOUR
    assert len(archive.rows(ArticleRow)) == 1
    archive.claim("other", now=NOW + 2 * HOUR)
    assert archive(count_failures, FailureSelection("http_404"), NOW + 2 * HOUR) == 1


def test_nothing_is_known_of_a_url_never_seen(archive):
    with reading(archive.engine) as connection:
        assert load_page_record(connection, "https://nowhere.example/") is None


@pytest.mark.parametrize(
    "url",
    ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "nonsense", "oracle+what://x", "postgresql+nodriver://h/d"],
)
def test_a_database_url_that_cannot_work_is_said_so(url):
    with pytest.raises(ConfigError, match="NEWS_DATABASE_URL"):
        open_engine(url)


def test_the_claimed_page_knows_what_was_stored_of_it(archive):
    archive.store(published_at=NOW - MINUTE)
    page = archive.claim(now=NOW + HOUR)
    assert isinstance(page, Page)
    assert (page.stored, page.article_published_at, page.first_seen_at) == (True, NOW - MINUTE, NOW)
    assert page.validators == FETCHED.validators
