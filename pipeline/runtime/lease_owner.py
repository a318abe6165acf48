"""Who holds a lease: a name that tells, on the same machine, whether the holder still lives."""

import os
import re
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

UNKNOWN = ""
"""When a process started that is another user's, and hidden."""


@dataclass(frozen=True, slots=True)
class LeaseOwner:
    """One run of a worker.

    Attributes:
        started: when that process started, for process ids are used again.
        run: tells several runs of one process apart.
    """

    machine: str
    pid: int
    started: str
    run: str

    def __str__(self) -> str:
        return f"{self.machine}|{self.pid}|{self.started}|{self.run}"

    @classmethod
    def new(cls) -> "LeaseOwner":
        """An owner for a run of this process."""
        return cls(_machine(), os.getpid(), _started(os.getpid()) or UNKNOWN, secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> "LeaseOwner | None":
        """The owner that signed like this; None for a signature of another form."""
        match text.split("|"):
            case [machine, pid, started, run] if pid.isdecimal():
                return cls(machine, int(pid), started, run)
        return None


def is_dead(signature: str) -> bool:
    """Whether the worker that signed so surely lives no more; False where that cannot be known from here."""
    owner = LeaseOwner.parse(signature)
    if owner is None or owner.machine != _machine():
        return False
    started = _started(owner.pid)
    return started is None or (UNKNOWN not in (started, owner.started) and started != owner.started)


def is_of_this_process(signature: str) -> bool:
    """Whether a worker of this process signed so."""
    owner, process = LeaseOwner.parse(signature), LeaseOwner.new()
    return owner is not None and replace(owner, run=process.run) == process


def _started(pid: int) -> str | None:
    """When a process started, the same whenever it is asked; None where there is none, `UNKNOWN` where none may know.

    Linux counts from boot: a time of day would change with the clock, and make every worker look dead.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()  # proc(5): from the third on
        return None if fields[0] in "ZX" else fields[19]
    except OSError:
        pass  # it has gone, or is hidden from us, or this is no Linux
    try:
        if os.name == "posix":  # signal 0 asks whether it is there; elsewhere it would be ended
            os.kill(pid, 0)
        return f"{psutil.Process(pid).create_time():.2f}"
    except (ProcessLookupError, psutil.NoSuchProcess):
        return None
    except (PermissionError, psutil.AccessDenied):
        return UNKNOWN


def _machine() -> str:
    # The host name alone is not enough: "localhost" is the name of many machines that may share one database. The boot
    # id tells machines apart, and the number of the PID namespace containers: each counts its processes from 1.
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), ""
    with suppress(OSError):
        namespace = re.sub(r"\D", "", str(Path("/proc/self/ns/pid").readlink()))
    return f"{socket.gethostname()}/{boot.read_text().strip()[:8] if boot.is_file() else ''}/{namespace}"
