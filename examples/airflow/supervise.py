"""Processes that start together and end together, and the settings under which Airflow runs from the checkout.

Shared by the scripts of this folder. Each process has a session of its own: Ctrl-C reaches this program only, which
then ends the others in order. `airflow standalone` does not do that: stopped by SIGTERM it leaves its children behind.
Where this program is killed, a guard beside it ends them.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import psutil

from examples.airflow.descendants import MARK, end_processes, find_processes, kill_processes

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
"""Where `airflow` and `news` of the same environment are; not resolved, for python there is a link out of it."""

LOOPBACK = "127.0.0.1"
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 20.0
"""Seconds that processes get to end by themselves: a run that is interrupted gives its claims back first."""


class ScriptError(Exception):
    """It cannot go on; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Started:
    """A process of ours."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    mark: str
    """What the environment of all that it starts holds."""
    again: Callable[[], "Started"]
    """Starts the same command anew, with the same name and settings."""


class Processes:
    """The processes of one program, ended in reverse order when the ``with`` block is left, however it is left."""

    def __init__(self, logs: Path, grace: float = GRACE) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._grace = grace
        self._started: list[Started] = []
        self._mark = uuid.uuid4().hex
        self._count = 0
        self._guard: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start the guard, which ends what is left where this program cannot do so itself."""
        command = [sys.executable, "-m", "examples.airflow.descendants", self._mark]
        self._guard = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True, start_new_session=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._started:
            process = self._started.pop()
            end_processes({process.popen.pid}, process.mark, self._grace)
            process.popen.wait()
        self._tell_guard("done")
        if self._guard:
            self._guard.wait()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        stdin: str = "",
        user: str | None = None,
    ) -> Started:
        """Start a process whose output goes to a file of its name; ``stdin`` is what it reads there."""
        self._count += 1
        log, mark = self._logs / f"{name}.log", f"{self._mark}:{self._count}:{name}:"
        with log.open("ab") as output, tempfile.TemporaryFile() as given:
            given.write(stdin.encode())
            given.seek(0)
            popen = subprocess.Popen(
                [str(word) for word in command],
                cwd=ROOT,
                env={**environment, MARK: mark},
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
            )
        again = partial(self.start, name, command, environment, stdin=stdin, user=user)
        self._started.append(Started(name, popen, log, mark, again))
        self._tell_guard(str(popen.pid))
        return self._started[-1]

    def kill(self, process: Started) -> None:
        """Kill a process with everything that it started, at once, as a power cut would."""
        self._started.remove(process)
        kill_processes({process.popen.pid}, process.mark)
        process.popen.wait()

    def forget(self, process: Started) -> None:
        """Take no more notice of a process that has ended by itself, once what it left behind is ended, too."""
        self._started.remove(process)
        kill_processes({process.popen.pid}, process.mark)

    def leave(self) -> list[Started]:
        """Let all of them outlive this program, guard and all; returns them in the order of their start."""
        left, self._started = self._started, []
        return left

    def members(self) -> list[psutil.Process]:
        """All that it has started, with all that these have."""
        return find_processes({process.popen.pid for process in self._started}, self._mark)

    def _tell_guard(self, line: str) -> None:
        if self._guard and self._guard.stdin:
            with suppress(BrokenPipeError):  # somebody has ended the guard: then it is no longer needed
                print(line, file=self._guard.stdin, flush=True)

    def check(self) -> None:
        """Raise `ScriptError` when one of them has ended by itself."""
        for process in self._started:
            if process.popen.poll() is not None:
                raise ScriptError(f"{process.name} ended with code {process.popen.returncode}:\n{tail(process.log)}")

    def wait_for(self, what: str, is_ready: Callable[[], bool], timeout: float) -> None:
        """Return once the answer is yes; raise `ScriptError` when that takes too long or a process ends."""
        end_at = time.monotonic() + timeout
        while not is_ready():
            self.check()
            if time.monotonic() > end_at:
                raise ScriptError(f"{what}: not ready within {timeout:g} s; see {self._logs}/")
            time.sleep(0.3)


def run(command: Sequence[str | Path], environment: Mapping[str, str], log: Path | None = None) -> str:
    """Run a command to its end and return what it printed; raise `ScriptError`, with its last lines, when it failed."""
    answer = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if log else subprocess.PIPE,
        text=True,
        check=False,
    )
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(answer.stdout, "utf-8")
    if answer.returncode:
        output = "\n".join(((answer.stdout or "") + (answer.stderr or "")).splitlines()[-15:])
        name = " ".join([Path(command[0]).name, *map(str, command[1:])])
        where = f" (all of it in {log})" if log else ""
        raise ScriptError(f"`{name}` failed with code {answer.returncode}{where}:\n{output}")
    return answer.stdout


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a file."""
    return "\n".join(path.read_text("utf-8", "replace").splitlines()[-lines:])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether nothing listens on the port."""
    with socket.socket() as probe:
        # As servers do: a port that was closed a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether the URL is answered with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def airflow_environment(home: Path, environ: Mapping[str, str], **more: str) -> dict[str, str]:
    """The environment of Airflow run from the checkout; what the caller's environment sets itself is left as it is."""
    # Compiled modules halve the time of each command; some machines switch them off.
    kept = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own = {
        "AIRFLOW_HOME": str(home),
        # Airflow starts its own commands by name.
        "PATH": f"{BIN}{os.pathsep}{environ.get('PATH', os.defpath)}",
    }
    defaults = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "dags" / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__API__WORKERS": "1",
    }
    return {**defaults, **kept, **own, **more}


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into what Ctrl-C raises, so that ``with`` blocks are left in order.

    SIGINT too: a shell that starts a program in the background has it ignore that.
    """

    def interrupt(number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
