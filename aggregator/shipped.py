"""Locate data files that are distributed with a package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def shipped_folder(package: str, name: str) -> Path:
    """Return the path of a data folder of a package.

    It is inside the package in a wheel, and next to it in a checkout.
    """
    home = Path(str(files(package)))
    inside = home / name
    return inside if inside.is_dir() else home.parent / name
