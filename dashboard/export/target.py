"""Where the files of an export go, and how they get there whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aggregator.errors import ParameterError
from aggregator.parameters import one_of
from dashboard.errors import OutputError
from dashboard.export.bundles import File
from dashboard.export.parameters import ALL, BUNDLES
from dashboard.pictures.formats import KINDS


@dataclass(frozen=True, slots=True)
class Target:
    """Where to write, and in which format.

    Attributes:
        folder: It is made if only its parent is there.
        name: Of the one file; None for the files' own names.
        kind: Of each picture, one of :data:`dashboard.pictures.formats.KINDS`.
        bundle: For all charts in one file, how; or None.
    """

    folder: Path
    name: str | None
    kind: str
    bundle: str | None


def find_target(chart: str, out: str | None, kind: str | None) -> Target:
    """Read where an export is to go.

    Args:
        chart: One of :data:`dashboard.export.parameters.CHARTS`.
        out: A file, a folder, or None for a file in the present one.
        kind: The format that is asked for, or None.

    Raises:
        ParameterError: The format is none, or not the one that the file's name ends in.
    """
    endings = BUNDLES if chart == ALL else KINDS
    if out is None:
        ending = one_of("format", kind or endings[0], endings)
        return Target(Path(), None, *_of_file(chart, ending, None))
    path = Path(out)
    if out.endswith(("/", os.sep)) or path.is_dir():
        return Target(path, None, one_of("format", kind or KINDS[0], KINDS), None)
    ending = path.suffix.lower().removeprefix(".")
    if ending not in endings:
        *others, last = (f".{one}" for one in endings)
        shown = f"{', '.join(others)} or {last}"
        allowed = f"a name that ends in {shown}, or a folder with / at its end"
        raise ParameterError("out", out, allowed)
    return Target(path.parent, path.name, *_of_file(chart, ending, kind))


def _of_file(chart: str, ending: str, kind: str | None) -> tuple[str, str | None]:
    """Kind and bundle of a file with an ending."""
    if ending == "zip":
        return one_of("format", kind or KINDS[0], KINDS), ending
    if kind not in (None, ending):
        raise ParameterError("format", kind, f"{ending}, in which the file's name ends")
    return ending, ending if chart == ALL else None


def write(files: Sequence[File], target: Target) -> list[Path]:
    """Write files, each of them whole or not at all, and tell where.

    Raises:
        OutputError: The folder is missing, or there is no right or no room.
    """
    check_folder(target)
    with _refusing(target.folder):
        target.folder.mkdir(exist_ok=True)
    paths = [target.folder / (target.name or file.name) for file in files]
    for path, file in zip(paths, files, strict=True):
        with _refusing(path):
            _replace(path, file.content)
    return paths


def check_folder(target: Target) -> None:
    """Say before any work that there is no place for its result.

    Raises:
        OutputError: There is none.
    """
    there = target.folder if target.name else target.folder.absolute().parent
    if not there.is_dir():
        raise OutputError(target.folder / (target.name or ""), f"there is no folder {there}")


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise OutputError(path, failure.strerror or str(failure)) from None
