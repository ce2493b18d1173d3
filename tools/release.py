"""Build the wheel and the source archive of a version, after all that names it agrees.

``make release`` runs it on a clean checkout of a tag. The version is that of
``pyproject.toml``; the tag is ``v`` and the version, and the changelog begins with it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from packaging.metadata import InvalidMetadata, Metadata

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
DATED = r"\[{version}\] - \d{{4}}-\d\d-\d\d"


class NotReadyError(Exception):
    """The checkout is not a version that can be released."""


def git(*words: str) -> str:
    """Return the output of git; empty if it fails."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def check_version() -> str:
    """Return the version, after comparing all places that name it.

    Raises:
        NotReadyError: Files have changed, or the tag or the changelog differ.
    """
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    if changed := git("status", "--porcelain"):
        raise NotReadyError(f"files have changed since the last commit: {changed.split()[1]} …")
    tags = git("tag", "--points-at", "HEAD").split()
    if f"v{version}" not in tags:
        found = ", ".join(tags) or "none"
        raise NotReadyError(f"the tag of this commit is {found}; expected v{version}")
    heading = HEADING.search((ROOT / "CHANGELOG.md").read_text())
    first = heading[1] if heading else "none"
    if not re.fullmatch(DATED.format(version=re.escape(version)), first):
        raise NotReadyError(
            f"the first heading of CHANGELOG.md is {first}; expected [{version}] - and a date"
        )
    return version


def build(source: Path, target: Path, kind: str) -> Path:
    """Build a ``wheel`` or an ``sdist`` with the locked hatchling; return the file."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct")}
    before = set(target.glob("*"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(command, cwd=source, env=environ, check=True, capture_output=True)
    [built] = set(target.glob("*")) - before
    return built


def check_contents(wheel: Path, archive: Path, version: str) -> None:
    """Check the metadata, and that the archive gives the same wheel.

    Raises:
        NotReadyError: They do not fit.
    """
    with ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        raw = files.read(name)
    try:
        metadata = Metadata.from_email(raw, validate=True)
    except* InvalidMetadata as group:
        problems = "; ".join(str(problem) for problem in group.exceptions)
        raise NotReadyError(f"{wheel.name}: {problems}") from None
    if str(metadata.version) != version or not metadata.description:
        raise NotReadyError(f"{wheel.name} is version {metadata.version}; expected {version}")
    with TemporaryDirectory() as folder, tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
        [source] = Path(folder).iterdir()
        again = build(source, Path(folder), "wheel")
        if digest(again) != digest(wheel):
            raise NotReadyError(f"{archive.name} does not give the wheel of the checkout")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Check, build, and print the files with their digests."""
    try:
        version = check_version()
        DIST.mkdir(exist_ok=True)
        for old in DIST.glob(f"headspace_activity-{version}[-.]*"):
            old.unlink()
        wheel, archive = build(ROOT, DIST, "wheel"), build(ROOT, DIST, "sdist")
        check_contents(wheel, archive, version)
    except NotReadyError as reason:
        sys.exit(f"release: {reason}")
    for path in (wheel, archive):
        print(f"{digest(path)}  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
