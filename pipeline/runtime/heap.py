"""How this process asks the C library for memory."""

import atexit
import ctypes
import gc
import os
import sys
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def keep_to_one_arena() -> None:
    """Have this process take all its memory from one heap, as ``MALLOC_ARENA_MAX=1`` does; another number there holds.

    glibc gives each thread a heap of its own. Pages and articles go from thread to thread here, so that each of these
    heaps grows to what the largest pages took, and is half empty then. To be called before threads are started.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        with suppress(AttributeError, OSError, TypeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def search_cycles_less_often() -> None:
    """Have Python look for reference cycles after 20,000 new objects rather than 700, and not at all when it ends.

    Imports make half a million objects and leave hardly any cycles: looking for them, and once more before the end,
    took a third of the time of `news status`.
    """
    gc.set_threshold(20_000, 20, 20)
    atexit.unregister(_end_without_search)
    atexit.register(_end_without_search)


def _end_without_search() -> None:
    if "duckdb" not in sys.modules:  # it complains of leaks unless its cycles are found
        gc.freeze()
