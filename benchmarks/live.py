"""Benchmark of live updates: from an appended line to the open page, and what watching costs.

    python benchmarks/live.py [--sessions 200] [--trials 20] [--pages 50] [--seconds 60]
                              [--lines 20000]

Writes made-up sessions of the last hours to a folder, and runs ``headspace-activity serve``
on it, with its own embedded PostgreSQL. Prints

* the CPU of the idle server, PostgreSQL included, as a fraction of one core;
* the same while ``--pages`` pages ask for the version once a second;
* the time from an appended question to the strip of the page in a real Chromium, while other
  sessions write and passes run: median and worst;
* the memory of the server before and after ``--lines`` lines that fill a simulated day.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
from page import browser
from peer_input import prompt, stamp
from peer_servers import ours, served

SETTLING = 15
"""Seconds for the first import, pass and rebuild."""
ASKED = """
const [name, done] = arguments;
const look = () => {
  for (const entry of document.querySelectorAll("#now .is-waiting .activity-now-entry")) {
    const text = entry.textContent;
    if (text.includes(name) && text.includes("question")) {
      observer.disconnect();
      return done(Date.now());
    }
  }
};
const observer = new MutationObserver(look);
observer.observe(document.body, { childList: true, subtree: true });
"""


class Sessions:
    """Made-up sessions in a folder of transcripts, which go on when they are told to.

    Args:
        folder: The folder of transcripts.
        count: Number of sessions; the last line of each is some minutes old.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.names = [f"made-session-{number}" for number in range(count)]
        self._folder = folder / "-code-made"
        self._folder.mkdir(parents=True)
        now = datetime.now(UTC)
        for number, name in enumerate(self.names):
            for hours in (3, 2, 1, 0):
                self.reply(name, now - timedelta(hours=hours, minutes=2 + number % 25))

    def reply(self, name: str, at: datetime) -> None:
        """Append a prompt and its answer."""
        answer = {"type": "text", "text": "This step is done. " * 20}
        self._write(name, at - timedelta(seconds=20), at, answer, "end_turn")

    def ask(self, name: str, at: datetime) -> None:
        """Append a prompt and a question."""
        use = {"type": "tool_use", "id": uuid4().hex, "name": "AskUserQuestion", "input": {}}
        self._write(name, at - timedelta(milliseconds=2), at, use, "tool_use")

    def _write(
        self, name: str, asked_at: datetime, at: datetime, part: dict[str, Any], stop: str
    ) -> None:
        line = {**prompt(name, "/code/made", uuid4().hex), "slug": name}
        message = {"role": "assistant", "id": uuid4().hex, "content": [part], "stop_reason": stop}
        answer = {**line, "type": "assistant", "uuid": uuid4().hex, "message": message}
        with (self._folder / f"{name}.jsonl").open("a") as file:
            for row, instant in ((line, asked_at), (answer, at)):
                file.write(json.dumps({**row, "timestamp": stamp(instant)}) + "\n")


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (
        ("sessions", 200),
        ("trials", 20),
        ("pages", 50),
        ("seconds", 60),
        ("lines", 20_000),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        transcripts, home = Path(folder) / "projects", Path(folder) / "home"
        sessions = Sessions(transcripts, given.sessions)
        with served(ours(transcripts, home)) as page:
            time.sleep(SETTLING)
            load = os.getloadavg()[0]
            print(f"{given.sessions} sessions; load of the machine before: {load:.2f}\n")
            idle = show_idle(home, given.seconds)
            show_pages(home, page, given.pages, given.seconds, idle)
            show_latency(page, sessions, given.trials)
            show_memory(home, sessions, given.lines)


def processes(home: Path) -> list[psutil.Process]:
    """Return the processes of the server that uses a folder, PostgreSQL's included."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and str(home) in " ".join(process.cmdline()):
                for one in (process, *process.children(recursive=True)):
                    found[one.pid] = one
    return list(found.values())


def cpu_seconds(home: Path) -> float:
    """Return the CPU time that the server has used so far, with that of its ended children."""
    used = 0.0
    for process in processes(home):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used


def cores_during(home: Path, seconds: float) -> float:
    """Wait for some seconds; return how many cores the server has used meanwhile."""
    before, started = cpu_seconds(home), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(home) - before) / (time.monotonic() - started)


def show_idle(home: Path, seconds: float) -> float:
    """Measure the server without pages and without changes."""
    idle = cores_during(home, seconds)
    print(f"{'idle':28}{idle:8.3f} cores over {seconds:.0f} s")
    return idle


def show_pages(home: Path, page: str, pages: int, seconds: float, idle: float) -> None:
    """Measure the server while pages ask for the version once a second."""
    with asking(page, pages) as counted:
        time.sleep(2)
        used = cores_during(home, seconds)
    asked, bytes_read = sum(count for count, _ in counted), sum(size for _, size in counted)
    print(f"{f'{pages} pages that ask':28}{used:8.3f} cores, {used - idle:.3f} more than idle")
    print(f"{'':28}{bytes_read / asked:8.0f} bytes in the body of an answer")


@contextlib.contextmanager
def asking(page: str, pages: int) -> Iterator[list[list[int]]]:
    """Ask for the version once a second on some connections, as pages do.

    Yields:
        For each page the number of its requests and the bytes of their answers.
    """
    ended, counted = threading.Event(), [[0, 0] for _ in range(pages)]
    threads = [threading.Thread(target=_ask, args=(page, one, ended)) for one in counted]
    for thread in threads:
        thread.start()
        time.sleep(1 / pages)
    try:
        yield counted
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _ask(page: str, counted: list[int], ended: threading.Event) -> None:
    parts = urlsplit(page)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    headers: dict[str, str] = {}
    while not ended.wait(1):
        connection.request("GET", "/activity/version", headers=headers)
        answer = connection.getresponse()
        counted[0] += 1
        counted[1] += len(answer.read())
        if tag := answer.headers.get("ETag"):
            headers = {"If-None-Match": tag}
    connection.close()


def show_latency(page: str, sessions: Sessions, trials: int) -> None:
    """Measure the time from an appended question until the page shows it."""
    names = random.Random(1).sample(sessions.names, trials)
    others = [name for name in sessions.names if name not in names]
    with browser() as driver, writing(sessions, others):
        driver.set_script_timeout(120)
        driver.get(page)
        time.sleep(5)
        latencies = [latency(driver, sessions, name) for name in names]
    median, worst = statistics.median(latencies), max(latencies)
    print(f"{'line to page':28}{median:8.2f} s median, {worst:.2f} s worst of {trials}")


@contextlib.contextmanager
def writing(sessions: Sessions, names: list[str]) -> Iterator[None]:
    """Let sessions go on, five each half second, so that passes run all the time."""
    ended = threading.Event()

    def write() -> None:
        made = random.Random(2)
        while not ended.wait(0.5):
            for name in made.sample(names, min(5, len(names))):
                sessions.reply(name, datetime.now(UTC))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def latency(driver: Any, sessions: Sessions, name: str) -> float:
    """Append a question; return the seconds until the page shows it."""
    appended = 0.0

    def ask() -> None:
        nonlocal appended
        sessions.ask(name, datetime.now(UTC))
        appended = time.time()

    timer = threading.Timer(random.uniform(0.3, 1.3), ask)  # Anywhere between two looks.
    timer.start()
    shown = driver.execute_async_script(ASKED, name) / 1000
    timer.join()
    return shown - appended


def show_memory(home: Path, sessions: Sessions, lines: int) -> None:
    """Append the lines of a day; print the memory of the server before, in between and after."""
    rounds = 20
    each = max(1, lines // rounds // 2)
    began = datetime.now(UTC) - timedelta(hours=24)
    print(f"{'':28}{'server':>10}{'PostgreSQL':>12}{'open files':>12}")
    _show_memory("memory before", home)
    made = random.Random(3)
    for number in range(rounds):
        for one in range(each):
            share = (number + one / each) / rounds
            sessions.reply(made.choice(sessions.names), began + share * timedelta(hours=24))
            time.sleep(0.005)
        if number in (rounds // 2 - 1, rounds - 1):
            time.sleep(5)
            _show_memory(f"after {2 * each * (number + 1):,} lines", home)


def _show_memory(name: str, home: Path) -> None:
    mine = psutil.Process().children(recursive=True)
    ours_, files, postgres = 0, 0, 0
    for process in processes(home):
        with contextlib.suppress(psutil.Error):
            if "postgres" in process.name():
                postgres += process.memory_full_info().pss
            elif process in mine:
                ours_ += process.memory_info().rss
                files += process.num_fds()
    print(f"{name:28}{ours_ / 1e6:7.1f} MB{postgres / 1e6:9.1f} MB{files:12}")


if __name__ == "__main__":
    main()
