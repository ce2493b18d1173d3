"""Requests of the page's callback, checked before Dash works on them.

Anybody who can reach the server can post to it. A request is replaced by what the page
itself would have sent, or refused: the body is limited, the parts that Dash reads are those
of a registered callback, and each value has passed its reader of
:mod:`dashboard.page.submitted`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from io import BytesIO
from typing import Any

from flask import Response, request
from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.wsgi import get_input_stream

from aggregator.errors import ParameterError
from dashboard.http_responses import error_response, json_error
from dashboard.page.submitted import read_submitted

LARGEST_BODY = 128 * 1024
"""Bytes. The page's own requests have a few kilobytes, with 500 ids in each place 40."""

CallbackMap = Mapping[str, Mapping[str, Any]]


def checked(view: Callable[[], Any], callbacks: Callable[[], CallbackMap]) -> Callable[[], Any]:
    """Wrap Dash's view of callbacks, so that it only sees requests that the page could send.

    Others are answered in JSON: 413 if the body is too large, else 400 with the reason.

    Args:
        view: Dash's view.
        callbacks: Returns the registered callbacks by the text that names their outputs.
    """

    @wraps(view)
    def answer() -> Any:
        try:
            _limit_body()
            body = request.get_json()
            if not isinstance(body, dict):
                raise ParameterError("body", type(body).__name__, "a JSON object")
            # Flask keeps the object, so Dash reads what is put into it here.
            replaced = _replaced(body, callbacks())
        except RequestEntityTooLarge:
            return json_error(f"the body is too large; expected at most {LARGEST_BODY} bytes", 413)
        except UnsupportedMediaType:
            return json_error("the body has another type; expected application/json", 415)
        except (ParameterError, BadRequest, RecursionError) as wrong:
            return _refusal(wrong)
        body.clear()
        body.update(replaced)
        return view()

    return answer


def _limit_body() -> None:
    """Read at most :data:`LARGEST_BODY` bytes of the request, however long it says it is.

    Raises:
        RequestEntityTooLarge: There are more.
    """
    environ = request.environ
    if (request.content_length or 0) > LARGEST_BODY:
        raise RequestEntityTooLarge
    if request.content_length is None:
        # Sent in chunks: the server may tell where they end, but not how many there are.
        content = get_input_stream(environ, max_content_length=LARGEST_BODY).read()
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(content), str(len(content))


def _refusal(wrong: Exception) -> Response:
    if isinstance(wrong, ParameterError):
        return error_response(wrong)
    if isinstance(wrong, ClientDisconnected):
        return json_error("the request ended too early", 400)
    return json_error("the body is not JSON that the page would send", 400)


def _replaced(body: Mapping[str, Any], callbacks: CallbackMap) -> dict[str, Any]:
    """Return the body that the page would have sent.

    Raises:
        ParameterError: It would have sent none such.
    """
    output = body.get("output")
    callback = callbacks.get(output) if isinstance(output, str) else None
    if callback is None or "callback" not in callback:
        raise ParameterError("output", output, "the outputs of a callback of the page")
    inputs = _inputs(body.get("inputs"), callback["inputs"])
    names = [f"{item['id']}.{item['property']}" for item in inputs]
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(name in names for name in changed):
        raise ParameterError("changedPropIds", changed, "a list of inputs of the callback")
    return {
        "output": output,
        "outputs": [
            {"id": part.component_id, "property": part.component_property}
            for part in callback["output"]
        ],
        "inputs": inputs,
        "state": [],
        "changedPropIds": [name for name in names if name in changed],
    }


def _inputs(given: Any, expected: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not isinstance(given, list) or len(given) != len(expected):
        raise ParameterError("inputs", given, f"a list of {len(expected)} inputs")
    inputs = []
    for item, known in zip(given, expected, strict=True):
        place = {"id": known["id"], "property": known["property"]}
        if not isinstance(item, dict) or any(item.get(name) != place[name] for name in place):
            raise ParameterError("inputs", item, "the callback's inputs in their order")
        value = read_submitted(f"{known['id']}.{known['property']}", item.get("value"))
        inputs.append({**place, "value": value})
    return inputs
