"""JSON Schemas of the answers. All properties of an object are required, and no others exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aggregator.metrics.measures import AGENT_NUMBERS, MEASURES, Measure
from aggregator.metrics.series import FREQS
from dashboard.api.json_answers import SCHEMA_VERSION

Schema = dict[str, Any]


def _object(description: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def ref(name: str) -> Schema:
    """Return a reference to one of :data:`SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


INSTANT_SCHEMA: Schema = {"type": "string", "format": "date-time"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
TEXT: Schema = {"type": "string"}
ID: Schema = {"type": "integer"}


def _number(measure: Measure) -> Schema:
    return COUNT if measure.sql_type == "integer" else NUMBER


def _total(measure: Measure) -> Schema:
    number = _number(measure)
    return _described(
        _nullable(number) if measure.combine == "pooled" else number, measure.description
    )


def _in_a_bucket(measure: Measure) -> Schema:
    number = _total(measure)
    if measure.in_agent_rows:
        return number
    return _described(_nullable(number), f"{measure.description[:-1]}; null for an agent.")


def _in_each_bucket(measure: Measure) -> Schema:
    number = _number(measure)
    if measure.combine != "pooled":
        return _list(number, f"{measure.label} in each bucket.")
    return _list(_nullable(number), f"{measure.label} in each bucket, null without.")


def _each_number(schema: Callable[[Measure], Schema]) -> dict[str, Schema]:
    """Return the schemas of all numbers in order, including the weights of averages."""
    schemas: dict[str, Schema] = {}
    for measure in MEASURES:
        schemas[measure.column] = schema(measure)
        if measure.weight:
            is_list = schemas[measure.column]["type"] == "array"
            schemas[measure.weight.column] = (
                _list(COUNT, measure.weight.each)
                if is_list
                else _described(COUNT, measure.weight.description)
            )
    return schemas


ABOUT: dict[str, Schema] = {
    "schema_version": {
        "const": SCHEMA_VERSION,
        "description": "Counted up when answers change in a way that their readers have to know.",
    },
    "window": {"enum": ["day", "week", "month", "custom"], "description": "What was asked for."},
    "freq": {"enum": list(FREQS), "description": "The length of the buckets."},
    "tz": _described(TEXT, "The time zone of the instants."),
    "since": _described(INSTANT_SCHEMA, "Start of the window."),
    "until": _described(INSTANT_SCHEMA, "End of the window, exclusive."),
    "as_of": _described(INSTANT_SCHEMA, "The moment of the answer."),
    "kept_since": _described(
        INSTANT_SCHEMA, "What was earlier is no longer kept, and counts nowhere."
    ),
    "last_pass_at": _described(
        _nullable(INSTANT_SCHEMA),
        "When the metrics were last brought up to date; null before that.",
    ),
    "partial": {
        "type": "boolean",
        "description": "True while the numbers may still grow, because no pass has been made since "
        "the end of the window, and where some of the window is no longer kept.",
    },
}
BUCKET: dict[str, Schema] = {
    "bucket_start": _described(INSTANT_SCHEMA, "Start of the bucket."),
    **_each_number(_in_a_bucket),
}
LISTS = _each_number(_in_each_bucket)
AGENT_LISTS = {name: LISTS[name] for name in AGENT_NUMBERS}
HISTORY: dict[str, Schema] = {
    "current": {
        "anyOf": [ref("Bucket"), {"type": "null"}],
        "description": "The bucket that is still filling; null outside the window and without "
        "turns.",
    },
    "history": _list(ref("Bucket"), "The buckets with turns, oldest first."),
    "totals": ref("Totals"),
}

SCHEMAS: dict[str, Schema] = {
    "Overall": _object("All projects and agents.", **ABOUT, **HISTORY),
    "Project": _object("One project.", project_id=ID, **ABOUT, **HISTORY),
    "Agent": _object("One agent.", agent_id=ID, **ABOUT, **HISTORY),
    "Activity": _object(
        "Everybody, every project and every agent that had turns, in the same buckets.",
        **ABOUT,
        buckets=_list(
            INSTANT_SCHEMA, "Start of each bucket that is kept and has begun, oldest first."
        ),
        overall=ref("OverallSeries"),
        projects=_list(ref("ProjectSeries"), "Most turns first."),
        agents=_list(ref("AgentSeries"), "Most turns first."),
    ),
    "Bucket": _object("One hour, day or week with turns.", **BUCKET),
    "Totals": _object(
        "A scope over the whole window.",
        **{measure.column: _total(measure) for measure in MEASURES},
        active_hours=_described(COUNT, "Hours with at least one turn."),
        turn_rate=_described(NUMBER, "Turns per elapsed hour."),
        turns_per_active_hour=_described(_nullable(NUMBER), "Turns per hour with turns."),
    ),
    "OverallSeries": _object("Everybody.", totals=ref("Totals"), **LISTS),
    "ProjectSeries": _object(
        "One project.", project_id=ID, name=TEXT, totals=ref("Totals"), **LISTS
    ),
    "AgentSeries": _object(
        "One agent.", agent_id=ID, project_id=ID, name=TEXT, totals=ref("Totals"), **AGENT_LISTS
    ),
    "Error": _object("What is wrong.", error=_described(TEXT, "Names it, and what is allowed.")),
}
