"""The real web server, in a process of its own, and clients that do it no good."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from dashboard.command_line.web_server import LARGEST_BODY

SERVER = """
from dashboard.command_line.listening import listen
from dashboard.command_line.web_server import serve_until_stopped

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()]

listener = listen("127.0.0.1", 0)
serve_until_stopped(
    application, listener, lambda: print(listener.getsockname()[1], flush=True), idle_seconds=2
)
"""


@pytest.fixture
def port() -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as process:
        yield int(process.stdout.readline())
        process.kill()


def status(port: int, length: int = 0) -> int:
    """Say that a body of some length will come; it follows only if it is welcome."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.putrequest("POST", "/")
    client.putheader("Content-Length", str(length))
    client.endheaders()
    if length <= LARGEST_BODY:
        client.send(b"x" * length)
    answer = client.getresponse()
    client.close()
    return answer.status


def trickle(connection: socket.socket, ended: threading.Event) -> None:
    """Send a request byte by byte, until the server has enough of it."""
    connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    connection.settimeout(0.05)
    while True:
        try:
            connection.sendall(b"x")
            if connection.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    ended.set()


def test_hundreds_of_idle_and_trickling_connections_keep_nobody_out_and_are_closed(port):
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    ends = [threading.Event() for _ in slow]
    for connection, ended in zip(slow, ends, strict=True):
        threading.Thread(target=trickle, args=(connection, ended), daemon=True).start()

    assert status(port) == 200

    for connection in idle:
        connection.settimeout(60)
        assert connection.recv(1) == b""
        connection.close()
    assert all(ended.wait(60) for ended in ends)
    for connection in slow:
        connection.close()


def test_a_body_that_is_too_large_is_refused(port):
    assert status(port, LARGEST_BODY) == 200
    assert status(port, LARGEST_BODY + 1) == 413
