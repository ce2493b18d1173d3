"""A release is built from a copy of this checkout, in a repository of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNRELEASED = "## [Unreleased]"


class Checkout:
    """A repository with the files of this one.

    Attributes:
        folder: Its folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q")

    def git(self, *words: str) -> None:
        name = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *name, *words], cwd=self.folder, check=True, capture_output=True)

    def commit(self, *, heading: str, tag: str | None = None) -> None:
        changelog = self.folder / "CHANGELOG.md"
        changelog.write_text(changelog.read_text().replace(UNRELEASED, heading, 1))
        self.git("add", "-A")
        self.git("commit", "-qm", "A version")
        if tag:
            self.git("tag", tag)

    def release(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "tools/release.py"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    """This checkout's files as version 7.8.9, whose changes are unreleased."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    settings = tmp_path / "pyproject.toml"
    version = re.compile(r'^version = ".+"$', re.MULTILINE)
    settings.write_text(version.sub('version = "7.8.9"', settings.read_text(), count=1))
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(f"# Changelog\n\n{UNRELEASED}\n")
    return Checkout(tmp_path)


def test_a_tag_becomes_a_wheel_and_a_source_archive_and_the_same_ones_again(checkout):
    checkout.commit(heading="## [7.8.9] - 2026-11-28", tag="v7.8.9")

    first, second = checkout.release(), checkout.release()

    assert (first.stderr, first.returncode) == ("", 0)
    assert re.fullmatch(
        r"[0-9a-f]{64}  dist/headspace_activity-7\.8\.9-py3-none-any\.whl\n"
        r"[0-9a-f]{64}  dist/headspace_activity-7\.8\.9\.tar\.gz\n",
        first.stdout,
    )
    assert second.stdout == first.stdout


@pytest.mark.parametrize(
    ("heading", "tag", "reason"),
    [
        ("## [7.8.9] - 2026-11-28", None, "the tag of this commit is none; expected v7.8.9"),
        ("## [7.8.9] - 2026-11-28", "v7.8", "the tag of this commit is v7.8; expected v7.8.9"),
        (
            UNRELEASED,
            "v7.8.9",
            "the first heading of CHANGELOG.md is [Unreleased]; expected [7.8.9] - and a date",
        ),
    ],
)
def test_names_of_the_version_that_differ_stop_a_release(checkout, heading, tag, reason):
    checkout.commit(heading=heading, tag=tag)

    done = checkout.release()

    assert (done.stdout, done.stderr, done.returncode) == ("", f"release: {reason}\n", 1)
    assert not (checkout.folder / "dist").exists()


def test_changed_files_stop_a_release(checkout):
    checkout.commit(heading="## [7.8.9] - 2026-11-28", tag="v7.8.9")
    (checkout.folder / "README.md").write_text("Changed\n")

    done = checkout.release()

    assert done.stderr == "release: files have changed since the last commit: README.md …\n"
