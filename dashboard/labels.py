"""What metrics and states are called."""

from __future__ import annotations

from aggregator.query.agent_states import IDLE, WAITING, WORKING

TURNS = "turns"

TURN_TIME = "turn-time"

AGENTS = "agents"

LABELS = {TURNS: "Turns", TURN_TIME: "Average turn time", AGENTS: "Active agents"}

COLUMNS = {
    TURNS: "turn_count",
    TURN_TIME: "avg_turn_time_seconds",
    AGENTS: "active_agents",
}
"""Where the buckets of an overview have them."""

PATTERN_LABELS = {**LABELS, TURNS: "Turns per hour"}
"""What the mean of an hour is called."""

STATE_WORDS = {WORKING: "working", WAITING: "waiting for input", IDLE: "idle"}
