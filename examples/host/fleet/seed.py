"""Made-up agents for a first look: ``flask --app fleet seed``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import click
from flask import Flask

from fleet.models import Agent, Project, Task, TaskState, Turn, TurnActor, db

AGENTS = {
    "checkout": ("cart-rounding", "refunds"),
    "search": ("typo-tolerance", "reindex-job", "ranking"),
    "website": ("dark-mode",),
}
DAYS = 14


def init_app(app: Flask) -> None:
    """Add the command."""

    @app.cli.command("seed")
    def seed_command() -> None:
        """Add three projects with two weeks of made-up turns."""
        click.echo(f"Made up {seed(datetime.now(UTC)):,} turns")


def seed(now: datetime) -> int:
    """Add made-up turns up to now, the same ones for the same instant; return their number."""
    random = Random(5055)
    turns: list[Turn] = []
    for project, names in AGENTS.items():
        owner = Project(name=project)
        for name in names:
            task = Task(state=random.choice(list(TaskState)))
            spoken = list(_instants(random, now))
            agent = Agent(name=name, project=owner, started_at=spoken[0], tasks=[task])
            db.session.add(agent)
            db.session.flush()
            for number, at in enumerate(spoken):
                actor = TurnActor.AGENT if number % 2 else TurnActor.USER
                turns.append(Turn(task_id=task.id, actor=actor, timestamp=at))
    db.session.add_all(turns)
    db.session.commit()
    return len(turns)


def _instants(random: Random, now: datetime) -> Iterator[datetime]:
    """Make one conversation a day, between morning and evening, and one just now."""
    for day in range(DAYS, -1, -1):
        start = (now - timedelta(days=day)).replace(hour=9) + timedelta(hours=9 * random.random())
        at = start if day else now - timedelta(minutes=40)
        for _ in range(random.randint(4, 30)):
            at += timedelta(seconds=random.expovariate(1 / 90))
            if at < now:
                yield at
