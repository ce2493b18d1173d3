"""The API's description in OpenAPI 3.1, from which its readable page is made, too."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from dashboard.api.parameters import OF_SCOPE, PARAMETERS, WITHOUT_BUCKETS
from dashboard.api.schemas import SCHEMAS, Schema, ref

DESCRIPTION = (
    "Hourly metrics of agents: turns, and the time in which agents worked or waited for a person, "
    "of a project, an agent, or all together. A turn is one message; a gap is the time between "
    "two turns of one agent in one hour. Instants are ISO 8601 with their offset, times are "
    "seconds, rates are turns per hour. An answer has an ETag; with If-None-Match it is 304 until "
    "a pass or the next hour."
)
SCOPES = (
    ("/overall", "Overall", "All projects and agents", None),
    ("/projects/{project_id}", "Project", "One project", "project_id"),
    ("/agents/{agent_id}", "Agent", "One agent", "agent_id"),
    ("/agents/{agent_id}/intervals", "Intervals", "What one agent did with its time", "agent_id"),
    ("/activity", "Activity", "Everybody, every project and every agent in one answer", None),
)
PARAMETERS_OF = {"Overall": OF_SCOPE, "Project": OF_SCOPE, "Intervals": WITHOUT_BUCKETS}
"""Parameters of the endpoints that have others than most, by the schema of the answer."""
ERRORS = {
    "400": "A parameter cannot be used; the error names it and what is allowed.",
    "404": "No project or agent has this id.",
    "503": "The database does not answer, or is not ready.",
}


def openapi(server: str) -> dict[str, Any]:
    """Make the OpenAPI document.

    Args:
        server: Path of the API on this host.
    """
    paths: dict[str, Any] = {}
    for path, schema, summary, id_name in SCOPES:
        paths[path] = {"get": _operation(schema, summary, id_name, in_csv=False)}
        paths[f"{path}.csv"] = {
            "get": _operation(schema, f"{summary}, as CSV", id_name, in_csv=True)
        }
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Activity",
            "version": version("headspace-activity"),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "paths": {**paths, "/now": {"get": _now()}, "/prometheus": {"get": _prometheus()}},
        "components": {
            "schemas": SCHEMAS,
            "parameters": {name: _parameter(name) for name in OF_SCOPE},
        },
    }


def _operation(schema: str, summary: str, id_name: str | None, *, in_csv: bool) -> dict[str, Any]:
    errors = {code: text for code, text in ERRORS.items() if code != "404" or id_name}
    return {
        "operationId": f"{schema.lower()}{'_csv' if in_csv else ''}",
        "summary": summary,
        "parameters": [
            *([_path_id(id_name)] if id_name else []),
            *(
                {"$ref": f"#/components/parameters/{name}"}
                for name in PARAMETERS_OF.get(schema, PARAMETERS)
            ),
        ],
        "responses": {
            "200": {
                "description": summary,
                "headers": {"ETag": {"schema": {"type": "string"}, "required": True}},
                "content": _content(schema, in_csv=in_csv),
            },
            "304": {"description": "What If-None-Match names still holds."},
            **{code: _error(text) for code, text in errors.items()},
        },
    }


def _content(schema: str, *, in_csv: bool) -> dict[str, Any]:
    table: dict[str, Schema] = {"text/csv": {"schema": {"type": "string"}}}
    return table if in_csv else {"application/json": {"schema": ref(schema)}, **table}


def _error(description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": ref("Error")}}
    return {"description": description, "content": content}


def _path_id(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(name: str) -> dict[str, Any]:
    parameter = OF_SCOPE[name]
    return {
        "name": name,
        "in": "query",
        "schema": dict(parameter.schema),
        "description": parameter.description,
    }


def _now() -> dict[str, Any]:
    summary = "What all agents do now, since when and why"
    return {
        "operationId": "now",
        "summary": summary,
        "responses": {
            "200": {
                "description": summary,
                "headers": {"ETag": {"schema": {"type": "string"}, "required": True}},
                "content": {"application/json": {"schema": ref("Now")}},
            },
            "304": {"description": "What If-None-Match names still holds."},
            "503": _error(ERRORS["503"]),
        },
    }


def _prometheus() -> dict[str, Any]:
    return {
        "operationId": "prometheus",
        "summary": "The state of now, for Prometheus",
        "responses": {
            "200": {
                "description": "Its text format, or OpenMetrics.",
                "content": {
                    "text/plain": {"schema": {"type": "string"}},
                    "application/openmetrics-text": {"schema": {"type": "string"}},
                },
            },
            "503": _error(ERRORS["503"]),
        },
    }
