"""The list of the command ``now``: what all agents do, who waits first."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import accumulate
from unicodedata import east_asian_width

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
        states: See :func:`aggregator.query.agents.now.in_order`.
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


def watch(read: Callable[[], str], *, as_list: bool) -> None:
    """Print what a function returns again and again, until Ctrl-C.

    Args:
        read: Returns the text.
        as_list: Whether a terminal shows only the newest text, as much of it as has room. All
            other texts follow each other.
    """
    is_shown = as_list and sys.stdout.isatty()
    try:
        while True:
            text = read()
            if is_shown:
                text = fit(text, *shutil.get_terminal_size())
                click.clear()
            click.echo(text)
            time.sleep(EVERY_SECONDS)
    except KeyboardInterrupt:
        # The terminal has written "^C" in the last line.
        click.echo()


def fit(text: str, columns: int, rows: int) -> str:
    """Cut a text to the size of a terminal: its first lines are the most important ones."""
    lines = text.splitlines()
    room = max(rows - 1, 2)  # The cursor has the last row.
    if len(lines) > room:
        hidden = len(lines) - room + 1
        lines = [*lines[: room - 1], f"… {hidden} more lines"]
    return "\n".join(_cut(line, columns) for line in lines)


def _cut(line: str, columns: int) -> str:
    ends = list(accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in line))
    if not ends or ends[-1] <= columns:
        return line
    return line[: sum(end < columns for end in ends)] + "…"
