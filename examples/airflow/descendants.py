"""Find and end everything that a process has started, however far it has moved away.

Children of children may leave their process group, start a session, or outlive their parent. Three signs are put
together: the tree of processes, the session that a process was started in, and a mark in the environment, which every
program hands on.

As a program, `python -m examples.airflow.descendants MARK`, this is the guard of `Processes`: it reads from standard
input the ids of what was started, and ends all of it if the input breaks off before the line `done`, which means that
the program that wrote it was killed.
"""

import os
import sys
from collections.abc import Collection
from contextlib import suppress

import psutil

MARK = "STARTED_BY"
"""The variable of the environment that holds the mark; a mark stands for all that begin with it, too."""

GUARD_GRACE = 10.0
"""Seconds that processes get to end by themselves once their parent was killed."""


def find_processes(roots: Collection[int], mark: str) -> list[psutil.Process]:
    """Return these processes and all that descend from them, parents first, the caller left out."""
    processes: dict[int, psutil.Process] = {}
    for pid in roots:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            processes |= {process.pid: process for process in (process, *process.children(recursive=True))}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) in roots or process.environ().get(MARK, "").startswith(mark):
                processes.setdefault(process.pid, process)
    processes.pop(os.getpid(), None)
    return list(processes.values())


def end_processes(roots: Collection[int], mark: str, grace: float) -> None:
    """End these processes and their descendants: asked first, and made to after ``grace`` seconds."""
    members = find_processes(roots, mark)
    for process in members:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(members, timeout=grace)
    kill_processes(roots, mark)


def kill_processes(roots: Collection[int], mark: str) -> None:
    """Kill them at once, and what they had time to start meanwhile."""
    while left := [process for process in find_processes(roots, mark) if is_alive(process)]:
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process has not ended, be its parent told of it or not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def guard(mark: str) -> None:
    """Read the ids of processes, one a line, and end them when the input ends without ``done``."""
    roots: set[int] = set()
    for line in sys.stdin:
        if line.strip() == "done":
            return
        roots.add(int(line))
    end_processes(roots, mark, GUARD_GRACE)


if __name__ == "__main__":
    guard(sys.argv[1])
