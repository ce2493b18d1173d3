"""Benchmark of the import of transcripts: its speed and its peak memory.

    python benchmarks/import.py DIR [--runs 7] [--database-url URL] [--agentsview PATH]

DIR holds transcripts (``**/*.jsonl``). Prints medians of several runs:

* the floor: read the same files, and decode every line without using it;
* reading: the part of the import before it writes to the database;
* the whole first import into an empty PostgreSQL, in this process and in one of its own;
* ``agentsview sync`` of the same files into an empty home, if its path is given;
* peak memory for a line of 50 MB, a file of 200 MB, and a line too long to be read.

The database is the embedded one, or a scratch database on the server of the URL.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
from sqlalchemy import URL, create_engine, make_url, text

from aggregator.database.engine import connect, parse_url
from aggregator.schema.migrate import upgrade
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.transcripts.discovery import Transcript, find_transcripts
from aggregator.transcripts.importer import BUFFER, import_transcripts
from aggregator.transcripts.reading import Reading

MB = 1_000_000
SCRATCH = "activity_import_benchmark"


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--database-url")
    parser.add_argument("--agentsview", type=Path, metavar="PATH")
    given = parser.parse_args()
    # First, while this process is small: a child's peak begins at its parent's.
    show_memory()
    show_reading(given.folder, given.runs)
    with scratch_databases(given.database_url) as empty_database:
        alone, process = show_import(given.folder, given.runs, empty_database)
    if given.agentsview:
        theirs = agentsview_seconds(given.folder, given.runs, given.agentsview)
        compared = f"{theirs / alone:.1f} × the import, {theirs / process:.1f} × its process"
        print(f"{'agentsview sync':26}{theirs:8.3f} s  {compared}")


def median_seconds(runs: int, work: Callable[[], object]) -> float:
    """Return the median time of several runs of the work."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def show_reading(folder: Path, runs: int) -> None:
    """Compare reading with the floor."""
    found = find_transcripts([folder], must_exist=True)
    files = found.transcripts
    size = sum(file.size for file in files)
    lines = decode_only(files)  # also warms the file cache
    print(f"\n{len(files):,} files, {size / MB:,.1f} MB, {lines:,} lines")
    floor = median_seconds(runs, lambda: decode_only(files))
    reading = median_seconds(runs, lambda: read(files))
    for name, seconds in (("floor", floor), ("reading", reading)):
        speed = f"{size / MB / seconds:7,.0f} MB/s  {lines / seconds:9,.0f} lines/s"
        print(f"{name:26}{seconds:8.3f} s  {speed}")
    print(f"{'reading / floor':26}{reading / floor:8.2f}")


def decode_only(files: list[Transcript]) -> int:
    """Read files, decode and discard each line; return the number of lines."""
    lines = 0
    for file in files:
        with file.path.open("rb") as content:
            for line in content:
                lines += 1
                with contextlib.suppress(orjson.JSONDecodeError):
                    orjson.loads(line)
    return lines


def read(files: list[Transcript]) -> int:
    """Read files as the import does; return the number of turns."""
    turns = 0
    for file in files:
        reading = Reading(file.name)
        with file.path.open("rb", buffering=BUFFER) as content:
            if file.is_main:
                turns += sum(map(len, reading.read_on(content)))
            else:
                reading.read_sub_agent(content, file.path.stem)
    return turns


@contextlib.contextmanager
def scratch_databases(url: str | None) -> Iterator[Callable[[], URL]]:
    """Yield a function that empties a scratch database and returns its URL."""
    if url is None:
        with (
            tempfile.TemporaryDirectory() as home,
            EmbeddedPostgres(Path(home)) as server,
        ):
            yield lambda: with_tables(server.url(SCRATCH, fresh=True))
        return
    address = parse_url(url)
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    drop = text(f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)")

    def empty() -> URL:
        with engine.connect() as conn:
            conn.execute(drop)
            conn.execute(text(f"CREATE DATABASE {SCRATCH}"))
        return with_tables(address.set(database=SCRATCH))

    try:
        yield empty
    finally:
        with engine.connect() as conn:
            conn.execute(drop)
        engine.dispose()


def with_tables(url: URL) -> URL:
    """Create the tables in an empty database."""
    engine = connect(url, purpose="benchmark")
    upgrade(engine, "standalone")
    engine.dispose()
    return url


def show_import(folder: Path, runs: int, empty_database: Callable[[], URL]) -> tuple[float, float]:
    """Time first imports; return the medians inside this process and in one of their own."""
    inside, outside = [], []
    for _ in range(runs):
        engine = connect(empty_database(), purpose="benchmark")
        report = import_transcripts(engine, [folder])
        again = import_transcripts(engine, [folder])
        engine.dispose()
        inside.append((report.seconds, again.seconds))
        url = empty_database().render_as_string(hide_password=False)
        outside.append(process_seconds([sys.executable, __file__, "--child-import", url, folder]))
    first, second = (statistics.median(column) for column in zip(*inside, strict=True))
    print(f"{'first import':26}{first:8.3f} s  {report.turns:,} turns, {report.files:,} files")
    print(f"{'import of nothing new':26}{second:8.3f} s")
    print(f"{'first import, a process':26}{statistics.median(outside):8.3f} s")
    return first, statistics.median(outside)


def agentsview_seconds(folder: Path, runs: int, program: Path) -> float:
    """Return the median time of ``agentsview sync`` of the same files into an empty home.

    Unlike the import, it also stores and indexes the texts.
    """
    projects = folder / "projects" if (folder / "projects").is_dir() else folder
    seconds = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as home:
            shutil.copytree(projects, Path(home) / ".claude" / "projects")
            env = {"HOME": home, "PATH": os.defpath, "AGENTSVIEW_NO_DAEMON": "1"}
            seconds.append(process_seconds([program, "sync"], env))
    return statistics.median(seconds)


def process_seconds(command: list[object], env: dict[str, str] | None = None) -> float:
    """Run a program to its end; return the seconds it took."""
    started = time.perf_counter()
    subprocess.run([str(word) for word in command], env=env, check=True, capture_output=True)
    return time.perf_counter() - started


def show_memory() -> None:
    """Print the peak memory of reading files of extreme shapes."""
    line = orjson.dumps({"type": "progress", "data": "x" * 3_300}) + b"\n"
    print("peak memory of reading")
    with tempfile.TemporaryDirectory() as folder:
        nothing, path = 0.0, Path(folder) / "1.jsonl"
        for name, beginning, piece, times, end in (
            ("nothing", b"", b"", 0, b""),
            ("a line of 50 MB", b'{"type":"user","data":"', b"x" * MB, 50, b'"}\n'),
            ("a file of 200 MB", b"", line, 200 * MB // len(line), b""),
            ("a line of 200 MB, skipped", b'{"data":"', b"x" * MB, 200, b'"}\n'),
        ):
            with path.open("wb") as file:
                file.write(beginning)
                file.writelines(piece for _ in range(times))
                file.write(end)
            peak = float(
                subprocess.check_output([sys.executable, __file__, "--child-read", path], text=True)
            )
            nothing = nothing or peak
            print(f"  {name:24}{peak:8.1f} MB, {peak - nothing:6.1f} more than for nothing")


def child_read(path: Path) -> None:
    """Read one file in this child process; print the peak memory in MB."""
    read([file for file in find_transcripts([path.parent]).transcripts if file.path == path])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / MB if sys.platform == "darwin" else peak * 1024 / MB)


def child_import(url: str, folder: Path) -> None:
    """Import once in this child process."""
    import_transcripts(connect(make_url(url), purpose="benchmark"), [folder])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child-read"]:
        child_read(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--child-import"]:
        child_import(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
