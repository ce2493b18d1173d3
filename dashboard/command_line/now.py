"""The list of the command ``now``: what all agents do, who waits first."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

import click
import pandas as pd

from aggregator.errors import printable
from aggregator.intervals.kinds import WAITING, WORKING
from dashboard import formatting
from dashboard.labels import STATE_LABELS, reason_text

EVERY_SECONDS = 2.0
"""Time between two lists of ``--watch``."""


def now_lines(states: pd.DataFrame, now: datetime) -> Iterator[str]:
    """Format states: those who wait, then those who work, then how many do something else.

    Args:
        states: See :func:`aggregator.query.agents.now.read_now`.
        now: The present.
    """
    waits = states[states["state"] == WAITING]
    long = int(waits["is_long"].sum())
    yield f"{len(waits)} waiting for you" + (f", {long} for more than 30 min" if long else "")
    listed = states[states["state"].isin([WAITING, WORKING])]
    for state, rows in listed.groupby("state", sort=False):
        if state == WORKING:
            yield f"{len(rows)} working"
        for row in rows.to_dict("records"):
            lasting = formatting.duration((now - row["since"]).total_seconds())
            why = "" if state == WORKING else f"  {reason_text(row['reason'], row['tool'])}"
            yield printable(f"  {lasting:>12}  {row['project']}  {row['name']}{why}")
    rest = Counter(states["state"][~states["state"].isin([WAITING, WORKING])])
    for state, count in rest.items():
        yield f"{count} {STATE_LABELS[state]}"


def watch(read: Callable[[], str]) -> None:
    """Print what a function returns again and again, until Ctrl-C."""
    while True:
        text = read()
        click.clear()
        click.echo(text)
        time.sleep(EVERY_SECONDS)
