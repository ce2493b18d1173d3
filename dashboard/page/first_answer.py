"""The layout with the first answer in it, so that a browser draws the page once.

The address says which view it is. The viewer's time zone and colours, which only the browser
knows, come in headers: ``assets/first-answer.js`` asks for the layout as soon as the page
begins, while the other scripts are still on their way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from dash import no_update
from dash.development.base_component import Component
from flask import abort, has_request_context, request

from aggregator.errors import ParameterError
from aggregator.query.reader import MetricReader
from dashboard.context import Clock, PageContext
from dashboard.page import ids
from dashboard.page.callbacks import OUTPUTS, Choice, content
from dashboard.page.layout import build_layout
from dashboard.page.shared_contents import SharedContents
from dashboard.page.submitted import read_submitted
from dashboard.selection.answer import Viewer

VIEWER_HEADERS = {"zone": "X-Activity-Zone", "scheme": "X-Activity-Scheme"}
"""As in ``assets/first-answer.js``."""


def layout_maker(
    reader: MetricReader, contents: SharedContents, context: PageContext, now: Clock
) -> Callable[[], Component]:
    """Return the function that makes the layout for the current request.

    Outside of a request for it, such as when the page is mounted, it makes one without numbers.
    """

    def make_layout() -> Component:
        page = build_layout(context)
        if has_request_context() and request.path.endswith("/_dash-layout"):
            viewer, search = _asked()
            page[ids.VIEWER].data = viewer
            page[ids.URL].search = search
            choice = Choice(search, Viewer.of(viewer))
            fill(page, content(choice, reader, contents, now()))
        return page

    return make_layout


def _asked() -> tuple[dict[str, str], str]:
    """Return the viewer and the query of the address, as the current request has them."""
    given = {name: request.headers.get(header) for name, header in VIEWER_HEADERS.items()}
    query = request.query_string.decode("latin-1")
    try:
        search: str = read_submitted(f"{ids.URL}.search", f"?{query}" if query else "")
        viewer: dict[str, str] = read_submitted(f"{ids.VIEWER}.data", given)
    except ParameterError:
        abort(HTTPStatus.REQUEST_URI_TOO_LONG)
    return viewer, search


def fill(page: Component, values: Mapping[str, Any]) -> None:
    """Put a content into a layout.

    Args:
        page: Gets the values.
        values: By the names of :data:`dashboard.page.callbacks.OUTPUTS`.
    """
    # Dash would search the whole page for each of them.
    elements = {element.id: element for element in _within(page) if hasattr(element, "id")}
    for name, value in values.items():
        if value is not no_update:
            output = OUTPUTS[name]
            setattr(elements[output.component_id], output.component_property, value)


def _within(element: Component) -> Iterator[Component]:
    """Yield an element of the layout and all below it."""
    yield element
    children = getattr(element, "children", None)
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, Component):
            yield from _within(child)
