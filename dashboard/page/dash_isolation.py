"""What Dash keeps once per process, though a process may hold several Dash apps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dash import _callback, _get_app, _get_paths, _pages


@contextmanager
def isolated_from_other_dash_apps() -> Iterator[None]:
    """Leave to a host's own Dash apps what belongs to them.

    Dash gives callbacks of the global ``dash.callback`` to whichever app is set up
    next, and lets the app that was made last answer ``dash.get_app()`` and
    ``dash.get_relative_path()``. An app made in this context does neither.
    """
    callbacks = _callback.GLOBAL_CALLBACK_MAP
    lists = (_callback.GLOBAL_CALLBACK_LIST, _callback.GLOBAL_INLINE_SCRIPTS)
    retained, kept_lists = callbacks.copy(), [items.copy() for items in lists]
    last_app, last_paths = _get_app.APP, _get_paths.CONFIG
    callbacks.clear()
    for items in lists:
        items.clear()
    try:
        yield
    finally:
        callbacks.update(retained)
        for items, content in zip(lists, kept_lists, strict=True):
            items[:] = content
        _get_app.APP = last_app
        _get_paths.CONFIG = _pages.CONFIG = last_paths
