"""The container image and its compose file: linters accept them, and the commands run."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
BIN = Path(sys.executable).parent


def command(instruction: str) -> list[str]:
    """Return the words of an instruction of the Dockerfile."""
    return json.loads(re.findall(rf"^{instruction} .*?(\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": f"{BIN}:/usr/bin:/bin", **variables}
    return subprocess.run(
        words, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "lint",
    [
        ["hadolint", "Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
    ],
    ids=lambda lint: lint[0],
)
def test_linters_accept_the_files(lint):
    done = run(*lint, HOME=os.environ["HOME"])

    assert done.returncode == 0, done.stdout + done.stderr


def test_without_a_database_the_container_says_what_to_set():
    done = run(*command("CMD"), ACTIVITY_PORT="5055")

    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "ACTIVITY_DATABASE_URL: is not set: postgresql://user:password@host/name" in done.stderr


@pytest.mark.parametrize(("insecure", "expected"), [("yes", 200), ("no", 401)])
def test_the_container_serves_a_database_of_others_and_is_found_healthy(
    postgres, tmp_path, insecure, expected
):
    url = postgres.url("tests_container", fresh=True).render_as_string(hide_password=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "ACTIVITY_PORT": str(port),
        "ACTIVITY_DATABASE_URL": url,
        "ACTIVITY_TRANSCRIPTS": str(tmp_path),
        "ACTIVITY_HOME": str(tmp_path),
        "ACTIVITY_INSECURE": insecure,
    }
    with subprocess.Popen(command("CMD"), cwd=tmp_path, env=environ, stderr=subprocess.PIPE) as it:
        next(line for line in it.stderr if b"Listening at" in line)
        # Answered as soon as a worker is ready; the check of the image does not wait that long.
        page = http.client.HTTPConnection("127.0.0.1", port)
        page.request("GET", "/activity/")
        status = page.getresponse().status
        page.close()
        health = run(*command("HEALTHCHECK"), **environ)
        it.send_signal(signal.SIGTERM)
        it.communicate()

    assert (health.returncode, status, it.returncode) == (0, expected, 0), health.stderr
    assert run(*command("HEALTHCHECK"), **environ).returncode == 1
