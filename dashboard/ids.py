"""Names of the page's elements, in one place.

The first group is public: scripts, tests and bookmarks of others use these names.
"""

from __future__ import annotations

WINDOW = "window"
PROJECT = "project"
AGENT = "agent"
CARD_TURNS = "card-turns"
CARD_TURN_RATE = "card-turn-rate"
CARD_TURN_TIME = "card-turn-time"
CARD_ACTIVE_AGENTS = "card-active-agents"
CHART = "activity-chart"
PROJECTS = "projects"
EMPTY = "empty"

STATES = "states"
NOTICE = "notice"
CONNECTION = "connection"
CAPTION = "caption"
CARDS = "cards"
VIEW = "view"
CHART_SUMMARY = "chart-summary"
ANNOUNCEMENT = "announcement"

URL = "url"
VIEWER = "viewer"
TICK = "tick"
