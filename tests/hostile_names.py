"""Names that look like markup, formulas or nothing at all, as stored and as shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine, insert

from aggregator.database.models import Agent, Project, Task, Turn
from aggregator.passes.run import make_pass

MARKUP = "<img src=x onerror=alert(1)>"
NAMES: Mapping[str, str | None] = {
    MARKUP: MARKUP,
    "</script><script>alert(1)</script>": "</script><script>alert(1)</script>",
    "\"><b>'&amp;\\": "\"><b>'&amp;\\",
    "{{7*7}}${7*7}%{meta.name}": "{{7*7}}${7*7}%{meta.name}",
    "a\u202egpj.exe\u2066\u200f": "agpj.exe",
    "pay\u200bpal\ufeff": "paypal",
    "\u200d\u200b\u3164\u2800": None,
    "\u00a0\u3000\t ": None,
    " two\r\nlines\u2028and\u0085more ": "two lines and more",
    "\x1b[31mred\x07\x9b0m": "[31mred0m",
    "=HYPERLINK(1)": "=HYPERLINK(1)",
    "\t@SUM(1)": "@SUM(1)",
    "\uff1dcmd": "\uff1dcmd",
    "-1+1": "-1+1",
    "x" * 10_000: "x" * 200,
    "می\u200cخواهم": "می\u200cخواهم",
    "👩\u200d💻": "👩\u200d💻",
}
"""Shown names by those in the database; None if nothing of it can be seen."""
FORMULAS = frozenset({"=HYPERLINK(1)", "@SUM(1)", "\uff1dcmd", "-1+1"})
"""Shown names that a spreadsheet would run."""


def shown_names(kind: str) -> set[str]:
    """Return all names as shown; ``kind`` is ``project`` or ``agent``."""
    return {name or f"{kind} {number}" for number, name in enumerate(NAMES.values(), start=1)}


def add_hostile_names(engine: Engine, now: datetime) -> None:
    """Give each name to a project and its agent, who works at this time."""
    with engine.begin() as conn:
        for number, name in enumerate(NAMES, start=1):
            conn.execute(insert(Project).values(id=number, name=name, path=f"/{number}"))
            agent = {"project_id": number, "name": name, "session_id": f"agent {number}"}
            conn.execute(insert(Agent).values(id=number, **agent))
            conn.execute(insert(Task).values(id=number, agent_id=number, state="processing"))
            at = now - timedelta(minutes=5)
            turn = {"task_id": number, "actor": "USER", "timestamp": at, "key": str(number)}
            conn.execute(insert(Turn).values(turn))
    make_pass(engine, now, timedelta(days=30))
