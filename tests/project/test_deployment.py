"""What docs/deployment.md advises works: a role that sees the views alone, and backups that come back whole."""

import re
import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.store.connection.engine import open_engine
from tests.support.archive import Archive
from tests.support.command_line import News
from tests.support.recording import on_sqlite

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/export.md").read_text("utf-8")


@pytest.mark.postgres
def test_the_role_for_readers_sees_the_views_and_no_table(postgres_url):
    engine = open_engine(postgres_url)
    Archive(engine).store("https://one.example/a", site="one.example")
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    role, database = f"reader_{uuid.uuid4().hex[:8]}", engine.url.database
    block = (
        block.replace("news_reader", role).replace("DATABASE news", f"DATABASE {database}").replace("'…'", "'secret'")
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(block)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET ROLE {role}")
            assert connection.exec_driver_sql("SELECT count(*) FROM v_article").scalar() == 1
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied for table feed"):
                connection.exec_driver_sql("SELECT auth FROM feed")
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")
        engine.dispose()


@on_sqlite
def test_a_backup_taken_as_advised_comes_back_whole(kept, tmp_path):
    """The database first, then the files; what was fetched in between is in the files alone, and taken note of."""
    kept.serve_stories(1, 2)
    kept.ingest()
    copy = tmp_path / "restored"
    copy.mkdir()
    with (
        closing(sqlite3.connect(kept.engine.url.database)) as source,
        closing(sqlite3.connect(copy / "news.db")) as target,
    ):
        source.backup(target)
    kept.serve_stories(3, feed="/later.xml")
    kept.ingest()
    shutil.copytree(kept.folder, copy / "raw")

    news = News(f"sqlite:///{copy}/news.db")
    assert news.json("status")["articles"]["stored"] == 2
    with closing(sqlite3.connect(copy / "news.db")) as restored:
        noted = "SELECT count(*) FROM raw"
        assert restored.execute(noted).fetchone() == (3,)
        news("archive", "check", "--repair")
        assert restored.execute(noted).fetchone() == (len(kept.copies()),) > (3,)
    news("archive", "check")
