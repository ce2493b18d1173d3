"""Measures: the numbers in ``activity_metrics`` for each hour and scope.

One row of :data:`TURN_MEASURES` or :data:`TIME_MEASURES` describes one column. Everything
that depends only on this description is derived from it: the model, the accepted types of
an adopted table, the staging table and COPY, dtypes, sums in SQL and pandas, the API with
its schema, CSV and Prometheus, and for measures of turns on the page the metric choice,
charts, tooltips, cards and tables. So a new summed measure needs a migration, its
computation in :mod:`aggregator.metrics.hourly`, and one row here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SqlType = Literal["integer", "double precision"]
Dtype = Literal["int64", "Int64", "float64"]
Unit = Literal["count", "seconds"]


@dataclass(frozen=True, slots=True)
class Weight:
    """The weight of an average: the number of values behind it.

    Attributes:
        column: Name of its column in frames, JSON and CSV. The table has no such column,
            because other columns imply it.
        description: A sentence for the API.
        each: A sentence for lists of the API, which have one number per bucket.
    """

    column: str
    description: str
    each: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of an hour and a scope.

    Attributes:
        name: Name in addresses and options, such as ``turn-time``.
        column: Name of its column in the table, in frames, JSON and CSV.
        sql_type: Type of the column in the table.
        combine: How hours, and agents of one hour, are combined. ``sum``: added up.
            ``pooled``: average over all values behind them, with equal weight.
            ``distinct``: counted again, because one agent may be in several hours.
            ``peak``: the highest of the hours; several scopes together need a count of
            their own, because their peaks may be at different instants.
        unit: Unit of the values; ``seconds`` are shown as durations such as ``1 min 24 s``.
        label: Name for people, capitalized: ``Average gap between turns``.
        noun: The counted thing, in the singular: ``turn``. Empty if nothing is counted.
        description: A sentence for the API.
        weight: The weight of a pooled measure.
        in_agent_rows: Whether rows of single agents have it; otherwise it is null there.
        required: Whether every row has it, so that a table without it cannot be adopted.
        gauge: Name of its gauge in Prometheus.
        default: Value in rows that were written before there was this measure; None for
            null.
    """

    name: str
    column: str
    sql_type: SqlType
    combine: Literal["sum", "pooled", "distinct", "peak"]
    unit: Unit
    label: str
    noun: str
    description: str
    gauge: str
    weight: Weight | None = None
    in_agent_rows: bool = True
    required: bool = False
    default: int | None = None

    @property
    def nullable(self) -> bool:
        """True if a row may have no value."""
        return self.combine == "pooled" or not self.in_agent_rows

    @property
    def dtype(self) -> Dtype:
        """Dtype of its column in a frame; a float is NaN for null in the table."""
        if self.sql_type == "double precision":
            return "float64"
        return "Int64" if self.nullable else "int64"

    @property
    def total_dtype(self) -> Dtype:
        """Dtype of its column where no value can be missing, except for averages."""
        return "float64" if self.sql_type == "double precision" else "int64"

    @property
    def columns(self) -> tuple[str, ...]:
        """Its column, and the column of its weight if it has one."""
        return (self.column, self.weight.column) if self.weight else (self.column,)


TURN_MEASURES: tuple[Measure, ...] = (
    Measure(
        name="turns",
        column="turn_count",
        sql_type="integer",
        combine="sum",
        unit="count",
        label="Turns",
        noun="turn",
        description="Turns.",
        gauge="activity_turns",
        required=True,
    ),
    Measure(
        name="turn-time",
        column="avg_turn_time_seconds",
        sql_type="double precision",
        combine="pooled",
        unit="seconds",
        label="Average gap between turns",
        noun="",
        description="Mean gap between two turns of an agent in one hour, in seconds; "
        "null without a gap.",
        gauge="activity_turn_time_seconds",
        weight=Weight(
            "gap_count",
            "Gaps behind the average: the weight to combine averages by.",
            "Gaps behind each average.",
        ),
    ),
    Measure(
        name="agents",
        column="active_agents",
        sql_type="integer",
        combine="distinct",
        unit="count",
        label="Active agents",
        noun="active agent",
        description="Distinct agents with at least one turn.",
        gauge="activity_active_agents",
        in_agent_rows=False,
    ),
)
"""Measures of turns: what was said, how often, and by how many agents."""


def _seconds(name: str, label: str, description: str) -> Measure:
    """One measure of time, in seconds."""
    column = f"{name.replace('-', '_')}_seconds"
    return Measure(
        name=name,
        column=column,
        sql_type="double precision",
        combine="sum",
        unit="seconds",
        label=label,
        noun="",
        description=description,
        gauge=f"activity_{column}",
        default=0,
    )


def _peak(name: str, label: str, noun: str, description: str) -> Measure:
    """One measure of how many agents did something at the same instant."""
    return Measure(
        name=f"peak-{name}",
        column=f"peak_{name}_agents",
        sql_type="integer",
        combine="peak",
        unit="count",
        label=label,
        noun=noun,
        description=description,
        gauge=f"activity_peak_{name}_agents",
        in_agent_rows=False,
    )


TIME_MEASURES: tuple[Measure, ...] = (
    _seconds("working", "Working", "Time in which agents worked, added up over them, in seconds."),
    _seconds(
        "blocked",
        "Blocked",
        "Time in which agents waited for an answer or a permission, added up, in seconds.",
    ),
    _seconds(
        "waiting",
        "Waiting",
        "Time from the end of a run to the next prompt of a person, at most 30 minutes each, "
        "added up, in seconds.",
    ),
    _seconds(
        "background",
        "In the background",
        "Time after the end of a run in which work that it had launched went on, in seconds.",
    ),
    _seconds(
        "stalled", "Stalled", "Time in runs of more than 10 minutes without a line, in seconds."
    ),
    _seconds("limited", "Limited", "Time from a usage limit to the next activity, in seconds."),
    _seconds(
        "exact", "Measured", "Part of the working time that Claude Code has measured, in seconds."
    ),
    _seconds(
        "response",
        "Response time",
        "Working and blocked time of the responses that ended in the hour, in seconds.",
    ),
    Measure(
        name="responses",
        column="responses",
        sql_type="integer",
        combine="sum",
        unit="count",
        label="Responses",
        noun="response",
        description="Runs that a person began and that ended in the hour.",
        gauge="activity_responses",
        default=0,
    ),
    _peak(
        "working",
        "Working at once",
        "agent",
        "Most agents that worked at the same instant.",
    ),
    _peak(
        "waiting",
        "Waiting at once",
        "agent",
        "Most agents that waited for a person at the same instant, blocked or after a run.",
    ),
)
"""Measures of time: what agents did, and how many at once."""

MEASURES = (*TURN_MEASURES, *TIME_MEASURES)
"""All measures, in the order of their columns in answers and tables."""

SUMMED = tuple(measure for measure in MEASURES if measure.combine == "sum")
POOLED = tuple(measure for measure in MEASURES if measure.combine == "pooled")
DISTINCT = tuple(measure for measure in MEASURES if measure.combine == "distinct")
PEAKS = tuple(measure for measure in MEASURES if measure.combine == "peak")

COLUMNS = tuple(measure.column for measure in MEASURES)
"""Columns of the table."""

NUMBERS = tuple(column for measure in MEASURES for column in measure.columns)
"""Columns of answers: those of the table, with the weight after each average."""

AGENT_NUMBERS = tuple(
    column for measure in MEASURES if measure.in_agent_rows for column in measure.columns
)
"""Columns of answers about single agents."""

DTYPES = {measure.column: measure.dtype for measure in MEASURES}

NUMBER_DTYPES = {
    column: measure.dtype if column == measure.column else "int64"
    for measure in MEASURES
    for column in measure.columns
}
