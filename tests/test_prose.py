"""The prose of the code: docstrings say what a thing is or does, and ask no questions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = Path(__file__).parents[1]

OPENING = re.compile(
    r"(What|Which|Where|How|Whose|Who|Whom|When|Whether|Whoever|Whatever|The same|One that|One who)"
    r"\b"
)
"""Words that make a first line an indirect question, or unreadable without its neighbour."""


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the docstrings of modules, classes and functions, and those below a constant."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            match statement:
                case ast.Expr(value=ast.Constant(value=str()) as text):
                    yield text


@pytest.mark.parametrize(
    "folder",
    ["aggregator", "dashboard", "migrations", "tests", "benchmarks", "docs", "examples", "tools"],
)
def test_the_first_line_of_a_docstring_has_a_subject_of_its_own(folder):
    offenders = []
    for path in sorted((CODE / folder).rglob("*.py")):
        for text in docstrings(ast.parse(path.read_text())):
            first_line = str(text.value).strip().partition("\n")[0]
            if OPENING.match(first_line):
                offenders.append(f"{path.relative_to(CODE)}:{text.lineno}: {first_line}")

    assert offenders == []
