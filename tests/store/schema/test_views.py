"""The views are there, on both databases alike, and go and come with the migrations."""

import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.errors import ConfigError
from pipeline.model import Entry, Reference
from pipeline.store.connection.engine import open_engine, reading
from pipeline.store.migrations.upgrade import downgrade_schema, require_current, upgrade_schema
from pipeline.store.schema.tables import RawRow
from pipeline.store.schema.views import VERSION, VIEWS
from tests.support.archive import FEED, FETCHED, HOUR, NOW, POLICY, Archive, article, save_article
from tests.support.views import rows, settle_stories


@pytest.fixture
def archive(engine):
    """A copy on another site, an article that was edited, and one without authors and tags."""
    archive = Archive(engine)
    told = {
        "corrections": ("Correction: May.",),
        "provenance": {
            "title": {"from": "h1", "sure": 1, "others": [["og", "T"]]},
            "published_at": {"from": "json-ld", "sure": 1, "offset": "+09:30"},
        },
        "published_at": NOW,
        "links": (Reference("https://port.example/board", "the board"),),
        "pictures": (Reference("https://one.example/quay.jpg", "The quay"),),
    }
    archive.store("https://one.example/a", site="one.example", language="en", authors=("Ada Ruiz", "Bo Lind"), **told)
    archive.store("https://two.example/b", site="two.example", language="en")
    archive.store("https://two.example/c", site="two.example", text="Before the edit.", authors=(), tags=())
    archive.store("https://two.example/c", site="two.example", text="After.", authors=(), tags=(), now=NOW + HOUR)
    settle_stories(engine)
    kept = {"page_id": 1, "kind": "page", "url": "https://one.example/a", "status": 200, "fetched_at": NOW}
    kept |= {"file": "a.warc.gz", "file_offset": 7, "file_length": 99, "record_id": "r", "digest": "sha1:D"}
    archive(lambda connection: connection.execute(sa.insert(RawRow).values(kept)))
    archive(lambda connection: connection.exec_driver_sql("UPDATE entry SET published_at = first_seen_at"))
    return archive


def test_what_stands_behind_an_article_is_told(archive):
    told = rows(archive.engine, "v_entry", "feed_url", "article_id", "title", "authors", "url", order="entry_id")
    assert told[0] == (FEED, 1, None, None, "https://one.example/a")
    assert rows(archive.engine, "v_removed", "article_id", "position", "text", "reason")[0] == (
        *(1, 1, "NOW WATCH: boats", "teaser"),
    )
    assert rows(archive.engine, "v_raw", "article_id", "file", "file_offset", "file_length", "digest") == [
        (1, "a.warc.gz", 7, 99, "sha1:D")
    ]
    assert rows(archive.engine, "v_article_local", "article_id", "utc_offset", "local_time", "local_hour") == [
        (1, "+09:30", "2026-11-22 21:30", 21)
    ]


def test_the_views_have_the_columns_that_are_promised(engine):
    inspector = sa.inspect(engine)
    assert set(promised(engine)) == {view.name for view in VIEWS}
    for view in VIEWS:
        assert [column["name"] for column in inspector.get_columns(view.name)] == [
            column.name for column in view.columns
        ]


def test_no_column_that_was_promised_is_gone():
    columns = {view.name: [column.name for column in view.columns] for view in VIEWS}
    kept = tomllib.loads(Path(__file__).with_name("promised_columns.toml").read_text("utf-8"))
    assert kept
    for view, names in kept.items():
        # In their order, too: who reads by position counts on it, so that new columns come last.
        assert columns.get(view, [])[: len(names)] == names, f"{view}: see docs/migrations.md for how a column goes"


def promised(engine):
    return [name for name in sa.inspect(engine).get_view_names() if name.startswith("v_")]


def test_the_version_of_the_contract_is_in_the_database(engine):
    assert rows(engine, "v_contract", "version") == [(VERSION,)]


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_each_view_can_be_read_whole_with_its_types(archive, view):
    columns = [column.name for column in next(known for known in VIEWS if known.name == view).columns]
    assert rows(archive.engine, view, *columns)


def test_v_article_has_one_row_for_each_article_with_lists_as_text(archive):
    assert rows(archive.engine, "v_article", "url", "authors", "tags", "story_id") == [
        ("https://one.example/a", "Ada Ruiz; Bo Lind", "port; tides", 1),
        ("https://two.example/b", "Ada Ruiz", "port; tides", 1),
        ("https://two.example/c", None, None, 3),
    ]


def test_v_feed_delay_has_the_delays_of_each_feed_from_its_subscription_on(engine):
    archive = Archive(engine)
    later = NOW + timedelta(minutes=10)
    old = Entry(guid="old", url="https://news.example/old", published_at=NOW - HOUR, hash="h")
    told = [
        Entry(guid=str(delay), url=f"https://news.example/{delay}", published_at=later - timedelta(seconds=delay))
        for delay in range(1, 20)
    ]
    archive.poll(old, now=NOW)
    archive.poll(old, *told, now=later)
    while (page := archive.claim(now=later)) is not None:
        archive.save(page, article(page.url, text=page.url), now=later)
    ((feed, url, articles, median, p95),) = rows(
        engine, "v_feed_delay", "feed_id", "url", "articles", "median", "p95", order="feed_id"
    )
    assert (feed, url, articles) == (1, FEED, 19)
    assert (median, p95) == (pytest.approx(10, abs=0.01), pytest.approx(19, abs=0.01))


def test_v_feed_delay_counts_for_each_feed_what_that_feed_announced_when_it_did(engine):
    archive = Archive(engine)
    later = NOW + HOUR
    delays = {"fast": (10, 20, 30), "slow": (600, 1_200, 1_800, 2_400), "idle": ()}
    for name, seconds in delays.items():
        url = f"https://{name}.example/feed"
        archive.poll(now=NOW, url=url)
        told = [(f"https://{name}.example/{number}", second) for number, second in enumerate(seconds)]
        # One page that both announce, each with a time of its own.
        told += [("https://both.example/1", 40 if name == "fast" else 3_000)] if seconds else []
        published = [(page, later - timedelta(seconds=second)) for page, second in told]
        archive.poll(*(Entry(guid=page, url=page, published_at=at) for page, at in published), now=later, url=url)
    for host in ("fast.example", "slow.example", "both.example"):
        while (page := archive.claim(now=later, host=host)) is not None:
            archive.save(page, article(page.url, text=page.url), now=later)
    found = rows(engine, "v_feed_delay", "url", "articles", "median", "p95", "newest")
    assert found == [
        ("https://fast.example/feed", 4, pytest.approx(20, abs=0.01), pytest.approx(40, abs=0.01), later),
        ("https://slow.example/feed", 5, pytest.approx(1_800, abs=0.01), pytest.approx(3_000, abs=0.01), later),
    ]


def test_v_revision_says_what_changed(archive):
    found = rows(archive.engine, "v_revision", "article_id", "number", "changed", "word_change", order="revision_id")
    assert found == [(1, 1, "first", None), (2, 1, "first", None), (3, 1, "first", None), (3, 2, "text", -2)]


AS_OF = sa.text(
    "SELECT url, text FROM v_article_version"
    " WHERE valid_from <= :time AND (valid_to IS NULL OR valid_to > :time) ORDER BY url"
).bindparams(sa.bindparam("time", type_=next(view for view in VIEWS if view.name == "v_changes").columns[-1].type))


@pytest.mark.parametrize(
    ("time", "text"), [(NOW, "Before the edit."), (NOW + HOUR, "After.")], ids=["before the edit", "at the edit"]
)
def test_one_query_says_on_both_databases_what_was_current(archive, time, text):
    with reading(archive.engine) as connection:
        found = connection.execute(AS_OF, {"time": time}).all()
    assert dict(map(tuple, found))["https://two.example/c"] == text
    assert len(found) == 3


def test_an_older_capture_of_another_address_changes_neither_what_is_current_nor_what_was(archive):
    """A backfill may find a page by an address of its own that leads to an article that is stored."""
    before = rows(archive.engine, "v_article_version", "article_id", "number", "valid_from", "valid_to", "text")
    archive.poll(Entry(guid="m", url="https://m.two.example/c"), now=NOW + 2 * HOUR)
    page = archive.claim(host="m.two.example", now=NOW + 2 * HOUR)
    found = article("https://two.example/c", site="two.example", text="Long before.")
    older = replace(FETCHED, at=NOW - 24 * HOUR)
    assert archive(save_article, page, "w", found, older, NOW + 2 * HOUR, POLICY).decision == "unchanged"
    after = rows(archive.engine, "v_article_version", "article_id", "number", "valid_from", "valid_to", "text")
    assert after == before
    assert archive.page("https://m.two.example/c")["state"] == "alias"


def test_nothing_was_current_before_the_archive_began(archive):
    with reading(archive.engine) as connection:
        assert connection.execute(AS_OF, {"time": NOW - HOUR}).all() == []


@pytest.mark.postgres
def test_postgresql_has_a_function_for_what_was_current(postgres_url):
    engine = open_engine(postgres_url)
    archive = Archive(engine)
    archive.store(text="Before.")
    archive.store(text="After.", now=NOW + HOUR)
    with reading(engine) as connection:
        query = sa.text("SELECT text FROM v_article_as_of(:time)")
        assert [connection.scalar(query, {"time": time}) for time in (NOW, NOW + HOUR)] == ["Before.", "After."]
    engine.dispose()


@pytest.mark.postgres
def test_comments_and_rights_of_views_are_there_after_views_were_made_anew(postgres_url):
    engine = open_engine(postgres_url)
    role = f"analyst_{sa.make_url(postgres_url).database}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role}")
        connection.exec_driver_sql(f"GRANT SELECT ON v_article TO {role}")
    downgrade_and_up(engine)
    with engine.begin() as connection:
        assert connection.scalar(sa.text(f"SELECT has_table_privilege('{role}', 'v_article', 'SELECT')"))
        comments = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_description AS d JOIN pg_class AS c ON c.oid = d.objoid"
                " WHERE c.relkind = 'v' AND d.classoid = 'pg_class'::regclass AND c.relname LIKE 'v\\_%'"
            )
        )
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")
    assert comments == sum(1 + len(view.columns) for view in VIEWS)
    engine.dispose()


def downgrade_and_up(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE OR REPLACE VIEW v_contract AS SELECT 'old'::text AS version, '' AS definition"
        )
    upgrade_schema(engine)


def test_views_of_another_version_are_refused_and_made_anew(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW v_contract")
        connection.exec_driver_sql("CREATE VIEW v_contract AS SELECT '0.1' AS version, 'x' AS definition")
    with pytest.raises(ConfigError, match="run: news db upgrade"):
        require_current(engine)
    upgrade_schema(engine)
    require_current(engine)


def test_views_go_with_the_schema_that_they_are_of(engine):
    downgrade_schema(engine, "0005")
    assert promised(engine) == []
    upgrade_schema(engine)
    require_current(engine)


@pytest.mark.postgres
def test_a_users_view_that_stands_on_ours_is_named_instead_of_dropped(postgres_url):
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW mine AS SELECT url FROM v_article")
    with pytest.raises(ConfigError, match="mine"):
        downgrade_schema(engine, "0005")
    engine.dispose()
