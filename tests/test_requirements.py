"""The locked requirements: pinned, with hashes, and from nowhere in particular."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "requirements"
PINNED = re.compile(r"[a-z0-9-]+(\[[a-z,-]+\])?==\S+( ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def pins(name: str) -> set[str]:
    return {
        line.split(" ")[0] for line in (FOLDER / name).read_text().splitlines() if line[0] != " "
    }


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.name)
def test_each_line_is_a_pinned_package_or_its_hash(path):
    lines = path.read_text().splitlines()

    assert [line for line in lines if not PINNED.fullmatch(line) and not HASH.fullmatch(line)] == []


@pytest.mark.parametrize("part", ["serve.txt", "container.txt"])
def test_a_part_is_locked_as_everything_is(part):
    assert pins(part) <= pins("all.txt")
