"""Demo data: made-up activity, to explore the dashboard without transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, func, insert, select, text, update
from sqlalchemy.dialects import postgresql

from aggregator.database.models import Agent, Project, Signal, Task, Turn
from aggregator.standalone.demo_signals import demo_signals

PROJECTS = ("atlas-api", "billing", "docs-site", "mobile-app", "search")
AGENTS_PER_PROJECT = (7, 5, 2, 4, 2)
ORIGINS = {6: "background", 10: "sdk", 20: "sdk"}
"""Programs that started an agent, by its number; persons started the others."""
DEMO_DAYS = 62
"""As long as metrics are kept by default: a month can be compared with the one before it."""
SEED = 20_261_122
SLOT = timedelta(minutes=30)
"""Stretch of time for which it is drawn anew who works while the demo is running."""
PAUSE = timedelta(minutes=15)
"""Longest pause in one run."""
ALWAYS_ONE_IN = 7
"""One in so many agents works in every slot, at night too; each has its turn."""


def fill_with_demo(engine: Engine, now: datetime, zone: tzinfo) -> int:
    """Replace everything in a demo database with 62 days of made-up turns up to now.

    20 agents in 5 projects: working hours in ``zone`` with a dip at noon, quiet weekends,
    and always a few agents active within the last hour. The turns depend only on ``now``
    and ``zone``.

    Returns:
        Number of turns.
    """
    rng = np.random.default_rng(SEED)
    with engine.begin() as conn:
        conn.execute(text("TRUNCATE projects, signals RESTART IDENTITY CASCADE"))
        conn.execute(
            insert(Project), [{"name": name, "path": f"/demo/{name}"} for name in PROJECTS]
        )
        turns: list[dict[str, Any]] = []
        signals: list[dict[str, Any]] = []
        owners = np.repeat(np.arange(len(PROJECTS)), AGENTS_PER_PROJECT)
        for number, owner in enumerate(owners, start=1):
            instants = [*_days(rng, now, zone), *_last_hour(rng, now, number)]
            own = _dialogue(rng, instants, task_id=number)
            session = rng.bytes(16).hex()
            agent = {"project_id": int(owner) + 1, "session_id": session}
            agent |= {"started_at": own[0]["timestamp"], "origin": ORIGINS.get(number)}
            conn.execute(insert(Agent).values(agent))
            # After a reply, an agent may still be busy with its tools.
            busy = own[-1]["actor"] == "USER" or rng.random() < 0.5
            state = "processing" if busy else "awaiting_input"
            conn.execute(insert(Task).values(agent_id=number, state=state))
            turns += own
            signals += demo_signals(session, own, [SEED, number], is_over=not busy)
        conn.execute(insert(Turn), turns)
        conn.execute(insert(Signal), signals)
    return len(turns)


def continue_demo(engine: Engine, now: datetime, zone: tzinfo) -> int:
    """Add the made-up turns between the newest one in a demo database and now.

    Each agent's turns in a slot of half an hour depend only on the agent, the slot and
    ``zone``, so that it does not matter how often this is called.

    Returns:
        Number of new turns.
    """
    with engine.begin() as conn:
        since = conn.scalar(select(func.max(Turn.timestamp))) or now
        new = [
            turn
            for task_id in conn.scalars(select(Task.id).order_by(Task.id))
            for slot in range(_slot_of(since), _slot_of(now) + 1)
            for turn in _in_slot(task_id, slot, zone)
            if since < turn["timestamp"] <= now
        ]
        if new:
            conn.execute(postgresql.insert(Turn).on_conflict_do_nothing(), new)
            _tell_signals(conn, since, now, zone)
        for task_id, actor in {turn["task_id"]: turn["actor"] for turn in new}.items():
            state = "processing" if actor == "USER" else "awaiting_input"
            conn.execute(update(Task).where(Task.id == task_id).values(state=state))
    return len(new)


def _tell_signals(conn: Connection, since: datetime, now: datetime, zone: tzinfo) -> None:
    """Write the signals of all slots that have new turns, up to now."""
    sessions = select(Task.id, Agent.session_id).join(Agent, Agent.id == Task.agent_id)
    for task_id, session in conn.execute(sessions.order_by(Task.id)).all():
        for slot in range(_slot_of(since), _slot_of(now) + 1):
            turns = [turn for turn in _in_slot(task_id, slot, zone) if turn["timestamp"] <= now]
            is_over = (slot + 1) * SLOT.total_seconds() <= now.timestamp()
            told = demo_signals(session, turns, [SEED, task_id, slot], is_over=is_over)
            if told:
                # Runs that go on have grown.
                statement = postgresql.insert(Signal)
                names = ("at", "until", "source", "tool", "mode", "milliseconds")
                grown = {name: statement.excluded[name] for name in names}
                conn.execute(
                    statement.on_conflict_do_update(index_elements=["key"], set_=grown), told
                )


def _slot_of(at: datetime) -> int:
    return int(at.timestamp() // SLOT.total_seconds())


def _in_slot(task_id: int, slot: int, zone: tzinfo) -> list[dict[str, Any]]:
    """Return the turns of an agent in a slot, oldest first; most have none outside of hours."""
    rng = np.random.default_rng([SEED, task_id, slot])
    start = datetime.fromtimestamp(slot * SLOT.total_seconds(), zone)
    at_work = start.weekday() < 5 and 8 <= start.hour < 19
    works = rng.random() < (0.4 if at_work else 0.05)
    if not works and (task_id + slot) % ALWAYS_ONE_IN:
        return []
    instants = list(_block(rng, start, start + SLOT * rng.uniform(0.6, 1)))
    turns = _dialogue(rng, instants, task_id)
    return [{**turn, "key": f"{turn['key']}-{slot}"} for turn in turns]


def _days(rng: np.random.Generator, now: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield the instants of one agent's turns in the days before now, oldest first."""
    eagerness = rng.uniform(0.45, 0.95)
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(DEMO_DAYS, -1, -1):
        midnight = today - timedelta(days=back)
        chance = eagerness if midnight.weekday() < 5 else 0.08
        if rng.random() >= chance:
            continue
        # Work peaks in the morning and the afternoon, around 10:30 and 15:00.
        for middle in (10.5, 15.0):
            start = midnight + timedelta(hours=middle + rng.normal(0, 1.1))
            end = min(start + timedelta(minutes=rng.uniform(15, 100)), now - timedelta(hours=1))
            yield from _block(rng, start, end)


def _last_hour(rng: np.random.Generator, now: datetime, number: int) -> Iterator[datetime]:
    """Yield a conversation up to now for every third agent, so that the last hour has activity."""
    if number % 3 == 1:
        yield from _block(rng, now - timedelta(minutes=rng.uniform(10, 50)), now)


def _block(rng: np.random.Generator, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield instants from start to end, with log-normal gaps of 50 s in the median."""
    at = start
    while at < end:
        yield at
        at += timedelta(seconds=round(float(rng.lognormal(np.log(50), 0.9)), 3))


def _dialogue(
    rng: np.random.Generator, instants: list[datetime], task_id: int
) -> list[dict[str, Any]]:
    """Assign the instants to USER and AGENT: a prompt, then some replies, and so on."""
    instants = sorted(instants)
    users = rng.random(len(instants)) < 0.22
    # After a pause somebody comes back and writes.
    returns = [True, *(later - earlier > PAUSE for earlier, later in pairwise(instants))]
    return [
        {
            "task_id": task_id,
            "actor": "USER" if user or back else "AGENT",
            "timestamp": at,
            "key": f"demo-{task_id}-{index}",
        }
        for index, (at, user, back) in enumerate(zip(instants, users, returns, strict=False))
    ]
