"""The target of an export: choose a file or folder, and write whole files there."""

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
    """A place to write to, and the format to write.

    Attributes:
        folder: Created if only its parent exists.
        name: Name of the one file; None for the files' own names.
        kind: Format of each picture, one of :data:`dashboard.pictures.formats.KINDS`.
        bundle: Format of one file with all charts, or None.
    """

    folder: Path
    name: str | None
    kind: str
    bundle: str | None


def find_target(chart: str, out: str | None, kind: str | None) -> Target:
    """Choose the target of an export.

    Args:
        chart: One of :data:`dashboard.export.parameters.CHARTS`.
        out: A file, a folder, or None for a file in the current folder.
        kind: The requested format, or None.

    Raises:
        ParameterError: The format is unknown, or contradicts the file's extension.
    """
    extensions = BUNDLES if chart == ALL else KINDS
    if out is None:
        extension = one_of("format", kind or extensions[0], extensions)
        return Target(Path(), None, *_of_file(chart, extension, None))
    path = Path(out)
    if out.endswith(("/", os.sep)) or path.is_dir():
        return Target(path, None, one_of("format", kind or KINDS[0], KINDS), None)
    extension = path.suffix.lower().removeprefix(".")
    if extension not in extensions:
        *others, last = (f".{name}" for name in extensions)
        shown = f"{', '.join(others)} or {last}"
        allowed = f"a name that ends in {shown}, or a folder with / at its end"
        raise ParameterError("out", out, allowed)
    return Target(path.parent, path.name, *_of_file(chart, extension, kind))


def _of_file(chart: str, extension: str, kind: str | None) -> tuple[str, str | None]:
    """Return the kind and the bundle of a file with this extension."""
    if extension == "zip":
        return one_of("format", kind or KINDS[0], KINDS), extension
    if kind not in (None, extension):
        raise ParameterError(
            "format", kind, f"{extension}, as the file's name ends in .{extension}"
        )
    return extension, extension if chart == ALL else None


def write(files: Sequence[File], target: Target) -> list[Path]:
    """Write files, each of them whole or not at all; return their paths.

    Raises:
        OutputError: The folder is missing, or there is no permission or no space.
    """
    check_folder(target)
    with _as_output_error(target.folder):
        target.folder.mkdir(exist_ok=True)
    paths = [target.folder / (target.name or file.name) for file in files]
    for path, file in zip(paths, files, strict=True):
        with _as_output_error(path):
            _replace(path, file.content)
    return paths


def check_folder(target: Target) -> None:
    """Check before any work that its result can be written.

    Raises:
        OutputError: The folder is missing.
    """
    folder = target.folder if target.name else target.folder.absolute().parent
    if not folder.is_dir():
        raise OutputError(target.folder / (target.name or ""), f"there is no folder {folder}")


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise OutputError(path, failure.strerror or str(failure)) from None
