"""The public names: one table in the documentation, which the packages keep."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
TABLE = re.search(r"^## Public names\n.*?\n\n((?:\|.*\n)+)", ARCHITECTURE, re.M | re.S)[1]
IMPORT = re.compile(r"\bfrom ((?:aggregator|dashboard)[\w.]*) import ([\w, ]+)")
FACTORY = re.compile(r"\b((?:aggregator|dashboard)[\w.]*):(\w+)\b")
SHOWN_TO_OTHERS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted(path for path in (ROOT / "examples").rglob("*") if path.suffix in (".md", ".py")),
]


def imports(text: str) -> dict[str, set[str]]:
    """The names that each module is asked for."""
    found: dict[str, set[str]] = {}
    for module, names in IMPORT.findall(text):
        found.setdefault(module, set()).update(name.strip() for name in names.split(","))
    return found


def code_of(path: Path) -> str:
    if path.suffix != ".ipynb":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


PUBLIC = imports(TABLE)


@pytest.mark.parametrize("module", PUBLIC)
def test_a_package_offers_what_the_table_has_and_nothing_else(module):
    package = import_module(module)

    assert set(package.__all__) == PUBLIC[module]
    assert [name for name in package.__all__ if not hasattr(package, name)] == []
    assert not hasattr(package, "nothing_of_this_name")


def test_both_packages_are_in_the_table():
    assert {"aggregator", "dashboard"} <= set(PUBLIC)


def test_a_factory_in_the_table_can_be_called():
    factories = FACTORY.findall(TABLE)

    assert factories == [("dashboard.server", "create_app")]
    assert all(callable(getattr(import_module(module), name)) for module, name in factories)


@pytest.mark.parametrize(
    "path", SHOWN_TO_OTHERS, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_what_others_copy_imports_public_names_only(path):
    found = imports(code_of(path))

    private = [
        f"{module}.{name}"
        for module, names in found.items()
        for name in sorted(names - PUBLIC.get(module, set()))
    ]
    assert private == []


@pytest.mark.parametrize("package", ["aggregator", "dashboard"])
def test_a_package_alone_loads_nothing_heavy(package):
    code = (
        f"import sys, {package}; dir({package}); "
        "print({'pandas', 'dash', 'flask', 'plotly', 'sqlalchemy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
