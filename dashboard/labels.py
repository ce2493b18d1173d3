"""Labels of metrics and states."""

from __future__ import annotations

from aggregator.metrics.measures import MEASURES
from aggregator.query.agent_states import IDLE, WAITING, WORKING

TURNS = "turns"
TURN_TIME = "turn-time"
AGENTS = "agents"

MEASURE = {measure.name: measure for measure in MEASURES}
"""Measures by the name that addresses and options have for them."""

LABELS = {measure.name: measure.label for measure in MEASURES}

PATTERN_LABELS = {
    measure.name: f"{measure.label} per hour" if measure.combine == "sum" else measure.label
    for measure in MEASURES
}
"""Labels of the mean of an hour."""

STATE_LABELS = {WORKING: "working", WAITING: "waiting for input", IDLE: "idle"}
