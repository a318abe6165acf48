"""`news status` on a terminal, looked at again and again."""

import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress

from tests.support.archive import Archive
from tests.support.command_line import News


def test_watch_draws_the_numbers_anew_until_it_is_interrupted(engine, database_url):
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example")
    ours, theirs = pty.openpty()
    env = os.environ | {"NEWS_DATABASE_URL": database_url, "TERM": "xterm", "COLUMNS": "120"}
    command = [sys.executable, "-m", "pipeline", "status", "--watch"]
    with subprocess.Popen(command, env=env, stdout=theirs, stderr=subprocess.STDOUT) as process:
        os.close(theirs)
        drawn = read_until(ours, b"stored 1")
        archive.store("https://one.example/b", site="one.example", text="Another text.")
        drawn += read_until(ours, b"stored 2")
        process.send_signal(signal.SIGINT)
        drawn += read_to_end(ours)  # before it is waited for: a terminal that nobody reads lets it write no last word
        assert process.wait() == 0
    os.close(ours)
    assert b"\x1b[?1049h" in drawn  # a screen of its own, so that what was there before comes back


def read_until(terminal, text):
    data = b""
    while text not in data:
        data += os.read(terminal, 65536)
    return data


def read_to_end(terminal):
    data = b""
    with suppress(OSError):  # what Linux says of a terminal whose other side is closed
        while more := os.read(terminal, 65536):
            data += more
    return data


def test_programs_are_told_to_ask_themselves(sqlite_url):
    assert "--watch is for people" in News(sqlite_url)("status", "--watch", "--json", code=2)


def test_delays_are_shown_for_each_feed(sqlite_url):
    assert News(sqlite_url).json("status", "--delays") == []
