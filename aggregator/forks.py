"""Reset connections, locks and threads in forked children.

Some servers fork after the application was created (``gunicorn --preload``). Without a
reset, two processes would use one connection, and a thread or the holder of a lock
would exist only in the parent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

Owner = TypeVar("Owner")
_resets: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()


def in_forked_children(owner: Owner, reset: Callable[[Owner], object]) -> None:
    """Call ``reset(owner)`` in each child that this process forks from now on.

    Args:
        owner: Object with something that must not be shared; only a weak reference to it
            is stored.
        reset: Makes the owner drop it, without closing what the parent uses. It must
            not refer to the owner itself.
    """
    _resets[owner] = reset


def _reset_all() -> None:
    for owner, reset in list(_resets.items()):
        reset(owner)


if hasattr(os, "register_at_fork"):  # Not on Windows, which has no fork.
    os.register_at_fork(after_in_child=_reset_all)
