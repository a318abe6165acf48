"""Damage to our own files: what was whole before is whole after, and what is lost is counted and set aside."""

import errno
import gzip
from datetime import timedelta
from io import BytesIO
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.archive.folder import WarcFolder
from pipeline.archive.member import compute_digest, read_members
from pipeline.archive.rewrite import remove_records, repair_file
from pipeline.archive.scan import DamagedSpan, scan_members, survey_members
from pipeline.archive.warc import build_member, build_records, build_warcinfo
from pipeline.archive.writer import RotationLimits, WarcWriter
from pipeline.errors import ArchiveError
from tests.support.captures import AT, capture

NAME = "news-20261123123000-here-1-abcdef.warc.gz"
COUNT = 12


def build_file(count=COUNT):
    """A file of so many answers, and where each of them stands."""
    data, info = build_warcinfo(NAME, AT, [("software", "test")])
    known = {}
    for number in range(count):
        body = Random(number).randbytes(300 + 70 * number)
        records = build_records(capture(body=body), compute_digest(body), None, info)
        known[records.record_id] = (len(data), records.length)
        data += records.data
    return data, known


FILE, KNOWN = build_file()
WHOLE = {member.record_id: member.data for member in read_members(BytesIO(FILE))}
BLOCKS = {member.record_id: member.block for member in read_members(BytesIO(FILE))}


def zero(data, begin, length):
    return data[:begin] + bytes(len(data[begin : begin + length])) + data[begin + length :]


def cut_out(data, begin, length):
    return data[:begin] + data[begin + length :]


def scramble(data, begin, length):
    return data[:begin] + Random(begin).randbytes(len(data[begin : begin + length])) + data[begin + length :]


def insert(data, begin, length):
    return data[:begin] + Random(length).randbytes(length) + data[begin:]


def truncate(data, begin, length):
    return data[:begin]


DAMAGE = [zero, cut_out, scramble, insert, truncate]


def touched(damage, begin, length):
    """The records that the damage cannot have left whole, by what it changed."""
    if damage is insert:
        return {one for one, (at, size) in positions().items() if length and at < begin < at + size}
    end = len(FILE) if damage is truncate else begin + length
    return {one for one, (at, size) in positions().items() if length and at < end and begin < at + size}


def positions():
    return {member.record_id: (member.offset, member.length) for member in read_members(BytesIO(FILE))}


def folder_with(tmp_path_factory, data, name=NAME):
    folder = WarcFolder(str(tmp_path_factory.mktemp("raw")), tmp_path_factory.mktemp("spool"))
    (folder.folder / name).write_bytes(data)
    return folder


def aside(folder):
    return {path.name: path.read_bytes() for path in folder.folder.iterdir() if ".damaged-" in path.name}


ranges = st.tuples(st.sampled_from(DAMAGE), st.integers(0, len(FILE) - 1), st.integers(1, 2500))


@settings(max_examples=150, deadline=None)
@given(ranges)
@example((zero, 0, 50))
@example((zero, 2000, 200))
@example((zero, next(iter(KNOWN.values()))[0] + 9, 1))  # a byte that says on which system it was packed, and no more
@example((truncate, 10, 1))
def test_whatever_is_damaged_all_other_records_are_read(where):
    damage, begin, length = where
    data = damage(FILE, begin, length)
    pieces = list(scan_members(BytesIO(data), [at for at, _ in KNOWN.values()]))
    read = {piece.record_id: piece.block for piece in pieces if not isinstance(piece, DamagedSpan)}
    assert WHOLE.keys() - read.keys() <= touched(damage, begin, length)
    assert all(BLOCKS[record_id] == block for record_id, block in read.items())
    # Every byte is accounted for: it is a record's, or it is damage.
    assert sum(piece.length for piece in pieces) == len(data)
    survey = survey_members(BytesIO(data), KNOWN)
    assert survey.lost == KNOWN.keys() - read.keys()


@settings(max_examples=60, deadline=None)
@given(ranges, st.booleans())
@example((zero, 2000, 200), True)
@example((truncate, 0, 1), True)
def test_a_repair_keeps_what_is_whole_and_sets_aside_the_rest(tmp_path_factory, where, is_left):
    damage, begin, length = where
    data = damage(FILE, begin, length)
    folder = folder_with(tmp_path_factory, data, NAME + ".open" * is_left)
    pieces = scan_members(BytesIO(data), [at for at, _ in KNOWN.values()])
    before = {piece.record_id: piece.data for piece in pieces if not isinstance(piece, DamagedSpan)}
    with repair_file(folder, NAME, KNOWN) as survey:
        lost = survey.lost
    path = folder.folder / NAME
    after = {
        member.record_id: member.data for member in read_members(BytesIO(path.read_bytes() if path.exists() else b""))
    }
    assert after == before
    assert lost == KNOWN.keys() - before.keys()
    kept_bytes = sum(map(len, before.values())) + sum(map(len, aside(folder).values()))
    if is_left and not lost:
        assert kept_bytes <= len(data)  # a request behind the last answer may have been cut off as torn
    else:
        assert kept_bytes == len(data)
    assert {entry.name for entry in folder.folder.iterdir()} - aside(folder).keys() <= {NAME}


def test_a_record_within_a_page_is_not_taken_for_one_of_ours(tmp_path):
    forged = build_member(
        [("WARC-Type", "response"), ("WARC-Record-ID", "<urn:uuid:forged>")], b"HTTP/1.1 200 OK\r\n\r\n"
    )
    data, info = build_warcinfo(NAME, AT, [("software", "test")])
    page = build_records(capture(body=forged), "sha1:A", None, info)
    good = build_records(capture(), "sha1:B", None, info)
    stored = gzip.compress(gzip.decompress(page.data[: page.length]), 0)  # as the body stands in it uncompressed
    damaged = data + stored[:30] + b"\0" + stored[31:] + good.data
    assert forged in damaged
    survey = survey_members(BytesIO(damaged), {})
    assert [member.record_id for member in survey.answers] == [good.record_id]


def test_records_are_taken_out_of_a_damaged_file_and_nothing_else(tmp_path_factory):
    names = list(KNOWN)
    (offset, length), gone = KNOWN[names[5]], {names[5], names[2]}
    folder = folder_with(tmp_path_factory, zero(FILE, offset + 40, 20))
    remains = FILE[offset + 60 : offset + length]
    moved = remove_records(folder, NAME, gone, KNOWN)
    assert moved.keys() == KNOWN.keys() - gone
    data = (folder.folder / NAME).read_bytes()
    assert remains not in data
    for record_id, (at, size) in moved.items():
        assert data[at : at + size] == WHOLE[record_id]


def test_a_damaged_record_that_is_not_dropped_stays_where_it_is_noted(tmp_path_factory):
    names = list(KNOWN)
    offset, length = KNOWN[names[5]]
    folder = folder_with(tmp_path_factory, zero(FILE, offset + 40, 20))
    moved = remove_records(folder, NAME, {names[2]}, KNOWN)
    data = (folder.folder / NAME).read_bytes()
    at, size = moved[names[5]]
    assert data[at : at + size] == zero(FILE, offset + 40, 20)[offset : offset + length]


# ---------------------------------------------------------------- files that go while they are written to


def writer_in(path):
    return WarcWriter(WarcFolder(str(path), path), RotationLimits(10**9, timedelta(days=1)), [])


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_that_is_removed_while_it_is_written_to_is_an_error(tmp_path, what):
    writer = writer_in(tmp_path / "raw")
    writer.write(capture(), "sha1:A", None)
    (path,) = (tmp_path / "raw").iterdir()
    path.unlink()
    if what == "folder":
        path.parent.rmdir()
    with pytest.raises(ArchiveError, match="removed while"):
        writer.write(capture(), "sha1:A", None)
    with pytest.raises(ArchiveError, match="removed while"):
        writer.close()
    writer.close()  # and said once


class FailingDisk(WarcFolder):
    """A folder on a disk that cannot read behind so many bytes."""

    def open(self, name):
        return FailingStream(super().open(name).read())


class FailingStream(BytesIO):
    def read(self, size=-1):
        if self.tell() + size > 3000:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize(
    "work",
    [
        lambda folder: repair_file(folder, NAME, KNOWN).__enter__(),
        lambda folder: remove_records(folder, NAME, {next(iter(KNOWN))}, KNOWN),
        lambda folder: folder.read(NAME, 2900, 500),
    ],
    ids=["repair", "removal", "reading"],
)
def test_a_failing_disk_is_an_error_of_the_archive_and_changes_nothing(tmp_path_factory, work):
    folder = folder_with(tmp_path_factory, FILE)
    with pytest.raises(ArchiveError, match=r"abcdef\.warc\.gz.*Input/output error"):
        work(FailingDisk(folder.url, folder.folder))
    assert (folder.folder / NAME).read_bytes() == FILE


def test_a_folder_that_is_a_file_is_an_error_of_the_archive(tmp_path):
    (tmp_path / "raw").write_text("no folder")
    with pytest.raises(ArchiveError, match="raw archive"):
        writer_in(tmp_path / "raw").write(capture(), "sha1:A", None)
