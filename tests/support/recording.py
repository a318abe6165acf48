"""A pipeline that keeps every response in WARC files."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.archive.folder import WarcFolder
from pipeline.archive.reader import read_response
from pipeline.store.schema.tables import RawRow
from tests.support.newsroom import Pipeline

REVISIT = timedelta(days=5)
"""From now to a time when the stories are looked at again."""


class RecordingPipeline(Pipeline):
    """A pipeline with a raw archive in a folder."""

    def __init__(self, web, url, folder):
        super().__init__(web, url)
        self.folder = folder
        self.settings = replace(
            self.settings,
            archive_url=str(folder),
            archive_spool=str(folder.parent / "spool"),
            archive_max_age=timedelta(days=60),
        )

    @property
    def place(self):
        return WarcFolder(self.settings.archive_place, self.folder.parent / "spool")

    def copies(self, path=None):
        rows = self.rows(RawRow)
        return [row for row in rows if row["url"] == self.web.url(path)] if path else rows

    def body(self, row):
        data = self.place.read(row["file"], row["file_offset"], row["file_length"])
        return read_response(data, row["record_id"], 10_000_000).body


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is the same on both databases is tested on one."""
