"""Clocks of CPU time, for a machine that is busy with other work: what the wall clock says there is of little use."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def cpu_clock(connection: Connection) -> Callable[[], float]:
    """A clock of the CPU seconds of this process and of the server's process for this connection.

    The latter counts where the server runs on this machine, and that is Linux.
    """
    if connection.dialect.name == "sqlite":
        return time.process_time
    file = Path(f"/proc/{connection.scalar(sa.text('SELECT pg_backend_pid()'))}/schedstat")

    def seconds() -> float:
        server = 0.0
        with suppress(OSError):
            server = int(file.read_text().split()[0]) / 1e9
        return time.process_time() + server

    return seconds
