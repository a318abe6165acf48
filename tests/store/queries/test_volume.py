"""How much each source brought on a day, and which fell."""

from datetime import date, timedelta

from pipeline.model import Address, Entry
from pipeline.store.articles.bulk_rows import CapturedPage, store_captured_pages
from pipeline.store.connection.engine import reading
from pipeline.store.queries.volume import SourceDay, Volume, load_volume
from tests.support.archive import FETCHED, NOW, POLICY, Archive, article

WEEK = timedelta(days=7)


def test_what_came_on_a_day_is_told_beside_what_was_expected(engine):
    archive = Archive(engine)
    for weeks, count in ((2, 4), (1, 2), (0, 1)):
        day = NOW - weeks * WEEK
        urls = [f"https://one.example/{weeks}-{n}" for n in range(count)]
        archive.poll(*(Entry(guid=url, url=url, hash=url) for url in urls), now=day)
        while page := archive.claim(now=day, host="one.example"):
            archive.save(page, article(page.url, text=page.url, site="one.example"), now=day)
    with reading(engine) as connection:
        today = load_volume(connection, NOW.date())
        empty = load_volume(connection, (NOW - timedelta(days=1)).date())
        silent = load_volume(connection, (NOW + 3 * WEEK).date())
    assert today.sources == [SourceDay("one.example", announced=1, stored=1, failed=0, expected=3.0)]
    assert [(source.stored, source.announced) for source in empty.sources] == [(0, 0)]
    assert [volume.is_silent for volume in (today, empty, silent)] == [False, False, True]
    assert (silent.sources, silent.last_day) == ([], NOW.date())


def test_what_a_backfill_brings_and_the_home_of_an_alias_are_neither_announced_nor_expected(engine):
    archive = Archive(engine)
    archive.store("https://one.example/live", site="one.example", text="Live.", now=NOW - WEEK)
    taken = []
    for number in range(5):
        url = f"https://one.example/old-{number}"
        found = article(url, site="one.example", text=f"Old {number}.")
        taken.append(CapturedPage(Address(url), NOW - WEEK, (found, FETCHED)))
    assert {outcome for _, outcome in archive(store_captured_pages, taken, "w", NOW - WEEK, POLICY)} == {"new"}
    archive.poll(Entry(guid="m", url="https://m.one.example/a"), now=NOW)
    page = archive.claim(now=NOW, host="m.one.example")
    archive.save(page, article("https://one.example/a", text="At its home.", site="one.example"))
    with reading(engine) as connection:
        told = {source.source: source for source in load_volume(connection, NOW.date()).sources}
    assert told == {
        "m.one.example": SourceDay("m.one.example", announced=1, stored=1, failed=0, expected=None),
        "one.example": SourceDay("one.example", announced=0, stored=0, failed=0, expected=1.0),
    }


def test_drops_are_sources_of_some_size_the_greatest_loss_first():
    def source(name, stored, expected):
        return SourceDay(name, announced=stored, stored=stored, failed=0, expected=expected)

    told = [
        source("a", 4, 10.0),
        source("b", 0, 200.0),
        source("c", 0, 3.0),
        source("d", 0, None),
        source("e", 6, 10.0),
    ]
    volume = Volume(date(2026, 11, 19), date(2026, 11, 19), told)
    assert [drop.source for drop in volume.drops(share=0.5, least=10)] == ["b", "a"]
    assert not volume.is_silent
    assert not Volume(date(2026, 11, 19), None, []).is_silent
