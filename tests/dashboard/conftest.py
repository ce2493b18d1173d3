"""Views without a database for pure code, and the page over HTTP."""

from __future__ import annotations

import math
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import psutil
import pytest
from dash.development.base_component import Component
from flask import Flask
from sqlalchemy import Engine

from aggregator.metrics.buckets import bin_of, chart_buckets, chart_edges
from aggregator.metrics.comparisons import Comparison, candidates
from aggregator.metrics.hourly import INSTANT_DTYPE
from aggregator.metrics.measures import DTYPES
from aggregator.metrics.periods import Period, calendar_period
from aggregator.metrics.scope import OVERALL
from aggregator.metrics.totals import Totals, add_up
from aggregator.metrics.weekly_pattern import pattern_period, weekly_pattern
from aggregator.metrics.windows import RetainedHours, elapsed_hours, floor_hour
from aggregator.query.intervals import ASKING_DTYPES, INTERVAL_DTYPES
from aggregator.query.overview import Overview
from aggregator.query.reader import MetricReader
from aggregator.query.response_times import Times
from dashboard.context import PageContext
from tests.no_time import NO_SUMMED_TIME, NO_TIME

Hour = tuple[Any, ...]
HOUR_DTYPES = {
    "bucket_start": INSTANT_DTYPE,
    "turn_count": "int64",
    "avg_turn_time_seconds": "float64",
    "active_agents": "Int64",
}
STATE_DTYPES = {
    "agent_id": "int64",
    "project_id": "int64",
    "state": "str",
    "last_turn_at": INSTANT_DTYPE,
    "since": INSTANT_DTYPE,
    "reason": "str",
    "tool": "str",
    "changes_at": INSTANT_DTYPE,
    "name": "str",
    "project": "str",
    "session_id": "str",
    "cwd": "str",
    "origin": "str",
}
PROJECT_BUCKET_DTYPES = {"project_id": "int64", "start": INSTANT_DTYPE, "turn_count": "int64"}
PROJECT_DTYPES = {
    "project_id": "int64",
    "name": "str",
    "turn_count": "int64",
    "avg_turn_time_seconds": "float64",
    "active_agents": "int64",
    "active_hours": "int64",
    "last_active_at": INSTANT_DTYPE,
    "spark": "object",
}
AGENT_DTYPES = {
    "agent_id": "int64",
    "project_id": "int64",
    "name": "str",
    "turn_count": "int64",
    "avg_turn_time_seconds": "float64",
    "active_hours": "int64",
    "last_active_at": INSTANT_DTYPE,
    "ended": "bool",
    "spark": "object",
    "origin": "str",
}


def _frame(rows: Sequence[Sequence[Any]], dtypes: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


@pytest.fixture(autouse=True)
def no_content_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let contents be made anew on a busy machine, too: tests have clocks of their own."""
    monkeypatch.setattr("dashboard.page.shared_contents.SLOW", math.inf)


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.fixture
def overview(now: datetime) -> Callable[..., Overview]:
    """Make an Overview from its hours: (start, turns, average, agents).

    What follows from hours (totals, buckets, pattern) is computed as the reader does
    it, but for a bucket of several hours, which has the agents of its busiest one.

    An hour may have a fifth item: its measures of time, by column or, in seconds, by kind.

    Args of the maker, all optional: ``time``, the measures of time by column, each with one
    value per hour, by default all 0; ``period``, by default Sunday 22 November in
    Berlin; ``at``, the present; ``kept_since``; ``then``, Totals of the period before;
    ``project_buckets``: (project, bucket's start, turns); ``projects``: (id, name,
    turns, average, agents, hours, last active, spark); ``agents``: (id, project, name,
    turns, average, hours, last active, ended, spark, origin); ``states``: (agent, project,
    state, last turn, since, reason, tool, changes at, name, project, session, folder, origin); and
    every other attribute by its name. Rows of projects and agents may end after their
    turns, those of states after the last turn.
    """

    def make(
        *hours: Hour,
        time: Mapping[str, Sequence[Any]] = MappingProxyType({}),
        period: Period | None = None,
        at: datetime = now,
        kept_since: datetime | None = None,
        then: Totals | None = None,
        project_buckets: Sequence[Sequence[Any]] = (),
        projects: Sequence[Sequence[Any]] = (),
        agents: Sequence[Sequence[Any]] = (),
        states: Sequence[Sequence[Any]] = (),
        **facts: Any,
    ) -> Overview:
        period = period or calendar_period("day", date(2026, 11, 22), ZoneInfo("Europe/Berlin"))
        kept_since = kept_since or floor_hour(at - timedelta(days=30))
        every = _frame([hour[:4] for hour in hours], HOUR_DTYPES)
        every = every.assign(**{**NO_TIME, **_time_of(hours), **time})
        every = every.astype({name: DTYPES[name] for name in NO_TIME})
        inside = _between(every, period.since, period.until)
        edges = chart_edges(period)
        counts = inside["active_agents"].fillna(1)
        busiest = counts.groupby(bin_of(inside["bucket_start"], edges)).max()
        elapsed = elapsed_hours(max(period.since, kept_since), min(period.until, at))
        totals = add_up(inside, len(agents) or int(counts.max() if len(counts) else 0), elapsed)
        days = pattern_period(period, at)
        since, until = max(days.since, kept_since), min(days.until, floor_hour(at))
        computed = {
            "scope": OVERALL,
            "period": period,
            "window": period.window(at),
            "kept_since": kept_since,
            "totals": totals,
            "compared": then and _compared(period, at, totals, then),
            "buckets": chart_buckets(inside, edges, RetainedHours(kept_since, at), busiest),
            "hours": inside.reset_index(drop=True),
            "project_buckets": _frame(project_buckets, PROJECT_BUCKET_DTYPES),
            "pattern": weekly_pattern(_between(every, since, until), since, until, period.zone),
            "pattern_since": days.first,
            "pattern_until": days.last,
            "project_ids": (),
            "projects": _padded(projects, PROJECT_DTYPES, (None, 1, 1, None, [])),
            "agents": _padded(agents, AGENT_DTYPES, (None, 1, None, False, [], "")),
            "times": Times(),
            "asking": _frame([], ASKING_DTYPES),
            "timeline": _frame([], INTERVAL_DTYPES),
            "sub_agent_seconds": None,
            "states": _padded(states, STATE_DTYPES, (at, "", "", None, "", "", "", "", "")),
            "newest_bucket": every["bucket_start"].max().to_pydatetime() if hours else None,
            "newest_turn_at": None,
            "last_pass_at": at,
            "changed_at": at,
        }
        return Overview(**{**computed, **facts})

    return make


def _compared(period: Period, at: datetime, totals: Totals, then: Totals) -> Comparison:
    part, earlier = candidates(period, at).before
    return Comparison("before", period, part, (earlier,), totals, (then,))


def _time_of(hours: Sequence[Hour]) -> dict[str, list[float]]:
    """Measures of time by column, from the fifth items of hours."""
    given = [hour[4] if len(hour) > 4 else {} for hour in hours]
    return {
        column: [each.get(column, each.get(column.removesuffix("_seconds"), 0)) for each in given]
        for column in NO_TIME
    }


def _between(hours: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    starts = hours["bucket_start"]
    return hours[(starts >= since) & (starts < until)]


def _padded(
    rows: Sequence[Sequence[Any]], dtypes: dict[str, str], defaults: Sequence[Any]
) -> pd.DataFrame:
    """Make a frame of rows, with defaults for the last columns that a row leaves out."""
    width, spare = len(dtypes), len(defaults)
    full = [[*row, *defaults[spare - (width - len(row)) :]] for row in rows]
    return _frame(full, dtypes).assign(**NO_SUMMED_TIME, response_p50_seconds=float("nan"))


FIRST_VALUES = {
    "window": "day",
    "project": [],
    "agent": [],
    "origin": "all",
    "metric": "time",
    "pattern-of": "working",
    "active-only": ["active"],
    "zone": "Europe/Berlin",
    "viewer": {"zone": "Europe/Berlin"},
}


class Page:
    """The page as a browser uses it, over HTTP against a real database.

    Attributes:
        client: Flask's client of the server with the page.
    """

    def __init__(self, server: Flask) -> None:
        self.client = server.test_client()

    def update(self, *changed: str, **values: Any) -> dict[str, Any]:
        """Post the browser's request for a change of ``changed``, and read the answer.

        Args:
            changed: Inputs such as ``window.value``; none at first load.
            values: Inputs by element id, or ``id.property`` where an element has several;
                those left out have their first value.

        Returns:
            The answered properties by element id; what is to stay is left out.
        """
        response = self.client.post(
            "/activity/_dash-update-component", json=self.request(*changed, **values)
        )
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.get_json()["response"]
        return answer

    def request(self, *changed: str, **values: Any) -> dict[str, Any]:
        """Make the body of the browser's request, see :meth:`update`."""
        callback = self._server_callback()
        given = {**FIRST_VALUES, **values}
        return {
            "output": callback["output"],
            "outputs": [_property(part) for part in callback["output"].strip(".").split("...")],
            "inputs": [
                {**item, "value": given.get(item["id"], given.get(_name(item)))}
                for item in callback["inputs"]
            ],
            "changedPropIds": list(changed),
        }

    @staticmethod
    def cards(answer: dict[str, Any]) -> dict[str, str]:
        """Return the numbers of the cards in an answer, by their ids."""
        return dict(_numbers(answer["cards"]["children"]))

    def _server_callback(self) -> dict[str, Any]:
        callbacks = self.client.get("/activity/_dash-dependencies").get_json()
        return next(item for item in callbacks if not item["clientside_function"])


def _numbers(content: Any) -> Iterator[tuple[str, str]]:
    for part in content if isinstance(content, list) else [content]:
        props = part.get("props", {}) if isinstance(part, dict) else {}
        if "id" in props:
            yield props["id"], props["children"]
        elif "children" in props:
            yield from _numbers(props["children"])


def _name(item: dict[str, str]) -> str:
    return f"{item['id']}.{item['property']}"


def _property(name: str) -> dict[str, str]:
    element, prop = name.rsplit(".", 1)
    return {"id": element, "property": prop}


@pytest.fixture
def open_page(now: datetime) -> Callable[..., Page]:
    """Mount the page on its own server."""

    from dashboard.page import mount as page

    def mount(engine: Engine, context: PageContext | None = None, **options: Any) -> Page:
        server = Flask("host")
        page.mount(
            server, MetricReader(engine), context or PageContext(30), now=lambda: now, **options
        )
        return Page(server)

    return mount


@pytest.fixture
def visit() -> type[Page]:
    """Open the page of a server that has it already."""
    return Page


def _parts(content: Any) -> Iterator[Component]:
    """Yield all components in some content, outer ones first."""
    if isinstance(content, list | tuple):
        for item in content:
            yield from _parts(item)
    elif isinstance(content, Component):
        yield content
        yield from _parts(getattr(content, "children", None))


def _text(content: Any) -> str:
    if content is None or "unseen" in str(getattr(content, "className", "")):
        return ""
    if isinstance(content, list | tuple):
        return " ".join(filter(None, map(_text, content)))
    if isinstance(content, Component):
        return _text(getattr(content, "children", None))
    return str(content).strip()


@pytest.fixture
def texts() -> Callable[[Any], str]:
    """Return the visible text of components."""
    return _text


@pytest.fixture
def hrefs() -> Callable[[Any], list[str]]:
    """Return the targets of the links in components, in order."""
    return lambda content: [part.href for part in _parts(content) if hasattr(part, "href")]


def _plain(value: Any) -> Any:
    """Convert a value to plain lists, with None for numbers that are missing."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and np.isnan(value) else value


@pytest.fixture
def assert_plotly_agrees() -> Callable[[dict[str, Any]], None]:
    """Check that Plotly finds nothing to correct in a chart of plain properties."""

    def check(chart: dict[str, Any]) -> None:
        given = {"data": chart["data"], "layout": {**chart["layout"]}}
        given["layout"].pop("template")
        plain = _plain(given)
        made = go.Figure(plain).to_plotly_json()
        assert _plain({"data": made["data"], "layout": made["layout"]}) == {
            **plain,
            # Plotly adds the template that it would use by itself.
            "layout": {**plain["layout"], "template": _plain(made["layout"]["template"])},
        }

    return check


@pytest.fixture
def supervisors() -> Callable[[], list[psutil.Process]]:
    """Return the processes of this process's browser for pictures."""

    def look() -> list[psutil.Process]:
        children = psutil.Process().children()
        return [
            one for one in children if any("chromium_supervisor" in word for word in _words(one))
        ]

    return look


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def decode_png() -> Callable[[bytes], tuple[int, int, Counter[bytes]]]:
    """Decode a small PNG to its width, its height and its pixels of each colour."""

    def decode(content: bytes) -> tuple[int, int, Counter[bytes]]:
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        width, height, depth, kind = struct.unpack_from(">IIBB", content, 16)
        # 8 bits of red, green and blue, maybe with alpha.
        step = {(8, 2): 3, (8, 6): 4}[depth, kind]
        raw, before = zlib.decompress(_image_data(content)), bytes(width * step)
        colours: Counter[bytes] = Counter()
        for start in range(0, len(raw), 1 + width * step):
            line = bytearray(raw[start + 1 : start + 1 + width * step])
            _unfilter(raw[start], line, before, step)
            colours.update(bytes(line[at : at + 3]) for at in range(0, len(line), step))
            before = bytes(line)
        return width, height, colours

    return decode


def _image_data(content: bytes) -> bytes:
    at, found = 8, b""
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        if content[at + 4 : at + 8] == b"IDAT":
            found += content[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def _unfilter(kind: int, line: bytearray, before: bytes, step: int) -> None:
    for at, value in enumerate(line):
        left, corner = (line[at - step], before[at - step]) if at >= step else (0, 0)
        up = before[at]
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        line[at] = (value + guess) % 256


def _paeth(left: int, up: int, corner: int) -> int:
    middle = left + up - corner
    return min((left, up, corner), key=lambda one: abs(middle - one))
