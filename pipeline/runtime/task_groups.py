"""Tasks that are begun in a group which may be ending."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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
