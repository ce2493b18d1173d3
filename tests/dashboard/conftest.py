"""Views of activity without a database for what is pure, and the page over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from flask import Flask
from sqlalchemy import Engine, text

from aggregator.database import connect
from aggregator.embedded import EmbeddedPostgres
from aggregator.hourly import INSTANT, gap_counts
from aggregator.read import Activity, MetricReader, Totals
from aggregator.scope import OVERALL, Scope
from aggregator.windows import Window, rolling_window
from dashboard import page
from dashboard.context import PageContext

Hour = tuple[datetime, int, float | None, int | None]


def _frame(rows: Sequence[Sequence[Any]], dtypes: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.fixture
def activity(now: datetime) -> Callable[..., Activity]:
    """Makes an Activity from its hours: (start, turns, average, agents)."""

    def make(
        *hours: Hour,
        window: Window | None = None,
        scope: Scope = OVERALL,
        projects: Sequence[Sequence[Any]] = (),
        agents: Sequence[Sequence[Any]] = (),
        states: Sequence[Sequence[Any]] = (),
        **facts: Any,
    ) -> Activity:
        window = window or rolling_window("day", now)
        frame = _frame(
            hours,
            {
                "bucket_start": INSTANT,
                "turn_count": "int64",
                "avg_turn_time_seconds": "float64",
                "active_agents": "Int64",
            },
        )
        return Activity(
            scope=scope,
            window=window,
            totals=_totals(frame, len(agents), window),
            hours=frame,
            projects=_frame(
                projects,
                {
                    "project_id": "int64",
                    "name": "str",
                    "turn_count": "int64",
                    "avg_turn_time_seconds": "float64",
                    "active_agents": "int64",
                    "active_hours": "int64",
                },
            ),
            agents=_frame(
                agents,
                {
                    "agent_id": "int64",
                    "project_id": "int64",
                    "name": "str",
                    "turn_count": "int64",
                    "avg_turn_time_seconds": "float64",
                    "active_hours": "int64",
                },
            ),
            states=_frame(
                states,
                {
                    "agent_id": "int64",
                    "project_id": "int64",
                    "state": "str",
                    "last_turn_at": INSTANT,
                },
            ),
            **{"newest_bucket": None, "newest_turn_at": None, "last_pass_at": None, **facts},
        )

    return make


def _totals(hours: pd.DataFrame, active_agents: int, window: Window) -> Totals:
    turns = int(hours["turn_count"].sum())
    gaps = gap_counts(hours)
    seconds = float((hours["avg_turn_time_seconds"].fillna(0.0) * gaps).sum())
    return Totals(
        turn_count=turns,
        avg_turn_time_seconds=seconds / int(gaps.sum()) if gaps.sum() else None,
        active_agents=active_agents,
        active_hours=len(hours),
        turn_rate=turns / window.elapsed_hours,
        turns_per_active_hour=turns / len(hours) if len(hours) else None,
    )


class Page:
    """The page as a browser would use it, over HTTP against a real database.

    Attributes:
        client: Flask's client of the server with the page.
    """

    def __init__(self, server: Flask) -> None:
        self.client = server.test_client()

    def update(self, *changed: str, **values: Any) -> dict[str, Any]:
        """Post what the browser posts when ``changed`` changed, and read the answer.

        Args:
            changed: Inputs such as ``window.value``; none at first load.
            values: Inputs by element id; those left out have their first value.

        Returns:
            The answered properties by element id; what is to stay is left out.
        """
        callback = self._server_callback()
        given = {"window": "day", "tick": 0, "viewer": {"zone": "Europe/Berlin"}, **values}
        response = self.client.post(
            "/activity/_dash-update-component",
            json={
                "output": callback["output"],
                "outputs": [_property(part) for part in callback["output"].strip(".").split("...")],
                "inputs": [{**item, "value": given.get(item["id"])} for item in callback["inputs"]],
                "changedPropIds": list(changed),
            },
        )
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.get_json()["response"]
        return answer

    def _server_callback(self) -> dict[str, Any]:
        callbacks = self.client.get("/activity/_dash-dependencies").get_json()
        return next(item for item in callbacks if not item["clientside_function"])


def _property(name: str) -> dict[str, str]:
    element, prop = name.rsplit(".", 1)
    return {"id": element, "property": prop}


@pytest.fixture
def open_page(now: datetime) -> Callable[..., Page]:
    """Mounts the page on a server of its own."""

    def mount(engine: Engine, context: PageContext | None = None, **options: Any) -> Page:
        server = Flask("host")
        page.mount(
            server, MetricReader(engine), context or PageContext(30), now=lambda: now, **options
        )
        return Page(server)

    return mount


@pytest.fixture
def visit() -> type[Page]:
    """Opens the page of a server that has it already."""
    return Page


@pytest.fixture
def fresh(postgres: EmbeddedPostgres) -> Iterator[Engine]:
    """A database without any tables."""
    engine = connect(postgres.url("fresh"), purpose="tests")
    with engine.begin() as conn:
        conn.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    yield engine
    engine.dispose()
