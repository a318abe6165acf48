"""What docs/operations.md says of backup and restore works, with writers at work."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.command_line import News
from tests.support.newsroom import Pipeline
from tests.support.watching import Manager, wait_until, watching
from tests.support.web import Web


def test_a_backup_that_was_taken_while_news_watch_ran_is_restored_and_goes_on(sqlite_url, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    with Web() as web:
        newsroom = Pipeline(web, sqlite_url)
        newsroom.serve_stories(1, 2)
        ours = News(sqlite_url)
        with watching(newsroom, Manager(str(tmp_path / "notify"))):
            wait_until(lambda: ours.json("status")["articles"]["stored"] == 2)
            file = Path(sqlite_url.removeprefix("sqlite:///"))
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy / "news.db")) as target:
                source.backup(target)  # as `sqlite3 news.db ".backup copy.db"`
            newsroom.serve_stories(3, feed="/other.xml")
            wait_until(lambda: ours.json("status")["articles"]["stored"] == 3)
            shutil.copytree(file.parent / "raw", copy / "raw")  # after the database, as the manual says
        restored = News(f"sqlite:///{copy / 'news.db'}")
        restored("db", "upgrade")
        restored("archive", "check", "--repair")
        assert restored.json("status")["articles"]["stored"] == 2
        restored("archive", "check")  # fails where anything is wrong or missing
        asked = len(web.asked("/1"))
        restored("feeds", "add", web.url("/other.xml"))
        restored("ingest")
        assert restored.json("status")["articles"]["stored"] == 3
        assert len(web.asked("/1")) == asked
        newsroom.engine.dispose()
