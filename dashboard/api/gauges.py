"""Monitoring data as Prometheus metrics. Pure: a snapshot in, metric families out.

All metrics are gauges, even the counts: a counter may only grow, but what is read from the
database shrinks whenever metrics are pruned or a project is deleted. Prometheus would take
that for a restart, and ``rate()`` would show turns that never happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily

from aggregator.metrics.measures import MEASURES
from aggregator.query.monitoring import MonitoringSnapshot, ProjectSnapshot

Samples = list[tuple[tuple[str, ...], float | None]]
"""Values by their labels; None if there is no value."""


class _Gauge(NamedTuple):
    labels: tuple[str, ...]
    help: str


_OF_WINDOW = ("project_id", "project", "window")
_WINDOWS = (
    "in the last whole UTC hour (window=hour) or in the last 24 UTC hours, the running one "
    "included (window=day)"
)
_GAUGES = {
    **{
        measure.gauge: _Gauge(
            _OF_WINDOW, f"{measure.label} of a project {_WINDOWS}. {measure.description}"
        )
        for measure in MEASURES
    },
    "activity_agents": _Gauge(
        ("project_id", "project", "state"),
        "Agents of a project by what they do now, such as working or waiting for a person.",
    ),
    "activity_last_pass_timestamp_seconds": _Gauge(
        (), "When the metrics were last brought up to date, in seconds since 1970."
    ),
    "activity_last_pass_age_seconds": _Gauge(
        (), "Time since the metrics were last brought up to date."
    ),
    "activity_last_pass_duration_seconds": _Gauge(
        (), "How long it took to bring the metrics up to date the last time."
    ),
    "activity_lag_seconds": _Gauge(
        (), "How much newer the newest turn is than the metrics; 0 where none is newer."
    ),
    "activity_import_files": _Gauge((), "Transcripts found so far."),
    "activity_import_lines": _Gauge((), "Lines of transcripts read so far."),
    "activity_import_skipped_lines": _Gauge(
        ("kind",),
        "Lines of transcripts that could not be used, by what is wrong with them; a whole file "
        "that could not be read counts as one.",
    ),
}


def described() -> dict[str, GaugeMetricFamily]:
    """Return every metric by its name, without values."""
    return {
        name: GaugeMetricFamily(name, gauge.help, labels=gauge.labels)
        for name, gauge in _GAUGES.items()
    }


def measured(monitoring: MonitoringSnapshot) -> list[GaugeMetricFamily]:
    """Return the metrics that have values: no value is better than a wrong one."""
    families = described()
    samples = {
        **_of_projects(monitoring.projects),
        **_of_passes(monitoring),
        **_of_import(monitoring),
    }
    for name, values in samples.items():
        for labels, value in values:
            if value is not None:
                families[name].add_metric(labels, value)
    return [family for family in families.values() if family.samples]


def _of_projects(projects: Iterable[ProjectSnapshot]) -> dict[str, Samples]:
    # Labels have the id and the name: names need not be unique, and may change.
    counted = [
        ((str(project.id), project.name, window), numbers)
        for project in projects
        for window, numbers in project.counted.items()
    ]
    return {
        **{
            measure.gauge: [(of, numbers[measure.column]) for of, numbers in counted]
            for measure in MEASURES
        },
        "activity_agents": [
            ((str(project.id), project.name, state), agents)
            for project in projects
            for state, agents in project.agents.items()
        ],
    }


def _of_passes(monitoring: MonitoringSnapshot) -> dict[str, Samples]:
    at = monitoring.last_pass_at
    return {
        "activity_last_pass_timestamp_seconds": [((), at.timestamp() if at else None)],
        "activity_last_pass_age_seconds": [
            ((), (monitoring.as_of - at).total_seconds() if at else None)
        ],
        "activity_last_pass_duration_seconds": [((), monitoring.last_pass_seconds)],
        "activity_lag_seconds": [((), monitoring.lag_seconds)],
    }


def _of_import(monitoring: MonitoringSnapshot) -> dict[str, Samples]:
    if monitoring.imported is None:
        return {}
    skipped = monitoring.imported["skipped"]
    return {
        "activity_import_files": [((), monitoring.imported["files"])],
        "activity_import_lines": [((), monitoring.imported["lines"])],
        "activity_import_skipped_lines": [((kind,), count) for kind, count in skipped.items()],
    }
