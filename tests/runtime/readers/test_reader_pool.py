"""The pool of processes: time-outs, deaths, replacement, what comes back."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from pipeline.runtime.readers.reader_pool import ReaderDiedError, ReaderPool


@pytest.fixture
def pool():
    pool = ReaderPool(2, max_calls=3)
    yield pool
    pool.stop()
    pool.join()


def test_calls_return_what_they_return_and_raise_what_they_raise(pool):
    assert pool.schedule(divmod, args=(7, 2)).result(60) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.schedule(divmod, args=(7, 0)).result(60)
    with pytest.raises(ValueError, match="invalid literal"):
        pool.schedule(int, args=("x",), kwargs={"base": 10}).result(60)


def test_a_call_that_takes_too_long_is_killed_and_the_next_goes_on(pool):
    pool.schedule(os.getpid).result(60)
    with pytest.raises(TimeoutError):
        pool.schedule(time.sleep, args=(600,), timeout=0.2).result(60)
    assert pool.schedule(abs, args=(-1,)).result(60) == 1


def test_a_call_whose_process_is_killed_for_anothers_sake_is_made_again(pool, tmp_path):
    died = tmp_path / "died"
    assert pool.schedule(die_once, args=(str(died),)).result(60) == "alive"
    assert died.exists()


def test_a_call_that_kills_its_process_is_given_up_at_the_second(pool):
    with pytest.raises(ReaderDiedError):
        pool.schedule(os._exit, args=(3,)).result(60)
    assert pool.schedule(abs, args=(-1,)).result(60) == 1


def test_a_process_is_replaced_after_so_many_calls(pool):
    readers = {pool.schedule(os.getpid).result(60) for _ in range(9)}
    assert len(readers) >= 3


def test_a_server_that_dies_is_replaced(pool):
    reader = pool.schedule(os.getpid).result(60)
    server = pool.schedule(os.getppid).result(60)
    os.kill(server, signal.SIGKILL)
    os.kill(reader, signal.SIGKILL)
    assert {pool.schedule(os.getppid).result(60) for _ in range(8)} - {server, 1}


def test_a_server_that_dies_before_it_forks_costs_no_call_a_try(pool):
    readers = {pool.schedule(os.getpid).result(60) for _ in range(2)}
    server = pool.schedule(os.getppid).result(60)
    os.kill(server, signal.SIGSTOP)  # the request for another process waits in its socket
    for reader in readers:
        os.kill(reader, signal.SIGKILL)
    calls = [pool.schedule(os.getpid) for _ in range(3)]
    time.sleep(0.3)
    os.kill(server, signal.SIGKILL)
    assert all(call.result(60) for call in calls)


def test_the_next_pool_has_the_server_of_the_one_before_and_none_of_its_readers(pool, tmp_path):
    server = pool.schedule(os.getppid).result(60)
    busy = pool.schedule(stay, args=(str(tmp_path / "busy"),))
    while not (busy.done() or (tmp_path / "busy").exists()):
        time.sleep(0.01)
    pool.stop()
    pool.join()
    following = ReaderPool(1, max_calls=3)
    assert following.schedule(os.getppid).result(60) == server
    left = {child.pid for child in psutil.Process(server).children() if child.status() != psutil.STATUS_ZOMBIE}
    assert left == {following.schedule(os.getpid).result(60)}
    following.stop()
    following.join()


def test_a_pool_with_a_folder_of_rules_has_a_server_of_its_own_which_ends_with_it(pool, tmp_path):
    server = pool.schedule(os.getppid).result(60)
    pool.stop()
    for _ in range(2):
        ruled = ReaderPool(1, 3, str(tmp_path))
        own = ruled.schedule(os.getppid).result(60)
        assert own != server
        ruled.stop()
        ruled.join()
        assert not psutil.pid_exists(own)


def test_what_cannot_be_sent_is_the_calls_failure(pool):
    with pytest.raises(Exception, match="pickle"):
        pool.schedule(lambda: 1).result(60)


def stay(path):
    """Tell by a file that this is called, and go on for long."""
    Path(path).touch()
    time.sleep(600)


def die_once(path):
    """Kill the process that runs this, unless one was killed before."""
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"
