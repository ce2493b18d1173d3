"""Isolate the page from the global state of Dash, which all apps of a process share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dash import _callback, _get_app, _get_paths, _pages


@contextmanager
def isolated_from_other_dash_apps() -> Iterator[None]:
    """Keep an app made in this context away from the global state of other Dash apps.

    Dash gives callbacks of the global ``dash.callback`` to the app that is set up next,
    and ``dash.get_app()`` and ``dash.get_relative_path()`` refer to the app that was made
    last. An app made in this context takes no part in either.
    """
    callbacks = _callback.GLOBAL_CALLBACK_MAP
    lists = (_callback.GLOBAL_CALLBACK_LIST, _callback.GLOBAL_INLINE_SCRIPTS)
    saved_callbacks, saved_lists = callbacks.copy(), [items.copy() for items in lists]
    last_app, last_paths = _get_app.APP, _get_paths.CONFIG
    callbacks.clear()
    for items in lists:
        items.clear()
    try:
        yield
    finally:
        callbacks.update(saved_callbacks)
        for items, content in zip(lists, saved_lists, strict=True):
            items[:] = content
        _get_app.APP = last_app
        _get_paths.CONFIG = _pages.CONFIG = last_paths
