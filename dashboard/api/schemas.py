"""JSON Schemas of the answers. All properties of an object are required, and no others exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from aggregator.intervals.kinds import KINDS
from aggregator.intervals.state import STATES
from aggregator.metrics.comparisons import Kind
from aggregator.metrics.freqs import FREQS
from aggregator.metrics.measures import AGENT_NUMBERS, MEASURES, Measure
from aggregator.metrics.scope import ORIGINS
from aggregator.metrics.windows import WindowName
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


def _quantiles(prefix: str, what: str) -> dict[str, Schema]:
    """Return the schemas of a median and of the 90th percentile."""
    return {
        f"{prefix}p50_seconds": _described(
            _nullable(NUMBER), f"Median time {what}, in seconds; null without any."
        ),
        f"{prefix}p90_seconds": _described(
            _nullable(NUMBER), f"90th percentile of the time {what}, in seconds."
        ),
    }


ABOUT: dict[str, Schema] = {
    "schema_version": {
        "const": SCHEMA_VERSION,
        "description": "Counted up when answers change in a way that their readers have to know.",
    },
    "window": {"enum": list(get_args(WindowName)), "description": "What was asked for."},
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
        "turns and time.",
    },
    "history": _list(ref("Bucket"), "The buckets with turns or time, oldest first."),
    "totals": ref("Totals"),
    "asking": _list(ref("Asking"), "Blocked time by what asked, most seconds first."),
    "compared_with": {
        "anyOf": [ref("Comparison"), {"type": "null"}],
        "description": "What is usual, or was before; null if nothing earlier is known, while no "
        "hour of the window is over, and for a range of your own. A week or a month is compared "
        "with offset.",
    },
}
NUMBERS_OF_TOTALS: dict[str, Schema] = {
    **{measure.column: _total(measure) for measure in MEASURES},
    "active_hours": _described(COUNT, "Hours with at least one turn."),
    "turn_rate": _described(NUMBER, "Turns per elapsed hour."),
    "turns_per_active_hour": _described(_nullable(NUMBER), "Turns per hour with turns."),
    "utilisation": _described(
        _nullable(NUMBER), "Working time by working, blocked and waiting time; null without."
    ),
    "exact_share": _described(
        _nullable(NUMBER), "Part of the working time that Claude Code has measured."
    ),
}

INTERVAL: dict[str, Schema] = {
    "started_at": _described(INSTANT_SCHEMA, "Its start, not before that of the window."),
    "ended_at": _described(INSTANT_SCHEMA, "Its end, exclusive, not after that of the window."),
    "seconds": _described(NUMBER, "Its length in seconds."),
    "kind": {"enum": list(KINDS), "description": "What the agent did."},
    "reason": _described(TEXT, "Why it is of this kind."),
    "tool": _described(_nullable(TEXT), "The tool that asked; null unless blocked."),
    "mode": _described(_nullable(TEXT), "The permission mode; null unless blocked."),
    "is_exact": {"type": "boolean", "description": "True if Claude Code has measured it."},
}

ORIGIN: Schema = {
    "enum": [*ORIGINS, None],
    "description": "Only agents that a person started, or only those that a program did; null for "
    "all.",
}

SCHEMAS: dict[str, Schema] = {
    "Overall": _object("All projects and agents.", origin=ORIGIN, **ABOUT, **HISTORY),
    "Project": _object("One project.", project_id=ID, origin=ORIGIN, **ABOUT, **HISTORY),
    "Agent": _object("One agent.", agent_id=ID, **ABOUT, **HISTORY),
    "Intervals": _object(
        "What one agent did with its time, without gaps.",
        agent_id=ID,
        **{name: schema for name, schema in ABOUT.items() if name != "freq"},
        sub_agent_seconds=_described(
            _nullable(NUMBER),
            "Time that its sub-agents worked, added up, in seconds; not in the working time. Null "
            "where signals of transcripts are not known.",
        ),
        intervals=_list(ref("Interval"), "Oldest first; they touch each other."),
    ),
    "Interval": _object("Time of one kind.", **INTERVAL),
    "Activity": _object(
        "Everybody, every project and every agent that had turns or time, in the same buckets.",
        **ABOUT,
        buckets=_list(
            INSTANT_SCHEMA, "Start of each bucket that is kept and has begun, oldest first."
        ),
        overall=ref("OverallSeries"),
        projects=_list(ref("ProjectSeries"), "Most turns first."),
        agents=_list(ref("AgentSeries"), "Most turns first."),
    ),
    "Bucket": _object("One bucket with turns or time.", **BUCKET),
    "Totals": _object(
        "A scope over the whole window.",
        **NUMBERS_OF_TOTALS,
        response_times=ref("ResponseTimes"),
        reaction_times=ref("ReactionTimes"),
    ),
    "ResponseTimes": _object(
        "Responses that ended in the window: runs that a person began and that are over.",
        count=_described(COUNT, "Responses."),
        **_quantiles("", "to the answer: working and blocked"),
        **_quantiles("active_", "worked"),
    ),
    "ReactionTimes": _object(
        "Answers of a person to the ends of runs, and to questions in them, that came up in the "
        "window. Not limited to 30 minutes.",
        count=_described(COUNT, "Answers."),
        **_quantiles("", "until the answer"),
    ),
    "Asking": _object(
        "Blocked time of one project, tool and permission mode.",
        project_id=ID,
        tool=_described(_nullable(TEXT), "Name of the tool; null if unknown."),
        mode=_described(_nullable(TEXT), "Permission mode of the session; null if unknown."),
        calls=_described(COUNT, "Calls that asked."),
        seconds=_described(NUMBER, "Their blocked time in the window, in seconds."),
    ),
    "Comparison": _object(
        "The window beside earlier ones, in whole hours that are over.",
        kind={
            "enum": list(get_args(Kind)),
            "description": "usual: the same weekday, or the same hours, of up to four weeks "
            "before. before: the window before.",
        },
        since=_described(INSTANT_SCHEMA, "Start of the part of the window that is compared."),
        until=_described(INSTANT_SCHEMA, "End of this part, exclusive."),
        totals=_described(ref("TotalNumbers"), "The totals of this part."),
        ranges=_list(ref("Range"), "The earlier times, newest first; one for before."),
        previous=_described(ref("Previous"), "The median of their totals."),
    ),
    "TotalNumbers": _object("A scope over a part of the window.", **NUMBERS_OF_TOTALS),
    "Range": _object(
        "A half-open range of time.",
        since=_described(INSTANT_SCHEMA, "Start."),
        until=_described(INSTANT_SCHEMA, "End, exclusive."),
    ),
    "Previous": _object(
        "Totals of earlier times: each number is the median of those that have it.",
        **{
            name: _described(_nullable(NUMBER), schema["description"])
            for name, schema in NUMBERS_OF_TOTALS.items()
        },
    ),
    "OverallSeries": _object("Everybody.", totals=ref("Totals"), **LISTS),
    "ProjectSeries": _object(
        "One project.", project_id=ID, name=TEXT, totals=ref("Totals"), **LISTS
    ),
    "AgentSeries": _object(
        "One agent.",
        agent_id=ID,
        project_id=ID,
        name=TEXT,
        origin=_described(
            _nullable(TEXT),
            "sdk, scheduled or background if a program started it; null if a person did, and on "
            "a host that does not say.",
        ),
        totals=ref("Totals"),
        **AGENT_LISTS,
    ),
    "Now": _object(
        "What all agents do that had a turn in the last 24 hours and have not ended.",
        schema_version=ABOUT["schema_version"],
        as_of=ABOUT["as_of"],
        waiting=_described(COUNT, "Agents that wait for a person."),
        agents=_list(ref("AgentNow"), "Who waits for a person first, the longest wait first."),
    ),
    "AgentNow": _object(
        "What one agent does now.",
        agent_id=ID,
        project_id=ID,
        name=TEXT,
        project=_described(TEXT, "Name of the project."),
        state={"enum": list(STATES), "description": "What it does."},
        since=_described(INSTANT_SCHEMA, "When that began; it does not move until it ends."),
        reason=_described(
            TEXT,
            "What it waits for (turn done, interrupted, question, plan, permission), what stopped "
            "it, or what began its work (person, machine, unknown).",
        ),
        tool=_described(_nullable(TEXT), "Tool that needs a permission; null if none or unknown."),
        is_long={"type": "boolean", "description": "True if it has waited for 30 minutes."},
        last_turn_at=_described(INSTANT_SCHEMA, "Instant of its last turn."),
    ),
    "Error": _object("What is wrong.", error=_described(TEXT, "Names it, and what is allowed.")),
}
