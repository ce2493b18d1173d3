"""The number of heaps that the threads of a server share."""

from __future__ import annotations

import ctypes

ARENA_MAX = -8
"""``M_ARENA_MAX`` of glibc's ``mallopt``, see malloc.h."""
HEAPS = 2


def limit_heaps() -> None:
    """Let all threads of this process share two heaps, where the C library is glibc.

    By default they have up to eight per processor, and each heap keeps what was needed in it
    once. Python's threads compute one at a time, so they gain nothing from that.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(ARENA_MAX, HEAPS)
