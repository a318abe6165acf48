"""Ending a run in order: nothing new is begun, and what is on its way is stored first."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

SIGNALS = (signal.SIGTERM, signal.SIGINT)

T = TypeVar("T")


class Stop:
    """Whether a run is to end.

    Attributes:
        signal: the one that asked for it; None where nobody did.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._event = asyncio.Event()

    @property
    def is_asked(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._event.is_set()

    def ask(self, number: int) -> None:
        """Ask for it."""
        self.signal = number
        self._event.set()

    async def wait(self) -> None:
        """Wait until the run is to end."""
        await self._event.wait()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but no longer than until the run is to end."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._event.wait()


@contextmanager
def exit_by_signal(stop: Stop) -> Iterator[None]:
    """Exit as an interrupted process does when the run was ended by a signal, and leave its handlers as they were."""
    previous = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    except asyncio.CancelledError:
        if stop.signal is None:
            raise
    finally:
        for number, handler in previous.items():
            with suppress(ValueError):  # not in the main thread
                signal.signal(number, handler or signal.SIG_DFL)
    if stop.signal == signal.SIGINT:
        raise KeyboardInterrupt
    if stop.signal is not None:
        raise SystemExit(128 + stop.signal)


def start_task(group: asyncio.TaskGroup, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start work in a group; its caller ends as the tasks of the group do where that has failed meanwhile.

    A group that has failed raises RuntimeError for a task that is begun before its own cancellation arrives. Beside
    what the group failed of, that would look like a bug, and a service that outlives its database would end by it.

    Raises asyncio.CancelledError: the group has failed of something else, and starts nothing any more.
    """
    try:
        return group.create_task(work)
    except RuntimeError:
        work.close()
        raise asyncio.CancelledError from None
