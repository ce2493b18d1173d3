"""Clients of a server under load: open pages, programs that ask the API, and agents that write."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peer_input import prompt, reply, stamp

WINDOWS = ("week", "month", "day")
VALUES = {
    "window": "day",
    "project": [],
    "agent": [],
    "metric": "time",
    "pattern-of": "working",
    "active-only": ["active"],
    "zone": "Europe/Berlin",
    "viewer": {"zone": "Europe/Berlin"},
}
PATHS = (
    "/api/metrics/overall?window=day",
    "/api/metrics/activity?window=week&freq=day",
    "/api/metrics/projects/3?window=month",
    "/api/metrics/agents/7.csv?window=week",
    "/api/metrics/prometheus",
)
UPDATE = "/activity/_dash-update-component"
PAUSES = 4
"""A page reads numbers that change all the time for a fifth of the time at most."""
LATE = 2.0
"""Seconds that it waits after it was given numbers of a moment before."""


class Seen:
    """Records of all clients: seconds of requests by kind, and errors by their text."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.errors: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def note(self, kind: str, seconds: float, error: str | None) -> None:
        """Add a request."""
        with self._lock:
            self.seconds[kind].append(seconds)
            if error:
                self.errors[f"{kind}: {error}"] += 1

    def percentiles(self, kind: str) -> tuple[float, float]:
        """Return the median and the 95th percentile of the seconds of a kind."""
        ordered = sorted(self.seconds[kind]) or [float("nan")]
        return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


class Client:
    """A connection that is kept, and opened anew where the server has closed it.

    Attributes:
        tag: What identifies the last answer that can be asked for again; empty if none.
    """

    def __init__(self, port: int, seen: Seen) -> None:
        self._address, self._seen = f"127.0.0.1:{port}", seen
        self._conn = http.client.HTTPConnection(self._address, timeout=30)
        self.tag = ""

    def ask(self, kind: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; return its answer, or None for an error or if nothing is new."""
        origin = {"Origin": f"http://{self._address}", "Content-Type": "application/json"}
        sent = (
            ("GET", path, None, headers)
            if body is None
            else ("POST", path, json.dumps(body), {**origin, **headers})
        )
        started = time.perf_counter()
        error, answer = None, None
        try:
            answer, error = self._send(*sent)
        except (OSError, http.client.HTTPException) as failure:
            self._conn.close()
            error = type(failure).__name__
        self._seen.note(kind, time.perf_counter() - started, error)
        return answer

    def _send(self, *sent: Any) -> tuple[Any, str | None]:
        try:
            self._conn.request(*sent)
            response = self._conn.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # An idle connection that the server has closed meanwhile, as a browser finds it.
            self._conn.close()
            self._conn.request(*sent)
            response = self._conn.getresponse()
        content = response.read()
        self.tag = response.getheader("ETag") or self.tag
        if response.status == 304:
            return None, None
        if response.status != 200:
            return None, f"{response.status} {content[:80]!r}"
        is_json = response.getheader("Content-Type", "").startswith("application/json")
        return (json.loads(content) if is_json else content), None


class Page(Client):
    """An open page: it asks for the version every second, and for numbers that have changed."""

    def __init__(self, port: int, seen: Seen) -> None:
        super().__init__(port, seen)
        self._callbacks = self.ask("other", "/activity/_dash-dependencies")
        self._search: str | None = "?window=day"
        self._shown: Any = None
        self._newest: Any = None
        self._rest_until = 0.0
        self._version_tag = ""

    def load(self) -> None:
        """Open the page."""
        self.ask("page", f"/activity/{self._search}")
        viewer = {"X-Activity-Zone": VALUES["viewer"]["zone"], "X-Activity-Scheme": "light"}
        self.ask("page", f"/activity/_dash-layout{self._search}", **viewer)
        # What it shows is not looked for in the whole layout.
        self._look()
        self._shown = self._newest

    def choose(self, window: str) -> None:
        """Switch to another window."""
        self._read("callback", "window.value", window)

    def wait_for_news(self) -> None:
        """Look until the numbers differ from those that are shown, ten seconds at most."""
        for _ in range(100):
            self._look()
            if self._shown != self._newest:
                return
            time.sleep(0.1)

    def tick(self) -> None:
        """Look whether the numbers differ from those that are shown, and read them if so."""
        self._look()
        if self._shown != self._newest and time.monotonic() >= self._rest_until:
            began = time.monotonic()
            self._read("refresh", "tick.data")
            took, is_late = time.monotonic() - began, self._shown != self._newest
            self._rest_until = time.monotonic() + max(PAUSES * took, LATE if is_late else 0)

    def _look(self) -> None:
        self.tag = self._version_tag
        version = self.ask("version", "/activity/version", **{"If-None-Match": self.tag})
        self._version_tag = self.tag
        self._newest = version["changed_at"] if version else self._newest

    def _read(self, kind: str, changed: str, window: str = "day") -> None:
        values = {**VALUES, "window": window, "url": self._search}
        answer = self.ask(kind, UPDATE, request_for(self._callbacks, changed, values))
        if answer:
            shown = answer["response"]
            # Without a database there is no version.
            self._shown = (shown["version"]["data"] or {}).get("changed_at")
            self._search = shown.get("url", {}).get("search", self._search)


def request_for(
    callbacks: list[dict[str, Any]], changed: str, values: dict[str, Any]
) -> dict[str, Any]:
    """Return the body of the page's request for numbers, after a change of one input.

    Args:
        callbacks: What the page has been told of its callbacks.
        changed: The input.
        values: Values of all inputs, by the ids of their elements.
    """
    callback = next(item for item in callbacks if not item["clientside_function"])
    outputs = callback["output"]
    return {
        "output": outputs,
        "outputs": [
            dict(zip(("id", "property"), name.rsplit(".", 1), strict=True))
            for name in outputs.strip(".").split("...")
        ],
        "inputs": [{**item, "value": values.get(item["id"])} for item in callback["inputs"]],
        "changedPropIds": [changed],
    }


def stay_on_page(port: int, seen: Seen, stopping: threading.Event) -> None:
    """Keep a page open, and switch windows every ten seconds."""
    page = Page(port, seen)
    page.load()
    switch_at = time.monotonic() + random.uniform(0, 10)
    while not stopping.wait(1):
        page.tick()
        if time.monotonic() >= switch_at:
            page.choose(random.choice(WINDOWS))
            switch_at += 10


def ask_api(port: int, seen: Seen, stopping: threading.Event) -> None:
    """Ask the API for something every second."""
    client = Client(port, seen)
    while not stopping.wait(1):
        client.ask("api", random.choice(PATHS))


class Writer:
    """Agents that write into many transcripts, a prompt and its answer at a time.

    Attributes:
        turns: Number of turns written so far.
    """

    def __init__(self, folder: Path, files: int, per_second: float) -> None:
        self._paths = [
            folder / f"-load-{number % 20}" / f"load-{number}.jsonl" for number in range(files)
        ]
        self._pause = 1 / per_second
        self.turns = 0

    def begin(self) -> None:
        """Write the first turns of every file."""
        for number in range(len(self._paths)):
            self.write(number)

    def go_on(self, stopping: threading.Event) -> None:
        """Append to one file after the other."""
        number = 0
        while not stopping.wait(self._pause):
            self.write(number % len(self._paths))
            number += 1

    def write(self, number: int) -> None:
        """Append a prompt and its answer to one file."""
        path = self._paths[number]
        path.parent.mkdir(parents=True, exist_ok=True)
        where, name = f"/load/project-{number % 20}", f"{path.stem}-{self.turns}"
        part = {"type": "text", "text": "This step is done."}
        at = {"timestamp": stamp(datetime.now(UTC))}
        lines = prompt(path.stem, where, name), reply(path.stem, where, f"{name}-end", part)
        with path.open("a") as file:
            file.write("".join(json.dumps({**line, **at}) + "\n" for line in lines))
        self.turns += len(lines)


@contextlib.contextmanager
def running(*works: Any) -> Iterator[None]:
    """Run functions in threads; at the end they have ended, told by their last argument."""
    stopping = threading.Event()
    threads = [threading.Thread(target=work, args=(*given, stopping)) for work, *given in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
