"""What a forked child must not share with its parent: connections, locks, threads.

Servers fork after the application was made (``gunicorn --preload``). Then two
processes would talk on one connection, and a thread or the holder of a lock would be
there in the parent only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

Owner = TypeVar("Owner")
_resets: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()


def in_forked_children(owner: Owner, reset: Callable[[Owner], object]) -> None:
    """Have ``reset(owner)`` called in each child that this process forks from now on.

    Args:
        owner: Who has something not to be shared; it is not kept alive by this.
        reset: Makes the owner let go of it, without closing what the parent uses. It
            must not refer to the owner itself.
    """
    _resets[owner] = reset


def _reset_all() -> None:
    for owner, reset in list(_resets.items()):
        reset(owner)


if hasattr(os, "register_at_fork"):  # Not on Windows, where nothing is forked.
    os.register_at_fork(after_in_child=_reset_all)
