"""Whether the worker that signed a claim lives: by real processes that live, end, or cannot be judged from here."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.runtime.lease_owner import LeaseOwner, is_dead, is_of_this_process

SIGN = """
import sys
from pipeline.runtime.lease_owner import LeaseOwner
print(LeaseOwner.new(), flush=True)
sys.stdin.read()
"""


@contextmanager
def signing(*before):
    """A process that lives until its standard input is closed, and what it signs with."""
    command = [*before, sys.executable, "-c", SIGN]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as one:
        signature = one.stdout.readline().strip()
        if not signature and before:
            pytest.skip(f"not permitted here: {one.stderr.read()}")
        assert signature, one.stderr.read()
        yield one, signature
        one.kill()


def test_one_that_lives_is_not_dead_and_one_that_was_killed_is():
    with signing() as (process, signature):
        assert not is_dead(signature)
        assert not is_of_this_process(signature)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert is_dead(signature)


def test_one_that_has_ended_and_that_nobody_has_waited_for_is_dead():
    with signing() as (process, signature):
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(signature)


def test_one_in_another_pid_namespace_of_the_machine_is_not_judged_by_a_number_that_means_another_here():
    with signing("unshare", "--pid", "--fork", "--mount-proc") as (_, signature):
        assert LeaseOwner.parse(signature).pid == 1
        assert not is_dead(signature)


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="this is no Linux")
def test_the_start_is_counted_from_boot_which_no_step_of_the_clock_moves():
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert LeaseOwner.new().started == fields[19]
