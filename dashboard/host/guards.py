"""The host's decorators, such as ``login_required``, around every view of Activity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@contextmanager
def guarded(app: Flask, decorators: Sequence[Decorator]) -> Iterator[None]:
    """Decorate all views that are added to a server in this context.

    This covers views added by Dash and by blueprints, so that none can be forgotten. As
    with :class:`flask.views.View`, the last decorator of the list is the outermost.
    """
    before = set(app.view_functions)
    yield
    for endpoint in app.view_functions.keys() - before:
        view: Callable[..., Any] = app.view_functions[endpoint]
        for decorator in decorators:
            view = decorator(view)
        app.view_functions[endpoint] = view
