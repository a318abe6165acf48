"""The raw archive at a server that speaks S3, on loopback; skipped where s3fs and moto are not installed.

They bring seventy packages, which nothing else here needs:  pip install s3fs 'moto[server]'
"""

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import fsspec
import pytest

from pipeline.archive.folder import WarcFolder
from pipeline.archive.member import is_sound, read_members
from pipeline.archive.writer import RotationLimits, WarcWriter
from pipeline.upkeep.archive_check import check_archive
from tests.support.captures import AT, capture
from tests.support.recording import on_sqlite
from tests.support.relay import Relay
from tests.support.stories import article_page

pytest.importorskip("s3fs", reason="s3fs is not installed")
server = pytest.importorskip("moto.server", reason="moto[server] is not installed")

LIMITS = RotationLimits(10**9, timedelta(days=1))
CAPTURES, SIZE = 4, 400_000


class Store:
    """A bucket, reached by way of a relay."""

    def __init__(self, port):
        self.relay = Relay(port)
        self.access = {"endpoint_url": f"http://127.0.0.1:{self.relay.port}", "key": "test", "secret": "test"}
        self.url = f"s3://bucket-{os.getpid()}-{self.relay.port}/news/raw"
        fsspec.config.conf["s3"] = self.access

    @property
    def environment(self):
        return os.environ | {f"FSSPEC_S3_{name.upper()}": value for name, value in self.access.items()}

    def close(self):
        self.relay.close()
        del fsspec.config.conf["s3"]


@pytest.fixture(scope="module")
def moto():
    threaded = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    threaded.start()
    yield threaded.get_host_and_port()[1]
    threaded.stop()


@pytest.fixture
def store(moto):
    store = Store(moto)
    yield store
    store.close()


def write_captures(url, spool):
    """A file of some megabytes that do not compress, finished and uploaded."""
    place = WarcFolder(url, spool)
    writer = WarcWriter(place, LIMITS, [("software", "test")], lambda: AT)
    for number in range(CAPTURES):
        body = random.Random(number).randbytes(SIZE)
        writer.write(capture(url=f"https://news.example/{number}", body=body), f"sha1:{number}", None)
    writer.close()


def records_at(place, name):
    with place.open(name) as stream:
        members = list(read_members(stream))
    assert all(is_sound(member) for member in members)
    assert members[-1].offset + members[-1].length == place.size(name)
    return [(member.record_id, member.type) for member in members]


@on_sqlite
def test_what_is_fetched_is_kept_there_and_read_from_there(kept, store):
    kept.settings = replace(kept.settings, archive_url=store.url)
    kept.serve_stories(1, 2)
    kept.ingest()
    first = kept.place.names()
    kept.serve_stories(3, feed="/two.xml")
    kept.ingest()
    files = {row["file"] for row in kept.copies()}
    assert set(kept.place.names()) == files
    assert len(files) == 2
    assert set(first) < files
    assert list(kept.place.folder.iterdir()) == []
    assert kept.body(kept.copies("/3")[0]).decode() == article_page(3)
    checked = check_archive(kept.engine, kept.place, repair=False)
    assert [(one.state, one.is_wrong) for one in checked] == [("finished", False)] * 2


@pytest.mark.parametrize("sent", [3_000, SIZE, CAPTURES * SIZE - 1], ids=["hardly any", "a part", "nearly all"])
def test_killed_in_the_middle_of_an_upload_nothing_is_lost(store, tmp_path, sent):
    place = WarcFolder(store.url, tmp_path / "spool")
    place.prepare()
    code = "import sys; from pathlib import Path; from tests.archive.test_s3 import write_captures; "
    code += "write_captures(sys.argv[1], Path(sys.argv[2]))"
    store.relay.hold_after(sent)
    process = subprocess.Popen([sys.executable, "-c", code, store.url, tmp_path / "spool"], env=store.environment)
    assert store.relay.is_held.wait(120)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    store.relay.let_go()
    (path,) = place.local()
    name = path.name
    before = records_at(place, name)
    assert len(before) == 1 + 2 * CAPTURES
    WarcWriter(place, LIMITS, []).upload()
    assert place.local() == []
    assert place.names() == [name]
    assert records_at(place, name) == before


def test_what_another_process_has_uploaded_is_seen_at_once(store, tmp_path):
    place = WarcFolder(store.url, tmp_path / "spool")
    place.prepare()
    assert place.names() == []
    code = "import sys; from pathlib import Path; from tests.archive.test_s3 import write_captures; "
    code += "write_captures(sys.argv[1], Path(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", code, store.url, tmp_path / "other"], env=store.environment, check=True)
    (name,) = place.names()
    rewritten = tmp_path / name
    with place.open(name) as stream:
        members = list(read_members(stream))
    rewritten.write_bytes(b"".join(member.data for member in members[:3]))
    code = "import sys; from pathlib import Path; from pipeline.archive.folder import WarcFolder; "
    code += "WarcFolder(sys.argv[1], Path(sys.argv[2])).replace(sys.argv[3], Path(sys.argv[4]))"
    words = [store.url, tmp_path / "other", name, rewritten]
    subprocess.run([sys.executable, "-c", code, *words], env=store.environment, check=True)
    assert place.size(name) == members[2].offset + members[2].length
    assert len(records_at(place, name)) == 3
    last = members[2]
    assert place.read(name, last.offset, last.length) == last.data
    place.remove(name)
    assert place.names() == []
