"""Who holds a lease: a name that tells, on the same machine, whether the holder still lives."""

import os
import secrets
import socket
from dataclasses import dataclass, replace
from pathlib import Path

import psutil


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
        return cls(_machine(), os.getpid(), _started(os.getpid()) or "", secrets.token_hex(4))

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
    return owner is not None and owner.machine == _machine() and _started(owner.pid) != owner.started


def is_of_this_process(signature: str) -> bool:
    """Whether a worker of this process signed so."""
    owner, process = LeaseOwner.parse(signature), LeaseOwner.new()
    return owner is not None and replace(owner, run=process.run) == process


def _started(pid: int) -> str | None:
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return ""


def _machine() -> str:
    # The host name alone is not enough: "localhost" is the name of many machines that may share one database.
    # The boot id tells machines apart, the host name tells the containers of one machine apart.
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}/{boot.read_text().strip()[:8] if boot.is_file() else ''}"
