"""What an article consists of is said once, and nothing of it changes without being told."""

from dataclasses import fields
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.export.formats import FIELDS
from pipeline.model import Article
from pipeline.store.connection.engine import reading
from pipeline.store.queries.change_log import load_changes
from pipeline.store.schema.article_columns import SEPARATORS, SHOWN, columns_told_by
from pipeline.store.schema.tables import ArticleRow, RevisionRow, UtcDateTime
from pipeline.store.schema.views import COLUMNS, VIEWS
from tests.support.archive import NOW, Archive

SILENT = {"id", "page_id", "first_seen_at", "updated_at", "provenance", "links", "pictures"}
"""Columns of which a change is no news: keys, the times that follow every change, and what v_article leaves out."""

KEPT_ELSEWHERE = {"opt_out", "blocks", "sketch"}
"""What an article brings along for the tables `page`, `site_block` and `article_sketch`."""

TOLD_BY_OTHER_TABLES = {"story_id", "story_role", "gone_at"}

UPDATED = columns_told_by("updated")


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    archive.store()
    return archive


def other_value(column):
    if column.name in SEPARATORS:
        return ["another"]
    if isinstance(column.type, UtcDateTime):
        return NOW + timedelta(days=9)
    return column.type.python_type(9)


@pytest.mark.parametrize("name", UPDATED)
def test_a_change_of_any_column_that_no_revision_has_is_logged(archive, name):
    with reading(archive.engine) as connection:
        before = load_changes(connection).cursor
    with archive.engine.begin() as connection:
        connection.execute(sa.update(ArticleRow).values({name: other_value(ArticleRow.__table__.columns[name])}))
    with reading(archive.engine) as connection:
        assert [change.kind for change in load_changes(connection, before).rows] == ["updated"]


def test_every_column_is_revised_or_logged_or_listed_here_as_no_news():
    told = {*columns_told_by("revised"), *UPDATED, *columns_told_by("duplicate")}
    assert {column.name for column in ArticleRow.__table__.columns} - told == SILENT


def test_a_revision_keeps_every_column_that_it_tells_of():
    assert set(columns_told_by("revised")) <= {column.name for column in RevisionRow.__table__.columns}


def test_v_article_and_exports_have_every_column_that_is_not_hidden():
    view = [column.name for column in VIEWS[0].columns]
    assert set(view) - TOLD_BY_OTHER_TABLES == {"article_id", *SHOWN}
    assert [field.name for field in FIELDS] == [*view, "deleted", "cursor"]


def test_every_column_is_filled_from_an_article_or_when_it_is_stored():
    stored = {"id", "page_id", "duplicate_of", "first_seen_at", "updated_at"}
    assert {column.name for column in ArticleRow.__table__.columns} - stored == {
        field.name for field in fields(Article)
    } - KEPT_ELSEWHERE


def test_the_version_of_the_contract_counts_what_its_views_have():
    assert sum(len(view.columns) for view in VIEWS) == COLUMNS, "raise the second number of VERSION, and COLUMNS"
