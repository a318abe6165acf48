"""Answers on the disk: what a process that died has received is had by the next one, once, and nothing false is."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fetch.request_options import RequestOptions
from pipeline.fetch.response_journal import MAX_AGE, ResponseJournal, pack_capture, request_key, unpack_capture
from pipeline.model import Capture, FeedAccess, Validators

AT = datetime(2026, 3, 5, 10, 0, 0, 123456, tzinfo=UTC)
BEFORE = AT - timedelta(seconds=1)
KEY = request_key("http://news.example/1", RequestOptions("text/html").headers("us", "http://news.example/1"))


def answer(body=b"<p>\x00\xff\n</p>", **fields):
    given = {"url": "http://news.example/1", "status": 200, "phrase": "OK", "fetched_at": AT, "body": body}
    return Capture(**given | {"headers": ((b"Content-Type", "text/html; caf\u00e9".encode("latin-1")),)} | fields)


def opened(folder):
    inbox = ResponseJournal(folder)
    inbox.open()
    return inbox


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "inbox"


def test_what_a_run_that_died_has_received_is_had_once(folder):
    died = opened(folder)
    died.put(KEY, answer())
    died.close(is_done=False)
    one, other = opened(folder), opened(folder)
    had = one.take(KEY, BEFORE)
    assert had is not None
    assert (had.body, had.headers, had.fetched_at, had.is_again) == (answer().body, answer().headers, AT, True)
    assert other.take(KEY, BEFORE) is None


def test_who_has_it_and_dies_leaves_it_to_the_next(folder):
    for _ in range(3):
        inbox = opened(folder)
        inbox.put(KEY, answer()) if inbox.take(KEY, BEFORE) is None else None
        inbox.close(is_done=False)
    assert opened(folder).take(KEY, BEFORE) is not None


def test_what_a_living_run_holds_is_not_taken(folder):
    alive = opened(folder)
    alive.put(KEY, answer())
    assert opened(folder).take(KEY, BEFORE) is None


def test_a_process_that_is_killed_loses_its_lock_and_not_its_answers(folder):
    code = (
        "import sys, time; from tests.fetch.test_response_journal import *; from pathlib import Path\n"
        "inbox = opened(Path(sys.argv[1])); inbox.put(KEY, answer()); print('there', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"there\n"
    inbox = opened(folder)
    assert inbox.take(KEY, BEFORE) is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    inbox.sweep()
    assert inbox.take(KEY, BEFORE) is not None


def test_what_is_forgotten_or_done_is_not_had_again(folder):
    died = opened(folder)
    receipt = died.put(KEY, answer())
    died.forget([answer(), answer(receipt=receipt)])
    died.close(is_done=False)
    assert opened(folder).take(KEY, BEFORE) is None
    done = opened(folder)
    done.put(KEY, answer())
    done.close(is_done=True)
    assert opened(folder).take(KEY, BEFORE) is None


def test_an_answer_from_before_what_is_known_is_no_answer(folder):
    died = opened(folder)
    died.put(KEY, answer())
    died.close(is_done=False)
    assert opened(folder).take(KEY, AT) is None


@pytest.mark.parametrize("size", [0, 10, 200, 430])
def test_a_torn_file_is_no_answer(folder, size):
    died = opened(folder)
    receipt = died.put(KEY, answer(b"x" * 100))
    died.close(is_done=False)
    (file,) = folder.rglob(KEY)
    assert file.name in receipt
    os.truncate(file, min(size, file.stat().st_size - 1))
    assert opened(folder).take(KEY, BEFORE) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_none(junk):
    assert unpack_capture(junk) is None
    assert unpack_capture(pack_capture(answer(junk))).body == junk


def test_a_flipped_byte_is_noticed():
    data = bytearray(pack_capture(answer(b"body")))
    data[-1] ^= 1
    assert unpack_capture(bytes(data)) is None


def test_another_request_has_another_name():
    url = "http://news.example/1"
    access = FeedAccess("http://news.example", headers={"X-Key": "hush"})
    asked = [RequestOptions("text/html"), RequestOptions("text/xml"), RequestOptions("text/html", Validators('"1"'))]
    asked.append(RequestOptions("text/html", access=access))
    names = {request_key(url, one.headers("us", url)) for one in asked} | {
        request_key(url + "2", asked[0].headers("us", url))
    }
    assert len(names) == 5
    assert not any("hush" in name for name in names)


def test_what_nobody_wants_any_more_is_removed(folder):
    died = opened(folder)
    died.put(KEY, answer())
    died.close(is_done=False)
    (file,) = folder.rglob(KEY)
    old = time.time() - MAX_AGE.total_seconds() - 1
    os.utime(file, (old, old))
    opened(folder)
    assert not list(folder.rglob(KEY))


def test_a_folder_that_cannot_be_used_costs_the_safety_alone(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    inbox = opened(tmp_path / "file" / "inbox")
    assert inbox.put(KEY, answer()) is None
    assert inbox.take(KEY, BEFORE) is None
    inbox.forget([answer()])
    inbox.sweep()
    inbox.close(is_done=True)
    assert "inbox" in capsys.readouterr().out


def test_clearing_leaves_what_a_living_run_holds(folder):
    died, alive = opened(folder), opened(folder)
    died.put(KEY, answer())
    alive.put("other", answer())
    died.close(is_done=False)
    opened(folder).clear()
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["other"]


def test_others_may_not_read_it(folder):
    opened(folder).put(KEY, answer())
    (file,) = folder.rglob(KEY)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
