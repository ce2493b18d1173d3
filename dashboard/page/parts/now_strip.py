"""The strip on top of the page: who waits for the viewer, who works, and how many do what else.

HTML, as the table of agents is. It holds no text that depends on the present: clocks are
instants, which ``assets/now-strip.js`` writes as running times. So it changes only when a
state does.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

import jinja2
import pandas as pd

from aggregator.intervals.kinds import WAITING, WORKING
from dashboard.labels import STATE_LABELS, reason_text
from dashboard.selection.view import View

FEW = 5
"""Number of agents that are listed before the others are folded away."""
FEW_NARROW = {"waiting": 3, "working": 2}
"""Numbers that are listed on a phone, by group."""
COUNTS_IN_ROW = 3
"""Number of counts of other states in one row of a phone."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One agent of a list.

    Attributes:
        id: Id of the agent.
        href: Link to it alone.
        name: Its name.
        project: Name of its project.
        reason: Why it waits; empty if it works.
        since: Since when, in ISO 8601.
        about: Text of the tooltip: its folder and its session.
        command: Command that goes on with its session; empty where that is not known.
    """

    id: int
    href: str
    name: str
    project: str
    reason: str
    since: str
    about: str
    command: str


@dataclass(frozen=True, slots=True)
class Group:
    """Agents in one state.

    Attributes:
        key: Name of the group in the page.
        title: Heading.
        listed: Entries of which the first few are always in sight.
        long: Entries that have waited for long, all folded away.
    """

    key: str
    title: str
    listed: Sequence[Entry]
    long: Sequence[Entry] = ()

    @property
    def count(self) -> int:
        """Number of all agents in the group."""
        return len(self.listed) + len(self.long)

    @property
    def shown(self) -> int:
        """Number of listed entries that are always in sight."""
        return _shown(len(self.listed), FEW)

    @property
    def shown_narrow(self) -> int:
        """Number of listed entries that are always in sight on a phone."""
        return _shown(len(self.listed), FEW_NARROW[self.key])


def now_strip(states: pd.DataFrame, *, resumable: bool) -> dict[str, Any]:
    """Render the strip.

    Args:
        states: See :func:`aggregator.query.agents.now.in_order`.
        resumable: Whether the sessions are on the viewer's own machine.

    Returns:
        ``html``; ``waiting``, the number of agents that wait; ``digest``, which differs if
        the others do.
    """
    waits = states[states["state"] == WAITING]
    now, long = waits[~waits["is_long"]], waits[waits["is_long"]]
    waiting = Group(
        "waiting",
        "Waiting for you",
        _entries(now, resumable=resumable),
        _entries(long, resumable=resumable),
    )
    busy = states[states["state"] == WORKING]
    working = Group("working", "Working", _entries(busy, resumable=False))
    html = _template().render(groups=[waiting, working], rest=_rest(states))
    digest = blake2b(html.encode(), digest_size=8).hexdigest()
    return {"html": html, "waiting": waiting.count, "digest": digest}


def strip_rows(states: pd.DataFrame) -> dict[str, int]:
    """Return what the height of the strip depends on, as variables of its style.

    Returns:
        ``--rows`` of one line where both halves stand side by side; on a phone
        ``--entries-narrow`` of two lines, which are those that wait, and ``--rows-narrow``.
    """
    waits, busy = states[states["state"] == WAITING], int((states["state"] == WORKING).sum())
    long = int(waits["is_long"].sum())
    recent, counts = len(waits) - long, len(_rest(states))
    first, second = _shown(recent, FEW), _shown(busy, FEW)
    first_narrow = _shown(recent, FEW_NARROW["waiting"])
    second_narrow = _shown(busy, FEW_NARROW["working"])

    def below(listed: int, shown: int, others: int = 0) -> int:
        # All that is folded away shares one row below the entries.
        return int(listed > shown or others > 0 or not listed)

    both = max(first + below(recent, first, long), second + below(busy, second))
    narrow = below(recent, first_narrow, long) + second_narrow + below(busy, second_narrow)
    return {
        "--rows": both + int(counts > 0),
        "--entries-narrow": first_narrow,
        "--rows-narrow": narrow + -(-counts // COUNTS_IN_ROW),
    }


def _shown(listed: int, few: int) -> int:
    """Return how many entries are in sight: to fold a single one away would save no room."""
    return listed if listed <= few + 1 else few


def _entries(states: pd.DataFrame, *, resumable: bool) -> list[Entry]:
    return [_entry(row, resumable=resumable) for row in states.to_dict("records")]


def _entry(row: dict[Any, Any], *, resumable: bool) -> Entry:
    session, cwd = row["session_id"], row["cwd"]
    return Entry(
        id=row["agent_id"],
        href=View(agents=(row["agent_id"],)).address,
        name=row["name"],
        project=row["project"],
        reason=reason_text(row["reason"], row["tool"]),
        since=row["since"].isoformat(),
        about=" · ".join(filter(None, [cwd, session])),
        command=resume_command(session, cwd) if resumable and session else "",
    )


def resume_command(session: str, cwd: str) -> str:
    """Return the shell command that goes on with a session, in its folder if that is known."""
    resume = f"claude --resume {shlex.quote(session)}"
    return f"cd {shlex.quote(cwd)} && {resume}" if cwd else resume


def _rest(states: pd.DataFrame) -> list[dict[str, Any]]:
    """List the other states: how many agents, and a link that shows just those."""
    rest = states[~states["state"].isin([WAITING, WORKING])]
    return [
        {
            "text": f"{len(rows)} {state}",
            "about": STATE_LABELS[str(state)],
            "state": state,
            "href": View(agents=tuple(sorted(rows["agent_id"].tolist()))).address,
        }
        for state, rows in rest.groupby("state", sort=False)
    ]


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("dashboard")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("activity/now_strip.html")
