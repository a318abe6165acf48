"""Opening the archive that the settings name."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.store.connection.engine import open_archive, open_engine, reading
from pipeline.store.migrations.upgrade import current_revision, upgrade_schema


def test_an_archive_is_open_within_the_block_and_its_connections_are_closed_after_it(database_url):
    with open_archive(replace(Settings(), database_url=database_url)) as engine:
        with reading(engine) as connection:
            assert connection.scalar(sa.text("SELECT count(*) FROM feed")) == 0
        pool = engine.pool
        assert pool.checkedin() == 1
    assert pool.checkedin() == 0 or engine.pool is not pool


def test_a_database_without_tables_is_refused_unless_its_schema_is_not_asked_for(tmp_path):
    settings = replace(Settings(), database_url=f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(ConfigError, match="news db upgrade"), open_archive(settings):
        pass
    with open_archive(settings, check_schema=False) as engine, reading(engine) as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1


def test_asking_for_a_database_that_is_not_there_makes_none(tmp_path):
    settings = replace(Settings(), database_url=f"sqlite:///{tmp_path}/folder/missing.db")
    with pytest.raises(ConfigError, match=r"there is no database .* yet; run: news db upgrade"), open_archive(settings):
        pass
    assert list(tmp_path.iterdir()) == []
    with open_archive(settings, check_schema=False) as engine:
        assert current_revision(engine) is None
        assert list(tmp_path.iterdir()) == []
        upgrade_schema(engine)
    with open_archive(settings):
        assert (tmp_path / "folder/missing.db").exists()


def test_a_server_that_answers_nothing_is_given_up_before_a_watchdog_does():
    given = open_engine("postgresql://news@db.example/news?connect_timeout=3").url.query
    assert given["connect_timeout"] == "3"
    assert int(open_engine("postgresql://news@db.example/news").url.query["connect_timeout"]) <= 60
    assert "connect_timeout" not in open_engine("sqlite:///news.db").url.query
