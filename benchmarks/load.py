"""Benchmark of a server under load: errors, lost turns, memory, and how long requests take.

    python benchmarks/load.py [--minutes 10] [--server standalone|gunicorn] [--until-it-breaks]

On 576,000 turns of 200 agents in 30 days, in an embedded PostgreSQL of its own: fifty pages
are open, ask for the version every second and switch windows every ten, twenty programs ask
the API every second, and agents write into 1,000 transcripts, which are imported at once.
Prints the median and the 95th percentile of requests without load and under it, the memory of
the server, the processors' time of server, PostgreSQL and clients, and afterwards whether the
database has every turn once, and equals a rebuild. Clients and server share the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from load_clients import PATHS, WINDOWS, Client, Page, Seen, Writer, ask_api, running, stay_on_page
from made_turns import fill
from sqlalchemy import Engine, text

from aggregator.database.engine import connect
from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass
from aggregator.schema import capture
from aggregator.schema.migrate import upgrade
from aggregator.standalone.database import DATABASE
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.standalone.embedded.cluster import data_folder
from aggregator.standalone.embedded.supervisor import find_postmaster

RETENTION = timedelta(days=62)
COMMANDS = {
    "standalone": ["headspace-activity", "serve", "--port", "{port}"],
    "gunicorn": [
        *("gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "4", "--threads", "24"),
        *("--no-control-socket", "dashboard.server:create_app()"),
    ],
}
KINDS = ("version", "callback", "refresh", "page", "api")


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", choices=COMMANDS, default="standalone")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=576_000)
    parser.add_argument("--writes", type=float, default=10, help="prompts with answers per second")
    parser.add_argument("--until-it-breaks", action="store_true", help="double pages and clients")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="activity-") as folder:
        home, transcripts = Path(folder), Path(folder) / "transcripts"
        with filled(home, given.turns) as engine:
            writer = Writer(transcripts, given.files, given.writes)
            writer.begin()
            with served(given.server, home, transcripts) as (port, process):
                measure(home, port, process, writer, given)
                wait_for_turns(engine, given.turns + writer.turns)
            check(engine, given.turns + writer.turns)


@contextlib.contextmanager
def filled(home: Path, turns: int) -> Iterator[Engine]:
    """Fill the embedded database of a home folder."""
    with EmbeddedPostgres(home) as server:
        engine = connect(server.application_url(DATABASE), purpose="benchmark")
        upgrade(engine, "standalone")
        upgrade(engine, "activity")
        fill(engine, turns, running_hour=turns // 720, now=datetime.now(UTC))
        with engine.begin() as conn:
            capture.install(conn)
        make_pass(engine, datetime.now(UTC), RETENTION)
        # As autovacuum would have done it long ago.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
        yield engine
        engine.dispose()


@contextlib.contextmanager
def served(kind: str, home: Path, transcripts: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Run a server; yield its port and its process. It must end by itself within 20 seconds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program, *arguments = (word.format(port=port) for word in COMMANDS[kind])
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    env = {"ACTIVITY_HOME": str(home), "ACTIVITY_TRANSCRIPTS": str(transcripts)}
    log = home / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_served(port, server)
        yield port, psutil.Process(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)
        lines = [line for line in log.read_text().splitlines() if "[INFO]" not in line]
        print(f"\nThe server's log has {len(lines)} lines:", *lines[:20], sep="\n  ")


def wait_until_served(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the page answers."""
    for _ in range(600):
        if server.poll() is not None:
            sys.exit(f"The server has ended with {server.returncode}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/activity/version", timeout=20).close()
            return
        time.sleep(0.1)
    sys.exit("The server does not answer")


def measure(
    home: Path, port: int, process: psutil.Process, writer: Writer, given: argparse.Namespace
) -> None:
    """Measure without load and under it; with ``--until-it-breaks`` under more and more."""
    time.sleep(10)  # The first import and the first rebuild are no load.
    idle = without_load(port, writer)
    print(f"{given.server}, without load: {memory(process)}")
    show(idle, idle, 0)
    pages, clients = given.pages, given.clients
    while True:
        seen, started, used = Seen(), time.monotonic(), processor_seconds(home, process)
        works = [(stay_on_page, port, seen)] * pages + [(ask_api, port, seen)] * clients
        with running((writer.go_on,), *works):
            held = memory_by_minute(process, given.minutes)
        seconds = time.monotonic() - started
        print(f"\n{pages} pages, {clients} clients, {seconds:.0f} s: {memory(process)}")
        print("  MB after each minute: " + " ".join(f"{megabytes:.0f}" for megabytes in held))
        show(seen, idle, seconds)
        shares = {
            name: (total - used[name]) / seconds
            for name, total in processor_seconds(home, process).items()
        }
        print("  processors: " + ", ".join(f"{name} {n:.2f}" for name, n in shares.items()))
        if not given.until_it_breaks or seen.errors:
            return
        pages, clients = 2 * pages, 2 * clients


def without_load(port: int, writer: Writer) -> Seen:
    """Measure one page and one program; an agent writes before each change of the window."""
    seen = Seen()
    page, api = Page(port, seen), Client(port, seen)
    for number in range(60):
        writer.write(0)
        page.wait_for_news()
        page.choose(WINDOWS[number % 3])
        api.ask("api", PATHS[number % len(PATHS)])
        if number % 10 == 0:
            page.load()
    return seen


def memory_by_minute(process: psutil.Process, minutes: float) -> list[float]:
    """Wait for some minutes; return the megabytes of a server and its workers after each."""
    ends, held = time.monotonic() + 60 * minutes, []
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(60, left))
        held.append(sum(own_memory(process)))
    return held


def memory(process: psutil.Process) -> str:
    """Say how much memory a server and its workers have for themselves."""
    parts = own_memory(process)
    return f"{sum(parts):.0f} MB of its own in {len(parts)} processes"


def own_memory(process: psutil.Process) -> list[float]:
    """Return the megabytes that each process of a server has for itself.

    Those of PostgreSQL, of its supervisor and of the browser for pictures do not count.
    """
    parts = [process, *process.children(recursive=True)]
    own = [part for part in parts if "supervisor" not in " ".join(part.cmdline())]
    own = [part for part in own if part.name() != "postgres"]
    return [part.memory_full_info().uss / 1e6 for part in own]


def processor_seconds(home: Path, process: psutil.Process) -> dict[str, float]:
    """Return the processors' time so far of a server with its workers, PostgreSQL and clients."""
    used = dict.fromkeys(("server", "PostgreSQL", "clients"), 0.0)
    of_clients = os.times()
    used["clients"] = of_clients.user + of_clients.system
    for part in [process, *process.children(recursive=True)]:
        times = part.cpu_times()
        used["server"] += times.user + times.system
    postmaster = find_postmaster(data_folder(home))
    assert postmaster
    root = psutil.Process(postmaster.pid)
    for part in [root, *root.children()]:
        times = part.cpu_times()
        # With the connections that have ended.
        used["PostgreSQL"] += (
            times.user + times.system + times.children_user + times.children_system
        )
    return used


def show(seen: Seen, idle: Seen, seconds: float) -> None:
    """Print one line for each kind of request, and the errors."""
    for kind in KINDS:
        if not seen.seconds[kind]:
            continue
        median, most = seen.percentiles(kind)
        times = most / idle.percentiles("callback" if kind == "refresh" else kind)[1]
        rate = f"{len(seen.seconds[kind]) / seconds:7.1f}/s" if seconds else ""
        print(
            f"  {kind:9}{len(seen.seconds[kind]):8,} {rate:10} p50 {median * 1000:7.1f} ms"
            f"  p95 {most * 1000:7.1f} ms  p95 / idle {times:6.1f}"
        )
    print(f"  errors: {dict(seen.errors) or 'none'}")


def wait_for_turns(engine: Engine, expected: int) -> None:
    """Wait until all that was written is imported, two minutes at most."""
    for _ in range(240):
        with engine.connect() as conn:
            if conn.scalar(text("SELECT count(*) FROM turns")) == expected:
                return
        time.sleep(0.5)


def check(engine: Engine, expected: int) -> None:
    """Print how many turns are lost or doubled, and whether the tables equal a rebuild."""
    now = datetime.now(UTC)
    with engine.connect() as conn:
        found = conn.scalar(text("SELECT count(*) FROM turns"))
    make_pass(engine, now, RETENTION)
    again = rebuild(engine, now, RETENTION)
    exact = again is not None and not again.any
    print(f"\n{expected:,} turns written, {found:,} found; equal to a rebuild: {exact}")


if __name__ == "__main__":
    main()
