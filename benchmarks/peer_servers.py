"""The servers of a comparison: ours, agentsview, and a page with one chart and nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import brotli
from flask import Flask, Response
from platformdirs import user_cache_path
from plotly.offline import get_plotlyjs_version
from waitress.server import create_server

AGENTSVIEW = "0.46.1"
LIMIT_PLOTLY = "plotly.js-cartesian-dist-min"
CACHE = user_cache_path("headspace-activity-benchmarks")
CHART = """
const x = [...Array(168).keys()].map((hour) => new Date(3.6e6 * hour + 1.79e12).toISOString());
const data = [...Array(8).keys()].map((project) => ({
  type: "bar", name: `project-${project}`, x, y: x.map((_, hour) => (hour * 7 + project * 3) % 11),
}));
Plotly.newPlot("chart", data, { barmode: "stack", height: 320 }, { displayModeBar: false });
"""


class NotInstalledError(Exception):
    """A registry does not give what is compared with."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that is compared.

    Attributes:
        serve: Its command that serves the page, without the port.
        env: The environment of its processes.
        page: Path of its page.
        importing: Its command that imports all transcripts.
        stop: Its command that ends what the import leaves running, if it does.
    """

    serve: list[str]
    env: dict[str, str]
    page: str
    importing: list[str]
    stop: list[str] | None = None


def ours(transcripts: Path, home: Path) -> Peer:
    """Return this project's command."""
    program = str(Path(sys.executable).with_name("headspace-activity"))
    where = ["--home", str(home), "--transcripts", str(transcripts)]
    return Peer(
        [program, "serve", *where, "--port"],
        dict(os.environ),
        "/activity/?window=day",
        [program, "import", *where],
    )


def agentsview(home: Path) -> Peer:
    """Install agentsview in an environment of its own, and return its command.

    It reads ``.claude/projects`` of its home.

    Raises:
        NotInstalledError: pip does not get it.
    """
    folder = CACHE / f"agentsview-{AGENTSVIEW}"
    program = folder / "bin" / "agentsview"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [folder / "bin" / "pip", "install", "--quiet", f"agentsview=={AGENTSVIEW}"]
        if subprocess.run(install, check=False, capture_output=True).returncode:
            shutil.rmtree(folder)
            raise NotInstalledError(f"agentsview {AGENTSVIEW} (pip)")
    env = {"HOME": str(home), "PATH": os.defpath}
    serve = [str(program), "serve", "--no-browser", "--no-update-check", "--port"]
    stop = [str(program), "daemon", "stop"]
    return Peer(serve, env, "/activity", [str(program), "sync"], stop)


def import_all(peer: Peer) -> float:
    """Import all transcripts in a process of its own; return its seconds."""
    started = time.perf_counter()
    try:
        subprocess.run(peer.importing, env=peer.env, check=True, capture_output=True)
        return time.perf_counter() - started
    finally:
        if peer.stop:
            subprocess.run(peer.stop, env=peer.env, check=True, capture_output=True)


@contextlib.contextmanager
def served(peer: Peer) -> Iterator[str]:
    """Run a peer's server; yield the address of its page. The server ends with its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*peer.serve, str(port)], env=peer.env, **silent) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}{peer.page}", server)
            yield f"http://127.0.0.1:{port}{peer.page}"
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_for(address: str, server: subprocess.Popen[bytes], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"the server of {address} has ended")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(address, timeout=20).close()
            return
        time.sleep(0.1)
    raise TimeoutError(f"{address} does not answer")


def limit_plotly() -> bytes:
    """Fetch Plotly's own bundle for such charts, compressed.

    Raises:
        NotInstalledError: npm does not get it.
    """
    version = get_plotlyjs_version()
    file = CACHE / f"{LIMIT_PLOTLY}-{version}.br"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        pack = ["npm", "pack", "--silent", f"{LIMIT_PLOTLY}@{version}"]
        if (
            not shutil.which("npm")
            or subprocess.run(pack, check=False, cwd=CACHE, capture_output=True).returncode
        ):
            raise NotInstalledError(f"{LIMIT_PLOTLY} {version} (npm)")
        [archive] = CACHE.glob(f"{LIMIT_PLOTLY}*.tgz")
        with tarfile.open(archive) as packed:
            script = packed.extractfile("package/plotly-cartesian.min.js")
            assert script
            file.write_bytes(brotli.compress(script.read(), quality=9))
        archive.unlink()
    return file.read_bytes()


@contextlib.contextmanager
def limit_page() -> Iterator[str]:
    """Serve a page with nothing but Plotly and one stacked bar chart; yield its address."""
    app, plotly = Flask("limit"), limit_plotly()
    for_ever = {"Cache-Control": "public, max-age=31536000, immutable"}
    scripts = '<script src="plotly.js"></script><script src="chart.js"></script>'

    @app.get("/")
    def page() -> str:
        return f'<!DOCTYPE html><html><body><div id="chart"></div>{scripts}</body></html>'

    @app.get("/<name>.js")
    def script(name: str) -> Response:
        if name == "chart":
            return Response(CHART, mimetype="text/javascript", headers=for_ever)
        headers = {**for_ever, "Content-Encoding": "br"}
        return Response(plotly, mimetype="text/javascript", headers=headers)

    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}/"
    finally:
        server.close()
        thread.join(timeout=5)
