"""Benchmark beside a peer: this project and agentsview on the same transcripts, in turn.

    python benchmarks/peers.py [--transcripts DIR] [--runs 5] [--patience 40]

Without DIR it makes up transcripts of thirty days. Both servers run in turn in the same
browser; so does a page with nothing but Plotly and one chart, which is the limit for a page
that draws with Plotly. Prints medians and their ratios:

* the import of all transcripts, its process included;
* a first visit until the chart has data, and a later one with cached scripts;
* the requests of a first visit;
* the time from a click on another period until it is drawn;
* the time until an appended turn is on the open page.

Needs PyPI and npm the first time, and says so in one line where they are not there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from page import browser, wait_for, wire
from peer_input import prompt, stamp, write_transcripts
from peer_servers import NotInstalledError, Peer, agentsview, import_all, limit_page, ours, served

Times = dict[str, float | None]
DRAWN = {
    "ours": "#activity-chart .barlayer .point",
    "agentsview": ".timeline-svg rect",
    "limit": "#chart .barlayer .point",
}
CLICK = {
    "ours": """document.querySelector(`#window input[value="${period}"]`).click()""",
    "agentsview": """[...document.querySelectorAll(".kit-date-range-picker__pill")]
        .find(({ innerText }) => innerText.trim().toLowerCase() === period).click()""",
}
CHART = {"ours": "#activity-chart .plot-container", "agentsview": ".timeline-svg"}
NUMBERS = {"ours": "#card-turns", "agentsview": "main"}
ROWS = ("import", "first visit", "later visit", "requests", "day to week", "day to month", "append")


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transcripts", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--patience", type=float, default=40, help="seconds for an appended turn")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        transcripts = home / ".claude" / "projects"
        if given.transcripts:
            shutil.copytree(given.transcripts, transcripts)
        else:
            write_transcripts(transcripts)
        try:
            theirs = agentsview(home)
            with limit_page() as address:
                limit = visits("limit", address, given.runs)
        except NotInstalledError as missing:
            sys.exit(f"There is nothing to compare with: {missing} cannot be installed")
        peers = {"ours": ours(transcripts, home / "ours"), "agentsview": theirs}
        show(
            {name: measured(name, peer, transcripts, given) for name, peer in peers.items()}, limit
        )


def measured(name: str, peer: Peer, transcripts: Path, given: argparse.Namespace) -> Times:
    """Measure one of the two."""
    times: Times = {"import": import_all(peer)}
    with served(peer) as address:
        time.sleep(5)  # What a server does after its start is over.
        times |= visits(name, address, given.runs)
        times |= clicks(name, address, given.runs)
        times["append"] = append(name, address, transcripts, given.patience)
    return times


def visits(name: str, address: str, runs: int) -> Times:
    """Visit a page with a cold cache, and three times more; the first of these fills caches."""
    watch = f"""
      new MutationObserver((_, observer) => {{
        if (!document.querySelector({json.dumps(DRAWN[name])})) return;
        window.drawnAt = performance.now();
        observer.disconnect();
      }}).observe(document, {{ childList: true, subtree: true }});"""
    first, later, requests = [], [], []
    for _ in range(runs):
        with browser() as driver:
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": watch})
            drawn = []
            for visit in range(4):
                driver.get(address)
                drawn.append(wait_for(lambda: driver.execute_script("return window.drawnAt")))
                time.sleep(1.5)
                if visit == 0:
                    requests.append(len(wire(driver)))
            first.append(drawn[0] / 1000)
            later.append(statistics.median(drawn[2:]) / 1000)
    columns = {"first visit": first, "later visit": later, "requests": requests}
    return {row: statistics.median(values) for row, values in columns.items()}


def clicks(name: str, address: str, runs: int) -> Times:
    """Measure from a click on another period until the chart has changed."""
    script = f"""
      const [period, done] = arguments;
      const chart = () => document.querySelector({json.dumps(CHART[name])})?.innerHTML;
      const before = chart();
      const started = performance.now();
      new MutationObserver((_, observer) => {{
        if (!chart() || chart() === before) return;
        observer.disconnect();
        done(performance.now() - started);
      }}).observe(document.body, {{ childList: true, subtree: true }});
      {CLICK[name]};"""
    opened = "document.querySelector('.kit-date-range-picker__trigger:not(.open)')?.click()"
    seen: dict[str, list[float]] = {"week": [], "month": []}
    with browser() as driver:
        driver.set_script_timeout(60)
        driver.get(address)
        wait_for(lambda: driver.execute_script(present(DRAWN[name])))

        def click(period: str) -> float:
            time.sleep(1.5)
            driver.execute_script(opened)
            time.sleep(0.5)
            return float(driver.execute_async_script(script, period)) / 1000

        for _ in range(runs):
            for period, times in seen.items():
                times.append(click(period))
                click("day")
    return {f"day to {period}": statistics.median(times) for period, times in seen.items()}


def append(name: str, address: str, transcripts: Path, patience: float) -> float | None:
    """Measure from an appended prompt until the open page shows another number."""
    path = max(transcripts.rglob("*.jsonl"), key=lambda file: file.stat().st_mtime)
    number = f"return document.querySelector({json.dumps(NUMBERS[name])})?.innerText"
    with browser() as driver:
        driver.get(address)
        wait_for(lambda: driver.execute_script(present(DRAWN[name])))
        time.sleep(3)
        before = driver.execute_script(number)
        at = stamp(datetime.now(UTC))
        with path.open() as file:
            known = next(line for line in map(json.loads, file) if line.get("cwd"))
        line = prompt(known["sessionId"], known["cwd"], f"appended-{name}-{at}")
        started = time.perf_counter()
        with path.open("a") as file:
            file.write(json.dumps({**line, "timestamp": at}) + "\n")
        changed: Callable[[], Any] = lambda: driver.execute_script(number) != before  # noqa: E731
        try:
            wait_for(changed, patience)
        except TimeoutError:
            return None
        return time.perf_counter() - started


def present(selector: str) -> str:
    """Return a script that says if an element is there."""
    return f"return Boolean(document.querySelector({json.dumps(selector)}))"


def show(times: dict[str, Times], limit: Times) -> None:
    """Print the table."""
    print(
        f"{'':14}{'agentsview':>12}{'ours':>10}{'limit':>10}{'peer / ours':>13}{'ours / limit':>14}"
    )
    for row in ROWS:
        theirs, own, least = times["agentsview"][row], times["ours"][row], limit.get(row)
        cells = [number(theirs), number(own), number(least) if least else ""]
        ratios = [ratio(theirs, own), ratio(own, least)]
        print(f"{row:14}{cells[0]:>12}{cells[1]:>10}{cells[2]:>10}{ratios[0]:>13}{ratios[1]:>14}")


def number(value: float | None) -> str:
    """Write a number of seconds or requests; None was never seen."""
    return "not seen" if value is None else f"{value:.2f}"


def ratio(above: float | None, below: float | None) -> str:
    """Write a ratio, or nothing."""
    return f"{above / below:.2f}" if above and below else ""


if __name__ == "__main__":
    main()
