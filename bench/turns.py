"""Two programs measured as if at once: each runs for a second or two, while the other is stopped, in turn.

What a core does in a second differs by a tenth and more over minutes, where a machine is shared. Of programs that run
one after the other one may get all of the bad minutes; of these, each gets half of each.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

SLICE = 1.5
"""Seconds of a turn: what other work leaves in a core's caches is gone in a hundredth of it."""


def begin_measured() -> None:
    """To be called by such a program when it is about to begin: its time runs from here on, until it prints a line."""
    print("ready", flush=True)
    sys.stdin.readline()


def in_turns(*commands: Sequence[str]) -> list[dict[str, Any]]:
    """What each of these programs tells in its one line, a JSON object, with the ``seconds`` that it had.

    Raises:
        RuntimeError: one ended without a line.
    """
    programs = [_Program(command) for command in commands]
    try:
        for program in programs:
            program.prepare()
        while waiting := [program for program in programs if not program.told]:
            for program in waiting:
                program.take_turn()
        return [program.told for program in programs]
    finally:
        for program in programs:
            program.end()


class _Program:
    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._command = command
        self._seconds = 0.0
        self._has_begun = False
        self.told: dict[str, Any] = {}

    def prepare(self) -> None:
        assert self._process.stdout
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{' '.join(self._command)} ended before it began")

    def take_turn(self) -> None:
        begun = time.perf_counter()
        if self._has_begun:
            os.killpg(self._process.pid, signal.SIGCONT)
        else:
            self._has_begun = True
            assert self._process.stdin
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        line = self._line_within(SLICE)
        self._seconds += time.perf_counter() - begun
        if line is None:
            os.killpg(self._process.pid, signal.SIGSTOP)
        elif line:
            self.told = json.loads(line) | {"seconds": self._seconds}
            self._process.wait()
        else:
            raise RuntimeError(f"{' '.join(self._command)} ended without a figure")

    def _line_within(self, seconds: float) -> str | None:
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return self._process.stdout.readline() if selector.select(seconds) else None

    def end(self) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
