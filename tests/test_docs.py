"""The documentation names files, headings and layers that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "examples" / "host" / "README.md",
]
FOLDERS = "aggregator|dashboard|tests|assets|benchmarks|migrations|examples|notebooks|docs|tools"
# Not in the middle of another path or of an address.
PATH = re.compile(rf"(?<![\w/.~-])(?:{FOLDERS})/[\w./-]*")
LINK = re.compile(r"\]\(([^()\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

of_every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes from a page's headings."""
    headings = HEADING.findall(FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(link: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / unquote(path)).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@of_every_page
def test_every_path_that_is_named_exists(page):
    paths = {path.rstrip(".") for path in PATH.findall(page.read_text())}

    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


@of_every_page
def test_every_relative_link_leads_to_a_file_or_a_heading(page):
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]

    assert [link for link in links if not leads_somewhere(link, page)] == []


@pytest.mark.parametrize("package", ["aggregator", "dashboard"])
def test_the_map_names_every_folder_and_module_of_a_package(package):
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    places = [
        path.relative_to(ROOT).as_posix() + "/" * path.is_dir()
        for path in (ROOT / package).iterdir()
        if not path.name.startswith(("__init__", "__pycache__", "py.typed", "."))
    ]

    assert sorted(place for place in places if f"`{place}`" not in architecture) == []


@pytest.mark.parametrize("package", ["aggregator", "dashboard"])
def test_the_layers_are_those_of_the_contract(package):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = (
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == [package]
    )
    drawn = "".join(f"    {layer}\n" for layer in contract["layers"])

    assert f"\n\n{drawn}\n" in (ROOT / "docs" / "architecture.md").read_text()
