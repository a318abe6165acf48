"""What the contract tells of an article beside its text: access, publisher, captions, corrections, provenance."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.store.articles.saving import clean_article
from pipeline.store.articles.takedown_rows import take_down_pages
from pipeline.store.migrations.upgrade import downgrade_schema, newest_revision, require_current, upgrade_schema
from pipeline.store.schema.tables import ArticleCorrectionRow, ArticleRow
from tests.support.archive import HOUR, NOW, Archive, article
from tests.support.views import rows

MAY = "Correction: An earlier version of this article named the wrong month."
NAME = "Correction: The mayor's name was misspelt; it is “Ruíz”."
FIELDS = {
    "access": "paid",
    "kind": "opinionnews",
    "publisher": "Harbour Press",
    "site_name": "Harbour News",
    "published_at": NOW - HOUR,
    "published_precision": "day",
    "captions": ("The last crane; at dawn", "The quay"),
    "provenance": {
        "title": {"from": "json-ld+h1", "sure": 0.87, "others": [["og:title", "Old cranes move at last"]]},
        "published_at": {
            "from": "json-ld",
            "sure": 0.72,
            "others": [["feed", "2026-11-20T08:00:00+00:00"], ["url", "2026-11-19T00:00:00+00:00"]],
        },
        "language": {"from": "html", "sure": 0.9},
    },
}


@pytest.fixture
def archive(engine):
    """An article that declares all there is, and one that declares nothing."""
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example", **FIELDS)
    archive.store("https://two.example/b", site="two.example", text="Other.")
    return archive


def told(archive, *columns):
    return rows(archive.engine, "v_correction", *columns, order="correction_id")


def test_v_article_has_what_the_page_declares_with_lists_as_paragraphs(archive):
    names = ("published_precision", "site_name", "publisher", "access", "kind", "captions", "corrections")
    assert rows(archive.engine, "v_article", *names, order="article_id") == [
        ("day", "Harbour News", "Harbour Press", "paid", "opinionnews", "The last crane; at dawn\n\nThe quay", None),
        (None, None, None, "unknown", None, None, None),
    ]


def test_v_provenance_has_a_row_for_each_field_with_who_says_otherwise(archive):
    found = rows(archive.engine, "v_provenance", "url", "field", "source", "confidence", "alternatives", order="field")
    other_dates = "feed: 2026-11-20T08:00:00+00:00\nurl: 2026-11-19T00:00:00+00:00"
    assert found == [
        ("https://one.example/a", "language", "html", 0.9, None),
        ("https://one.example/a", "published_at", "json-ld", 0.72, other_dates),
        ("https://one.example/a", "title", "json-ld+h1", 0.87, "og:title: Old cranes move at last"),
    ]


def test_v_alternative_has_a_row_for_each_value_that_was_not_taken(archive):
    view = rows(archive.engine, "v_alternative", "field", "position", "source", "value", "chosen_source", "site")
    assert sorted(view) == [
        ("published_at", 1, "feed", "2026-11-20T08:00:00+00:00", "json-ld", "one.example"),
        ("published_at", 2, "url", "2026-11-19T00:00:00+00:00", "json-ld", "one.example"),
        ("title", 1, "og:title", "Old cranes move at last", "json-ld+h1", "one.example"),
    ]


def test_a_notice_is_told_once_with_the_revision_and_the_time_that_first_had_it(archive):
    url = "https://one.example/a"
    archive.store(url, site="one.example", now=NOW + HOUR, text="Edited.", corrections=(MAY,), **FIELDS)
    # One that comes without any other edit has no revision of its own.
    archive.store(url, site="one.example", now=NOW + 2 * HOUR, text="Edited.", corrections=(MAY, NAME), **FIELDS)
    archive.store(url, site="one.example", now=NOW + 3 * HOUR, text="Edited again.", corrections=(NAME,), **FIELDS)
    assert told(archive, "revision", "notice", "seen_at", "site") == [
        (2, MAY, NOW + HOUR, "one.example"),
        (2, NAME, NOW + 2 * HOUR, "one.example"),
    ]
    assert rows(archive.engine, "v_revision", "number", "corrections", "cause")[-2:] == [
        (2, MAY, "publisher"),
        (3, NAME, "publisher"),
    ]
    assert rows(archive.engine, "v_article_version", "number", "corrections")[-1] == (3, NAME)
    assert rows(archive.engine, "v_article", "article_id", "corrections")[0] == (1, NAME)


def test_what_our_rules_find_in_an_old_copy_was_there_when_that_was_fetched(archive):
    page = archive.claim(host="two.example", now=NOW + HOUR)
    found = article(page.url, site="two.example", text="Other.", corrections=(MAY,))
    later = NOW + timedelta(days=90)
    archive(clean_article, page.id, page, found, later, NOW)
    assert told(archive, "article_id", "revision", "seen_at") == [(2, 1, NOW)]


def test_corrections_go_with_an_article_that_is_taken_down(archive):
    archive.store("https://two.example/b", site="two.example", text="Other.", corrections=(MAY,), now=NOW + HOUR)
    assert len(told(archive, "notice")) == 1
    archive(take_down_pages, [archive.page("https://two.example/b")["id"]])
    assert archive.rows(ArticleCorrectionRow) == []


@pytest.mark.parametrize(
    "field",
    [
        {"access": "free"},
        {"publisher": None},
        {"site_name": "The Harbour"},
        {"kind": "news"},
        {"published_precision": "time"},
        {"captions": ()},
        {"corrections": (MAY,)},
    ],
    ids=lambda field: next(iter(field)),
)
def test_who_follows_changes_is_told_of_each_of_these_fields(archive, field):
    before = rows(archive.engine, "v_changes", "cursor")
    archive.store("https://one.example/a", site="one.example", now=NOW + HOUR, **(FIELDS | field))
    after = rows(archive.engine, "v_changes", "kind", "article_id", order="cursor")[len(before) :]
    assert after == [("updated", 1)]


def test_another_provenance_alone_is_no_change_of_the_article(archive):
    before = rows(archive.engine, "v_changes", "cursor")
    archive.store("https://one.example/a", site="one.example", now=NOW + HOUR, **(FIELDS | {"provenance": {}}))
    assert rows(archive.engine, "v_provenance", "field") == []
    assert rows(archive.engine, "v_changes", "cursor") == before


def test_a_filled_archive_is_told_its_corrections_by_the_upgrade_and_forgets_them_by_the_way_back(archive):
    url = "https://one.example/a"
    archive.store(url, site="one.example", now=NOW + HOUR, text="Edited.", corrections=(MAY,), **FIELDS)
    archive.store(url, site="one.example", now=NOW + 2 * HOUR, text="Again.", corrections=(MAY,), **FIELDS)
    archive.store(url, site="one.example", now=NOW + 3 * HOUR, text="Again.", corrections=(MAY, NAME), **FIELDS)
    downgrade_schema(archive.engine, "0011")
    assert "article_correction" not in sa.inspect(archive.engine).get_table_names()
    upgrade_schema(archive.engine)
    require_current(archive.engine)
    expected = [(1, 2, MAY, NOW + HOUR), (1, 3, NAME, NOW + 3 * HOUR)]
    assert told(archive, "article_id", "revision", "notice", "seen_at") == expected


def test_an_upgrade_that_was_broken_off_after_its_table_goes_on(archive):
    archive.store("https://two.example/b", site="two.example", text="Other.", corrections=(MAY,), now=NOW + HOUR)
    before = told(archive, "article_id", "revision", "notice")
    with archive.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0011'")
        connection.execute(sa.update(ArticleRow).where(ArticleRow.id == 1).values(corrections=[NAME]))
    upgrade_schema(archive.engine, "0013")
    with archive.engine.begin() as connection:  # what later migrations add is there already
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :head"), {"head": newest_revision()})
    upgrade_schema(archive.engine)
    assert told(archive, "article_id", "revision", "notice") == [*before, (1, 1, NAME)]
