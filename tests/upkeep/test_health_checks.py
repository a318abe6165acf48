"""Each check of an archive's health goes red by its own cause, and green again when that is gone."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.model import Entry
from pipeline.store.feeds.subscriptions import set_feed_state
from pipeline.store.schema.tables import BackfillJobRow, FeedRow, PageRow, PollRow
from pipeline.upkeep.health_checks import check_health, describe_seconds
from tests.support.archive import HOUR, NOW, Archive, article

DAY = timedelta(days=1)


class Patient:
    """An archive with one feed and one stored article, all of it well at NOW."""

    def __init__(self, engine, url):
        self.archive = Archive(engine)
        self.settings = Settings(database_url=url, archive_url="off", check_disk=(0, 0), check_clock=(60, 600))
        self.archive.store("https://news.example/1")
        self.feed_id = self.archive.rows(FeedRow)[0]["id"]

    def levels(self, now=NOW, **settings):
        known = {name: getattr(self.settings, name) for name in Settings.__dataclass_fields__} | settings
        checks = check_health(self.archive.engine, Settings(**known), now)
        # A server has a clock of its own, which is not that of these tests.
        is_server = self.archive.engine.dialect.name != "sqlite"
        return {check.name: check for check in checks if not (is_server and check.name == "clock")}

    def is_red(self, name, now=NOW, level="warning", **settings):
        """Whether this check, and no other one, is at this level."""
        found = {name: check.level for name, check in self.levels(now, **settings).items() if check.level != "ok"}
        assert found == {name: level}
        return True

    def is_green(self, now=NOW):
        found = {name: check.message for name, check in self.levels(now).items() if check.level != "ok"}
        assert found == {}
        return True

    def change(self, statement):
        self.archive(lambda connection: connection.execute(statement))

    def add_polls(self, outcome, count, at=NOW, **columns):
        rows = [
            {"feed_id": self.feed_id, "polled_at": at - timedelta(minutes=n), "outcome": outcome} | columns
            for n in range(count)
        ]
        self.change(sa.insert(PollRow).values(rows))


@pytest.fixture
def patient(engine):
    return Patient(engine, engine.url.render_as_string(hide_password=False))


@pytest.fixture
def well(patient):
    # What was stored is looked at again after an hour: here nothing is due unless a test says so.
    patient.change(sa.update(PageRow).values(next_fetch_at=None))
    assert patient.is_green()
    return patient


def test_an_archive_without_work_for_hours_is_red_until_the_next_run(well):
    assert well.is_red("last_run", NOW + 3 * HOUR)
    assert well.is_red("last_run", NOW + 7 * HOUR, "critical")
    well.add_polls("unchanged", 1, NOW + 7 * HOUR)
    assert well.is_green(NOW + 7 * HOUR)


def test_an_archive_with_feeds_that_were_never_polled_is_critical(well):
    well.change(sa.delete(PollRow))
    well.change(sa.update(PageRow).values(fetched_at=None))
    assert well.levels()["last_run"].level == "critical"


def test_feeds_that_are_paused_need_no_run(well):
    well.archive(set_feed_state, well.feed_id, "paused", NOW)
    assert well.levels(NOW + DAY)["last_run"].level == "ok"


def test_a_page_that_waits_for_hours_is_red_until_it_is_fetched(well):
    well.archive.poll(Entry(guid="2", url="https://news.example/2", hash="2"))
    later = NOW + 7 * HOUR
    well.add_polls("unchanged", 1, later)
    assert well.is_red("oldest_due", later)
    page = well.archive.claim(now=later)
    well.archive.save(page, article(page.url), now=later)
    assert well.is_green(later)


def test_pages_of_a_backfill_may_wait(well):
    well.archive.poll(Entry(guid="2", url="https://news.example/2", hash="2"))
    job = {"id": 1, "source": "html", "targets": [], "options": {}, "created_at": NOW}
    well.change(sa.insert(BackfillJobRow).values(job))
    well.change(sa.update(PageRow).where(PageRow.url == "https://news.example/2").values(backfill_id=1))
    well.add_polls("unchanged", 1, NOW + 7 * HOUR)
    assert well.is_green(NOW + 7 * HOUR)


def test_polls_that_fail_are_red_until_they_are_answered_again(well):
    well.add_polls("timeout", 4)
    assert well.is_red("failing_polls", level="critical")
    well.add_polls("unchanged", 20)
    assert well.is_green()


def test_a_single_failure_is_no_share(well):
    well.add_polls("timeout", 2)
    assert well.is_green()


def test_pages_that_cannot_be_had_are_red_until_they_can(well):
    for number in range(2, 8):
        well.archive.poll(Entry(guid=str(number), url=f"https://news.example/{number}", hash="x"))
    well.change(sa.update(PageRow).values(fetched_at=NOW, outcome="retry", next_fetch_at=NOW + HOUR))
    assert well.is_red("failing_pages", level="critical")
    well.change(sa.update(PageRow).values(outcome="new"))
    assert well.is_green()


def test_a_feed_that_has_gone_is_red_until_it_answers(well):
    well.change(sa.update(FeedRow).values(state="gone"))
    assert well.is_red("gone_feeds")
    well.change(sa.update(FeedRow).values(state="active"))
    assert well.is_green()


def test_a_busy_feed_without_news_for_days_is_red_until_it_has_some(well):
    later = NOW + 5 * DAY
    well.add_polls("read", 12, NOW, entries_new=3)
    well.change(sa.update(FeedRow).values(news_at=NOW))
    well.add_polls("unchanged", 1, later)
    assert well.is_red("silent_feeds", later)
    assert "feeds.news.example" in well.levels(later)["silent_feeds"].message
    well.change(sa.update(FeedRow).values(news_at=later))
    assert well.is_green(later)


def test_a_quiet_feed_may_be_quiet(well):
    later = NOW + 20 * DAY
    well.change(sa.update(FeedRow).values(news_at=NOW))
    well.add_polls("unchanged", 1, later)
    assert well.is_green(later)


def test_missed_entries_are_red_for_a_day(well):
    well.add_polls("read", 1, missed=True)
    assert well.is_red("gaps")
    later = NOW + 25 * HOUR
    well.add_polls("unchanged", 1, later)
    assert well.is_green(later)


def test_a_full_disk_is_red_and_a_roomy_one_green(well):
    assert well.is_red("disk", check_disk=(10**15, 0))
    assert well.is_red("disk", check_disk=(10**15, 10**15), level="critical")
    assert well.is_green()


def test_a_clock_that_ran_ahead_is_red_until_the_time_has_come(well):
    if well.archive.engine.dialect.name != "sqlite":
        pytest.skip("the clock of a server is compared in the next test")
    well.add_polls("read", 1, NOW + 2 * HOUR)
    assert well.is_red("clock", level="critical")
    assert "a clock ran ahead" in well.levels()["clock"].message
    assert well.is_green(NOW + 2 * HOUR)


def test_the_clock_of_a_server_is_compared(patient):
    if patient.archive.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no clock of its own")
    with patient.archive.engine.connect() as connection:
        now = connection.scalar(sa.select(sa.func.clock_timestamp()))
    patient.change(sa.update(PollRow).values(polled_at=now))
    patient.change(sa.update(PageRow).values(fetched_at=now))
    for ahead, level in ((timedelta(0), "ok"), (timedelta(minutes=5), "warning"), (2 * HOUR, "critical")):
        checks = check_health(patient.archive.engine, patient.settings, now + ahead)
        assert next(check.level for check in checks if check.name == "clock") == level


DURATIONS = {0: "0 seconds", 119: "119 seconds", 7200: "2 hours", 1e6: "12 days"}


@pytest.mark.parametrize(("seconds", "text"), DURATIONS.items(), ids=DURATIONS.values())
def test_durations_are_said_as_people_say_them(seconds, text):
    assert describe_seconds(seconds) == text
