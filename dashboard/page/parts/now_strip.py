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
    """Agents in one state: the first few, and how many more of how many.

    Attributes:
        key: Name of the group in the page.
        title: Heading.
        first: Entries that are always listed.
        more: Entries that are folded away.
        long: Entries that have waited for long, folded away as well.
    """

    key: str
    title: str
    first: Sequence[Entry]
    more: Sequence[Entry]
    long: Sequence[Entry] = ()

    @property
    def count(self) -> int:
        """Number of all agents in the group."""
        return len(self.first) + len(self.more) + len(self.long)


def now_strip(states: pd.DataFrame, *, resumable: bool) -> dict[str, Any]:
    """Render the strip.

    Args:
        states: See :func:`aggregator.query.agents.now.read_now`.
        resumable: Whether the sessions are on the viewer's own machine.

    Returns:
        ``html``; ``waiting``, the number of agents that wait; ``digest``, which differs if
        the others do.
    """
    waits = states[states["state"] == WAITING]
    now, long = waits[~waits["is_long"]], waits[waits["is_long"]]
    listed = _entries(now, resumable=resumable)
    waiting = Group(
        "waiting",
        "Waiting for you",
        listed[:FEW],
        listed[FEW:],
        _entries(long, resumable=resumable),
    )
    busy = _entries(states[states["state"] == WORKING], resumable=False)
    working = Group("working", "Working", busy[:FEW], busy[FEW:])
    html = _template().render(groups=[waiting, working], rest=_rest(states))
    digest = blake2b(html.encode(), digest_size=8).hexdigest()
    return {"html": html, "waiting": waiting.count, "digest": digest}


def strip_rows(states: pd.DataFrame) -> dict[str, int]:
    """Return the number of rows of both halves of the strip, as variables of its style.

    ``--entries`` are those of the first half that need two rows on a narrow screen.
    """
    waits, busy = states[states["state"] == WAITING], int((states["state"] == WORKING).sum())
    recent = int((~waits["is_long"]).sum())
    folded = int(recent > FEW) + int(waits["is_long"].any())
    rest = int(len(states) > len(waits) + busy)
    return {
        "--entries": min(recent, FEW),
        "--first": max(1, min(recent, FEW) + folded),
        "--second": max(1, min(busy, FEW) + int(busy > FEW)) + rest,
    }


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
            "text": f"{len(rows)} {STATE_LABELS[str(state)]}",
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
