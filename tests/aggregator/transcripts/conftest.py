from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "projects"


@pytest.fixture
def put(folder):
    """Write a transcript with a later modification time each, however fast the test is."""
    ticks = iter(range(1, 1_000_000))

    def write(name: str, *lines: bytes) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(lines))
        os.utime(path, ns=(0, 1_700_000_000_000_000_000 + next(ticks)))
        return path

    return write
