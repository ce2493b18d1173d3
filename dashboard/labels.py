"""Labels of metrics and states."""

from __future__ import annotations

from aggregator.intervals.kinds import BACKGROUND, IDLE, LIMITED, STALLED, WAITING, WORKING
from aggregator.intervals.state import UNKNOWN_STATE
from aggregator.metrics.measures import TURN_MEASURES

TURNS = "turns"
TURN_TIME = "turn-time"
AGENTS = "agents"

MEASURE = {measure.name: measure for measure in TURN_MEASURES}
"""Measures by the name that addresses and options have for them."""

LABELS = {measure.name: measure.label for measure in TURN_MEASURES}

PATTERN_LABELS = {
    measure.name: f"{measure.label} per hour" if measure.combine == "sum" else measure.label
    for measure in TURN_MEASURES
}
"""Labels of the mean of an hour."""

EXPLANATIONS = {
    **{measure.name: measure.description for measure in TURN_MEASURES},
    TURNS: "Your prompts, and the agents' replies with visible text.",
    TURN_TIME: "Mean time between two consecutive turns of one agent in the same hour.",
    AGENTS: "Different agents with at least one turn: not a sum over hours.",
}
"""A sentence for people about each measure."""
RATE_EXPLANATION = "Turns divided by the hours of the period that have passed."

STATE_LABELS = {
    WORKING: "working",
    WAITING: "waiting for input",
    STALLED: "stalled",
    LIMITED: "at the usage limit",
    BACKGROUND: "working in the background",
    IDLE: "idle",
    UNKNOWN_STATE: "in an unknown state",
}
