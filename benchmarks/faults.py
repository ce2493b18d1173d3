"""Run of faults: processes are killed at random moments while agents write and pages ask.

    python benchmarks/faults.py [--runs 100] [--seed 1] [--kinds server,worker,postgres,disk]

The kinds of fault, each at so many random moments:

* ``server``: SIGKILL of ``headspace-activity serve``, which is started again;
* ``worker``: SIGKILL of one of four workers of gunicorn;
* ``postgres``: SIGKILL of the embedded PostgreSQL under the standalone server;
* ``disk``: the database's disk fills up and is freed again; it is a small tmpfs, so this
  needs root.

After each kind everything that was written has to be in the database once, the tables have to
equal a rebuild, and no process may be left. Prints that, the longest time without an answer,
and the lines of the server's log, each once with its number.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
from load import COMMANDS, check, filled, wait_for_turns
from load_clients import Seen, Writer, ask_api, running, stay_on_page

from aggregator.database.engine import connect
from aggregator.standalone.database import DATABASE
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.standalone.embedded.cluster import data_folder
from aggregator.standalone.embedded.supervisor import find_postmaster

SERVERS = {
    "server": "standalone",
    "worker": "gunicorn",
    "postgres": "standalone",
    "disk": "standalone",
}
TURNS, FILES = 20_000, 50
DISK = "300m"


def main() -> None:
    """Parse the arguments, and try each kind of fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="server,worker,postgres")
    given = parser.parse_args()
    for kind in given.kinds.split(","):
        with home_folder(kind) as home:
            try_kind(kind, home, given.runs, random.Random(given.seed))


@contextlib.contextmanager
def home_folder(kind: str) -> Iterator[Path]:
    """Make a home folder, for a full disk on a small file system of its own."""
    with tempfile.TemporaryDirectory(prefix="activity-") as folder:
        if kind != "disk":
            yield Path(folder)
            return
        os.chmod(folder, 0o755)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "faults", folder]
        subprocess.run(mount, check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def try_kind(kind: str, home: Path, runs: int, chance: random.Random) -> None:
    """Let a fault happen many times, then compare everything."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory(prefix="activity-log-") as logs,
    ):
        with filled(home, TURNS):
            pass
        writer = Writer(Path(folder), FILES, per_second=20)
        writer.begin()
        server = Server(SERVERS[kind], home, Path(folder), Path(logs) / "server.log")
        with contextlib.closing(server):
            longest = harm_often(server, kind, writer, runs, chance)
            print(f"\n{kind}: {runs} times; longest time without an answer {longest:.1f} s")
            with EmbeddedPostgres(home) as postgres:
                engine = connect(postgres.application_url(DATABASE), purpose="benchmark")
                wait_for_turns(engine, TURNS + writer.turns)
                server.close()
                check(engine, TURNS + writer.turns)
                engine.dispose()
        print(f"processes left: {left_behind(home) or 'none'}")
        for line, count in server.lines().most_common():
            print(f"{count:6} × {line}", flush=True)


def harm_often(
    server: Server, kind: str, writer: Writer, runs: int, chance: random.Random
) -> float:
    """Let a fault happen at random moments under load; return the longest time of no answer."""
    server.start()
    server.wait()
    seen, longest = Seen(), 0.0
    clients = [(stay_on_page, server.port, seen)] * 3 + [(ask_api, server.port, seen)] * 2
    with running((writer.go_on,), *clients):
        while runs:
            time.sleep(chance.uniform(0, 2))
            runs -= server.harm(kind, chance)
            longest = max(longest, server.wait())
    return longest


class Server:
    """A server of the page, and how it is harmed.

    Attributes:
        port: Its port, the same after each start.
    """

    def __init__(self, kind: str, home: Path, transcripts: Path, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        program, *arguments = (word.format(port=self.port) for word in COMMANDS[kind])
        self._command = [str(Path(sys.executable).with_name(program)), *arguments]
        self._env = {"ACTIVITY_HOME": str(home), "ACTIVITY_TRANSCRIPTS": str(transcripts)}
        self._home, self._log = home, log

    def start(self) -> None:
        """Start it."""
        with self._log.open("a") as output:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._env},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def close(self) -> None:
        """Stop it in order, if it runs."""
        self._process.send_signal(signal.SIGTERM)
        # Gunicorn gives its workers 30 seconds.
        self._process.wait(timeout=40)

    def harm(self, kind: str, chance: random.Random) -> bool:
        """Let a fault happen; return False if what should be killed is not there yet."""
        if kind == "server":
            self._process.kill()
            self._process.wait()
            self.start()
        elif kind == "worker":
            children = psutil.Process(self._process.pid).children()
            workers = [one for one in children if "gunicorn" in " ".join(one.cmdline())]
            if not workers:
                return False
            chance.choice(workers).kill()
        elif kind == "postgres":
            postmaster = find_postmaster(data_folder(self._home))
            if not postmaster:
                return False
            os.kill(postmaster.pid, signal.SIGKILL)
        else:
            self._fill_disk(chance.uniform(1, 4))
        return True

    def _fill_disk(self, seconds: float) -> None:
        ballast = self._home / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(bytes(1_000_000))
        time.sleep(seconds)
        ballast.unlink()

    def wait(self) -> float:
        """Wait until the page has its numbers; return the seconds."""
        started = time.monotonic()
        address = f"http://127.0.0.1:{self.port}/activity/version"
        while time.monotonic() < started + 60:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=20):
                return time.monotonic() - started
            time.sleep(0.05)
        sys.exit(f"The server has not answered for a minute; its log is\n{self._log.read_text()}")

    def lines(self) -> Counter[str]:
        """Return the lines of the log, without their numbers."""
        lines = self._log.read_text().splitlines()
        return Counter(re.sub(r"\d[\d,.:]*", "N", line) for line in lines if line)


def left_behind(home: Path) -> list[str]:
    """Return the processes that still know the home folder, half a minute later at most."""
    for _ in range(60):
        commands = (" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"]))
        left = [command for command in commands if str(home) in command]
        if not left:
            break
        time.sleep(0.5)
    return left


if __name__ == "__main__":
    main()
