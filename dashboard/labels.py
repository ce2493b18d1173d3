"""Labels of metrics and states."""

from __future__ import annotations

from aggregator.intervals.kinds import (
    BACKGROUND,
    BLOCKED,
    IDLE,
    LIMITED,
    STALLED,
    WAITING,
    WORKING,
)
from aggregator.intervals.state import UNKNOWN_STATE
from aggregator.metrics.measures import TURN_MEASURES

TIME = "time"
"""Metric of the page: working, blocked and waiting time together."""
TURNS = "turns"
TURN_TIME = "turn-time"
AGENTS = "agents"

MEASURE = {measure.name: measure for measure in TURN_MEASURES}
"""Measures by the name that addresses and options have for them."""

LABELS = {measure.name: measure.label for measure in TURN_MEASURES}

METRIC_LABELS = {TIME: "Time", **LABELS}
"""Labels of the metrics of the page."""

AT_WORK = "agents-at-work"
ONE_AGENT = "timeline"
OPEN_AGENTS = "capacity"
CHART_LABELS = {
    AT_WORK: "Agents at work",
    ONE_AGENT: "Timeline",
    OPEN_AGENTS: "How many agents can I keep busy?",
}
"""Labels of the charts that stand beside that of a metric."""

UNITS = {"hour": "hour", "day": "day", "1min": "minute"}
"""Names of buckets of some lengths; others are so many minutes."""


def unit(freq: str) -> str:
    """Name a length of buckets, as in "turns per hour": ``hour``, ``5 minutes``."""
    return UNITS.get(freq) or f"{freq.removesuffix('min')} minutes"


WORK_PATTERN = "working"
WAIT_PATTERN = "waiting"
PATTERN_LABELS = {
    WORK_PATTERN: "Working time per hour",
    WAIT_PATTERN: "Waiting for me per hour",
    **{
        measure.name: f"{measure.label} per hour" if measure.combine == "sum" else measure.label
        for measure in TURN_MEASURES
    },
}
"""Labels of the mean of an hour, by what a heatmap shows."""

EXPLANATIONS = {
    **{measure.name: measure.description for measure in TURN_MEASURES},
    TURNS: "Your prompts, and the agents' replies with visible text.",
    TURN_TIME: "Mean time between two consecutive turns of one agent in the same hour.",
    AGENTS: "Different agents with at least one turn: not a sum over hours.",
}
"""A sentence for people about each measure."""
ORIGIN_TEXTS = {
    "": "",
    "sdk": "Started by a program, through the SDK",
    "scheduled": "Started by a schedule",
    "background": "Started as a background session",
}
"""Origins of agents in words, by :attr:`aggregator.database.models.Agent.origin`."""
TIME_EXPLANATIONS = {
    "working": "Time in which agents worked, added up over agents. Utilisation is its part of "
    "working, blocked and waiting together.",
    "waiting": "Time in which agents waited for you: for an answer or a permission, or after a "
    "turn for your next prompt. At most 30 minutes count each time.",
    "responses": "Prompts of yours that an agent has answered.",
    "response-time": "Time from your prompt to the end of the answer, without waiting after it: "
    "half of the answers were faster. Exact is the working time that Claude Code has measured; "
    "the rest is estimated.",
}
"""A sentence for people about each number of time."""
RATE_EXPLANATION = "Turns divided by the hours of the period that have passed."

KIND_LABELS = {
    WORKING: "Working",
    BLOCKED: "Blocked",
    WAITING: "Waiting after a turn",
    BACKGROUND: "In the background",
    STALLED: "Stalled",
    LIMITED: "Usage limit",
    IDLE: "Idle",
}
"""Kinds of time, in the order of legends and tooltips."""
REASONS = {
    "turn done": "turn done",
    "interrupted": "interrupted",
    "question": "asks a question",
    "plan": "has a plan to approve",
    "permission": "needs a permission",
}
"""Reasons of waits as people read them; of other states the label says enough."""


def reason_text(reason: str, tool: str) -> str:
    """Say why an agent waits: ``needs a permission: Edit``; empty for other reasons."""
    text = REASONS.get(reason, "")
    return f"{text}: {tool}" if text and tool else text


STATE_LABELS = {
    WORKING: "working",
    WAITING: "waiting for input",
    STALLED: "stalled",
    LIMITED: "at the usage limit",
    BACKGROUND: "working in the background",
    IDLE: "idle",
    UNKNOWN_STATE: "in an unknown state",
}
