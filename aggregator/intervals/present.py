"""Present states of many agents, from their last facts. Pure pandas."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from aggregator.intervals.hosts import signals_of_turns
from aggregator.intervals.kinds import EXIT_LASTS, SIGNAL_CODES, SPANS_OF_LINES, WORKING
from aggregator.intervals.state import AgentFacts, AgentState, OpenCall, Session, next_change
from aggregator.intervals.state import state_of as state_of_agent
from aggregator.intervals.timeline import agent_intervals

_SPANS = [SIGNAL_CODES[kind] for kind in SPANS_OF_LINES]
OVER = ("duration", "interruption", "stop", "reply")
"""Facts that show that a run is over, as far as its transcript tells."""


def present_facts(
    turns: pd.DataFrame,
    signals: pd.DataFrame,
    calls: pd.DataFrame,
    agents: pd.DataFrame,
    now: datetime,
) -> dict[int, AgentFacts]:
    """Put together what decides about the states of agents.

    Args:
        turns: (n, ≥6) ``agent_id`` (int64), ``at`` (UTC), ``is_user``, ``steers``, ``asks``,
            ``answers`` (bool): since their last run began, or longer, as the other two.
        signals: (m, 5), see :func:`aggregator.intervals.timeline.agent_intervals`.
        calls: (k, 6), the same.
        agents: (a, 7) ``agent_id`` (int64, distinct), ``ended_at`` (UTC or NaT),
            ``task_state`` (str or None; counts for agents without signals only),
            ``message_at`` (UTC or NaT: the last reply, if it may go on with a call),
            ``status`` (str or None), ``status_at``, ``gone_at`` (UTC or NaT): what Claude
            Code's file says about the session, and when its process was found to be gone.
        now: The present; facts after it are ignored.

    Returns:
        Facts by agent, in the order of ``agents``. Agents without any are left out.
    """
    turns, signals, calls = (_as_of(rows, now) for rows in (turns, signals, calls))
    return dict(_facts(turns, signals, calls, agents))


def present_states(facts: Mapping[int, AgentFacts], now: datetime) -> pd.DataFrame:
    """Compute the states of agents at an instant, which is not before any of their facts.

    Returns:
        (a, 6) frame: ``agent_id``, ``state``, ``since`` (UTC), ``reason``, ``tool`` (str),
        ``changes_at`` (UTC, NaT for never): the next instant at which time alone may change
        the state.
    """
    states = [(agent, each, state_of_agent(each, now)) for agent, each in facts.items()]
    return _frame([(agent, *state, next_change(each, state, now)) for agent, each, state in states])


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = ["agent_id", *AgentState._fields, "changes_at"]
    frame = pd.DataFrame(rows, columns=columns)
    texts = dict.fromkeys(("state", "reason", "tool"), "str")
    instants = {
        name: pd.to_datetime(frame[name], utc=True).dt.as_unit("us")
        for name in ("since", "changes_at")
    }
    return frame.assign(**instants).astype({"agent_id": "int64", **texts})


def _as_of(rows: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Leave out what is later than the present."""
    rows = rows[rows["at"] <= now]
    if "until" not in rows:
        return rows
    until = rows["until"].mask(rows["until"] > now)
    if "kind" in rows:
        is_span = rows["kind"].isin(_SPANS)
        until = until.mask(is_span & until.isna() & rows["until"].notna(), pd.Timestamp(now))
    return rows.assign(until=until)


def _facts(
    turns: pd.DataFrame,
    signals: pd.DataFrame,
    calls: pd.DataFrame,
    agents: pd.DataFrame,
) -> Iterator[tuple[int, AgentFacts]]:
    known = agents["agent_id"].isin(signals["agent_id"]) | agents["agent_id"].isin(
        calls["agent_id"]
    )
    of_turns = turns["agent_id"].isin(agents["agent_id"][~known])
    told, told_signals, told_calls = signals_of_turns(turns[of_turns])
    turns = pd.concat([turns[~of_turns], told], ignore_index=True)
    signals = pd.concat([signals, told_signals], ignore_index=True)
    calls = pd.concat([calls, told_calls], ignore_index=True)
    timeline = agent_intervals(turns, signals, calls)
    last = _Last(turns, signals, calls, timeline.intervals, timeline.runs)
    for row, has_signals in zip(agents.to_dict("records"), known, strict=True):
        facts = last.of(row, has_signals=has_signals)
        if facts is not None:
            yield row["agent_id"], facts


class _Last:
    """The last facts of each agent, by agent."""

    def __init__(
        self,
        turns: pd.DataFrame,
        signals: pd.DataFrame,
        calls: pd.DataFrame,
        intervals: pd.DataFrame,
        runs: pd.DataFrame,
    ) -> None:
        last_runs = _last_rows(runs)
        started = last_runs["started_at"]
        # As dictionaries: taking one row of a frame costs more than all the rest.
        self.runs = last_runs.to_dict("index")
        in_runs = intervals[intervals["run_started_at"].notna()]
        self.intervals = _last_rows(in_runs).to_dict("index")
        in_order = turns.sort_values(["agent_id", "at"], kind="stable")
        self.turns = _last_rows(in_order).to_dict("index")
        self.lines = _last_lines(turns, signals).to_dict()
        left = _newest(_of_run(_of(signals, "exit"), started))
        self.left = {
            agent: at for agent, at in left.items() if self.lines[agent] <= at + EXIT_LASTS
        }
        limits = _of(signals, "limit")
        self.limits = _newest(_of_run(limits[limits["until"].isna()], started))
        launched = _of(signals, "background")
        self.launched = set(_of_run(launched[launched["until"].isna()], started)["agent_id"])
        open_calls = _of_run(calls[calls["until"].isna()], started)
        self.calls = dict(tuple(open_calls.groupby("agent_id")))

    def of(self, row: dict[Any, Any], *, has_signals: bool) -> AgentFacts | None:
        """Return the facts of an agent, a row of the frame of agents."""
        agent = row["agent_id"]
        if agent not in self.lines:
            return None
        run, turn = self.runs.get(agent), self.turns.get(agent)
        replied = not has_signals and turn is not None and not turn["is_user"]
        is_over = run is not None and (replied or run["ended_by"] in OVER)
        return AgentFacts(
            run_started_at=None if run is None else run["started_at"].to_pydatetime(),
            run_ended_at=run["ended_at"].to_pydatetime() if run is not None and is_over else None,
            working_since=None if run is None else self._working_since(agent, run),
            last_line_at=self.lines[agent].to_pydatetime(),
            trigger="" if run is None else run["trigger"],
            is_interrupted=run is not None and run["ended_by"] == "interruption",
            left_at=self.left.get(agent),
            limited_at=self.limits.get(agent),
            may_go_on=run is not None and row["message_at"] >= run["ended_at"],
            has_background=agent in self.launched,
            open_calls=self._open_calls(agent),
            asks=bool(replied and turn is not None and turn["asks"]),
            task_state=None if has_signals or pd.isna(row["task_state"]) else row["task_state"],
            ended_at=_instant(row["ended_at"]),
            session=_session(row),
        )

    def _working_since(self, agent: int, run: dict[Hashable, Any]) -> datetime:
        """Begin of the last work of a run: its own, or the end of what interrupted it."""
        started: datetime = run["started_at"].to_pydatetime()
        last = self.intervals.get(agent)  # Perhaps of an earlier run, if this one just began.
        if last is None:
            return started
        since = last["started_at"] if last["kind"] == WORKING else last["ended_at"]
        ended: datetime = since.to_pydatetime()
        return max(started, ended)

    def _open_calls(self, agent: int) -> tuple[OpenCall, ...]:
        if agent not in self.calls:
            return ()
        return tuple(
            OpenCall(call["at"].to_pydatetime(), call["tool"], call["mode"], call["source"])
            for call in self.calls[agent].to_dict("records")
        )


def _of(signals: pd.DataFrame, kind: str) -> pd.DataFrame:
    return signals[signals["kind"] == SIGNAL_CODES[kind]]


def _of_run(rows: pd.DataFrame, started: pd.Series) -> pd.DataFrame:
    """Rows that began in the last run of their agents, or after it."""
    return rows[rows["at"].to_numpy() >= started.reindex(rows["agent_id"]).to_numpy()]


def _last_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Last row of each agent, in the order of the frame, by agent."""
    return rows.drop_duplicates("agent_id", keep="last").set_index("agent_id")


def _newest(rows: pd.DataFrame) -> dict[int, datetime]:
    newest = rows.groupby("agent_id")["at"].max()
    return dict(zip(newest.index, pd.DatetimeIndex(newest).to_pydatetime(), strict=True))


def _last_lines(turns: pd.DataFrame, signals: pd.DataFrame) -> pd.Series:
    """Instant of the last line of each agent, sub-agents included."""
    spans = signals["kind"].isin(_SPANS)
    ends = signals["until"].where(spans, signals["at"]).fillna(signals["at"])
    instants = pd.concat([turns["at"], ends])
    agents = pd.concat([turns["agent_id"], signals["agent_id"]])
    newest: pd.Series = instants.groupby(agents).max()
    return newest


def _session(row: dict[Any, Any]) -> Session | None:
    since = _instant(row["status_at"])
    if since is None or pd.isna(row["status"]):
        return None
    return Session(row["status"], since, _instant(row["gone_at"]))


def _instant(value: Any) -> datetime | None:
    return None if pd.isna(value) else value.to_pydatetime()
