"""Files that travel with a package without being Python."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def shipped_folder(package: str, name: str) -> Path:
    """Where a folder that travels with a package is.

    In a wheel it stands inside the package, in a checkout beside it.
    """
    home = Path(str(files(package)))
    inside = home / name
    return inside if inside.is_dir() else home.parent / name
