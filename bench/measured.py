"""Run one command and tell what it cost as a whole: time, CPU of every process that it started, and memory.

    python -m bench.measured --out cost.json [--limit 900] -- COMMAND [ARGUMENT …]

``time`` and ``getrusage`` count a process once its parent has waited for it. Processes of a fork server, and those
whose parent ended first, are children of nobody who waits; here they become children of this program (a subreaper,
see prctl(2)), which waits for all of them. So the figures are those of the kernel, and complete. Linux only.
"""

import argparse
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 0.25
LIMIT = 900.0
"""Seconds after which a command counts as one that does not end."""


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Attributes:
        seconds: from its start until it and all that it started had ended.
        cpu_seconds: user and system time of all of its processes.
        peak_mib: largest sum of their proportional memory (PSS), looked at four times a second: what processes share is
            counted once.
        code: its exit code.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    code: int


def measure(command: Sequence[str], *, environment: Mapping[str, str], log: Path, limit: float = LIMIT) -> Cost:
    """Run a command under this module in a process of its own, its output appended to ``log``.

    Raises:
        RuntimeError: it did not end within ``limit`` seconds.
    """
    told = log.with_name(f"{log.name}.cost")
    wrapped = [sys.executable, "-m", "bench.measured", "--out", str(told), "--limit", str(limit), "--", *command]
    with log.open("ab") as file:
        file.write(f"$ {' '.join(command)}\n".encode())
        file.flush()
        result = subprocess.run(wrapped, check=False, env=dict(environment), stdout=file, stderr=file)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} did not end within {limit:.0f} s; see {log}")
    return Cost(**json.loads(told.read_text()))


def _run(command: Sequence[str], limit: float) -> Cost:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    began, watch = time.perf_counter(), _MemoryWatch()
    process = subprocess.Popen(command)
    watch.start()
    try:
        code = process.wait(limit)
        _await_orphans(began + limit)
    except (subprocess.TimeoutExpired, TimeoutError):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.send_signal(signal.SIGKILL)
        raise
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, used.ru_utime + used.ru_stime, watch.end(), code)


def _await_orphans(ends_at: float) -> None:
    """Wait for what the command left behind: it came to us when its parent ended."""
    while time.perf_counter() < ends_at:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(0.01)
    raise TimeoutError


class _MemoryWatch(threading.Thread):
    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self._peak = 0

    def run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._peak = max(self._peak, sum(proportional_memory(psutil.Process().children(recursive=True))))

    def end(self) -> float:
        """Stop looking; the peak in MiB."""
        self._ended.set()
        self.join()
        return self._peak / 1024


def proportional_memory(processes: Iterable[psutil.Process]) -> Iterator[int]:
    """KiB of each process; what some of them share is counted once."""
    for child in processes:
        with suppress(OSError):  # it has just ended
            lines = Path(f"/proc/{child.pid}/smaps_rollup").read_text().splitlines()
            yield from (int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Measure the command of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="file for the figures, as JSON")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds within which the command has to end")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    options.out.write_text(json.dumps(asdict(_run(options.command, options.limit))))


if __name__ == "__main__":
    main()
