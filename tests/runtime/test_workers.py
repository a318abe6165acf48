"""The processes that read documents: whom they belong to, what they load, and that they do not outlive their parent."""

import asyncio
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from pipeline.model import Response
from pipeline.runtime.workers import Workers
from tests.support.stories import article_page

ROOT = Path(__file__).resolve().parents[2]

# A program like `airflow`: it must be run once, and never be imported by the processes that it starts.
PROGRAM = """
import os, sys, time
print("main", flush=True)
from datetime import timedelta
from pipeline.runtime.workers import Workers

def start():
    pool = Workers(jobs=2, timeout=timedelta(seconds=300))._pool
    print("reader", pool.schedule(os.getpid).result(60), flush=True)
    return pool

if __name__ == "__main__":
    {body}
"""


@pytest.fixture
def program(tmp_path):
    """Starts a program with the given last lines; what is left of it is killed in the end."""
    started = []

    def start(body):
        path = tmp_path / "program.py"
        path.write_text(PROGRAM.format(body=body.replace("\n", "\n    ")))
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        popen = subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True, env=environment)
        started.append(popen)
        return popen

    yield start
    for popen in started:
        for process in [*psutil.Process(popen.pid).children(recursive=True), popen] if popen.poll() is None else []:
            process.kill()
        popen.stdout.close()
        popen.wait()


def test_readers_do_not_import_the_program_that_started_them(program):
    told, _ = program("pool = start(); pool.stop(); pool.join()").communicate(timeout=60)
    assert [line.split()[0] for line in told.splitlines()] == ["main", "reader"]


def test_readers_that_are_busy_end_with_a_parent_that_was_killed(program):
    running = program(
        "pool = start()\npool.schedule(time.sleep, args=(600,))\nprint('busy', flush=True); time.sleep(600)"
    )
    told = [running.stdout.readline() for _ in range(3)]
    assert told[-1] == "busy\n"
    readers = psutil.Process(running.pid).children(recursive=True)
    assert int(told[1].split()[1]) in {reader.pid for reader in readers}
    running.kill()
    running.wait()
    _, alive = psutil.wait_procs(readers, timeout=20)
    assert alive == []


def test_a_task_of_a_celery_worker_may_have_readers(program):
    """Celery's billiard replaces multiprocessing's current process with one that may have no children."""
    pytest.importorskip("billiard")
    told, _ = program(
        """import billiard
def task():
    pool = start()
    pool.stop()
    pool.join()
process = billiard.Process(target=task, daemon=True)
process.start()
process.join()"""
    ).communicate(timeout=60)
    assert "reader" in told


def test_the_loop_goes_on_while_the_readers_start(program):
    """They import for seconds: requests that wait meanwhile would run into their time-outs."""
    told, _ = program(
        """import asyncio
from pipeline.errors import FeedError
from pipeline.model import Response
from datetime import UTC, datetime
async def work():
    pauses = []
    async def tick():
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            pauses.append(time.monotonic() - began)
    answer = Response("http://a.example/", 200, {}, b"no feed", datetime.now(UTC), timedelta(0))
    async with Workers(2, timedelta(seconds=300)) as workers:
        ticking, began = asyncio.create_task(tick()), time.monotonic()
        try:
            await workers.parse(answer, answer.url)
        except FeedError:
            print("read", max(pauses) < (time.monotonic() - began) / 2, flush=True)
        ticking.cancel()
asyncio.run(work())"""
    ).communicate(timeout=120)
    assert told.splitlines() == ["main", "read True"]


def test_readers_that_are_about_to_start_end_too(program):
    told, _ = program(
        """import asyncio, psutil
from pipeline.model import Response
from datetime import UTC, datetime
async def work():
    answer = Response("http://a.example/", 200, {}, b"no feed", datetime.now(UTC), timedelta(0))
    async with Workers(2, timedelta(seconds=300)) as workers:
        reading = asyncio.create_task(workers.parse(answer, answer.url))
        await asyncio.sleep(0.05)
        reading.cancel()
    print("left", [p.pid for p in psutil.Process().children(recursive=True) if p.ppid() != os.getpid()], flush=True)
asyncio.run(work())"""
    ).communicate(timeout=120)
    assert told.splitlines() == ["main", "left []"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
@pytest.mark.parametrize(("setting", "heaps"), [(None, {1}), ("4", {3, 4})], ids=["by itself", "as it is told"])
def test_threads_share_one_heap_unless_it_is_set_otherwise(tmp_path, setting, heaps):
    told = tmp_path / "heaps.xml"
    program = """
import ctypes, sys, threading
from pipeline.runtime.heap import keep_to_one_arena
keep_to_one_arena()
together = threading.Barrier(3)
def work():
    held = bytes(5000)
    together.wait()
    held += bytes(5000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(2)]
[thread.start() for thread in threads]
together.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
together.wait()
"""
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    environment |= {"MALLOC_ARENA_MAX": setting} if setting else {}
    subprocess.run([sys.executable, "-c", program, told], env=environment, cwd=ROOT, check=True, timeout=60)
    assert told.read_text().count("<heap nr=") in heaps


def test_readers_look_for_circles_less_often(program):
    told, _ = program(
        "import gc\npool = start()\nprint(*pool.schedule(gc.get_threshold).result(60)); pool.stop(); pool.join()"
    ).communicate(timeout=60)
    assert told.splitlines()[-1] == "20000 20 20"


def test_a_process_that_starts_later_reads_by_the_rules_of_then(tmp_path):
    rule = tmp_path / "news.example.toml"
    response = Response("https://news.example/1", 200, {}, article_page(1).encode(), datetime.now(UTC), timedelta(0))

    async def read():
        async with Workers(1, timedelta(seconds=60), rules_dir=str(tmp_path)) as workers:
            first = await workers.extract(response, response.url, None)
            rule.write_text("no rule")
            for reader in psutil.Process().children(recursive=True):
                if not reader.children():
                    reader.kill()
            return first, await workers.extract(response, response.url, None)

    first, second = asyncio.run(read())
    assert first.text == second.text
