from __future__ import annotations

import os
from pathlib import Path

import pytest

from aggregator.errors import ParameterError
from dashboard.errors import OutputError
from dashboard.export.bundles import File
from dashboard.export.target import Target, find_target, write

FILES = [File("a.png", "A", b"one"), File("b.png", "B", b"two")]


@pytest.mark.parametrize(
    ("chart", "out", "kind", "target"),
    [
        ("turns", None, None, Target(Path(), None, "png", None)),
        ("turns", None, "svg", Target(Path(), None, "svg", None)),
        ("turns", "x/week.PDF", None, Target(Path("x"), "week.PDF", "pdf", None)),
        ("turns", "week.png", "png", Target(Path(), "week.png", "png", None)),
        ("turns", "weeks/", None, Target(Path("weeks"), None, "png", None)),
        ("all", None, None, Target(Path(), None, "pdf", "pdf")),
        ("all", None, "zip", Target(Path(), None, "png", "zip")),
        ("all", "report.pdf", None, Target(Path(), "report.pdf", "pdf", "pdf")),
        ("all", "report.zip", None, Target(Path(), "report.zip", "png", "zip")),
        ("all", "report.zip", "svg", Target(Path(), "report.zip", "svg", "zip")),
        ("all", "weeks/", "svg", Target(Path("weeks"), None, "svg", None)),
    ],
)
def test_the_format_is_the_ending_of_the_name(chart, out, kind, target):
    assert find_target(chart, out, kind) == target


def test_a_folder_that_is_there_needs_no_slash(tmp_path):
    assert find_target("all", str(tmp_path), None) == Target(tmp_path, None, "png", None)


@pytest.mark.parametrize(
    ("chart", "out", "kind", "words"),
    [
        ("turns", None, "gif", "format: 'gif' is not allowed; expected png, svg or pdf"),
        ("turns", "x", None, "out: 'x' is not allowed; expected a name that ends in .png, .svg or"),
        ("turns", "x.zip", None, "out: 'x.zip' is not allowed; expected a name that ends in .png"),
        ("turns", "x.png", "svg", "format: 'svg' is not allowed; expected png, as the file"),
        ("all", "x.png", None, "out: 'x.png' is not allowed; expected a name that ends in .pdf or"),
        ("all", "x.pdf", "png", "format: 'png' is not allowed; expected pdf, as the file's name"),
        ("all", None, "png", "format: 'png' is not allowed; expected pdf or zip"),
        ("all", "x/", "zip", "format: 'zip' is not allowed; expected png, svg or pdf"),
    ],
)
def test_a_format_and_a_name_that_do_not_go_together_are_refused(chart, out, kind, words):
    with pytest.raises(ParameterError) as refusal:
        find_target(chart, out, kind)

    assert str(refusal.value).startswith(words)


def test_files_are_written_as_any_others(tmp_path):
    paths = write(FILES, Target(tmp_path / "new", None, "png", None))

    assert [(path, path.read_bytes()) for path in paths] == [
        (tmp_path / "new" / "a.png", b"one"),
        (tmp_path / "new" / "b.png", b"two"),
    ]
    umask = os.umask(0)
    os.umask(umask)
    assert paths[0].stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "a.png" / "kept").touch()

    with pytest.raises(OutputError) as refusal:
        write(FILES[:1], Target(tmp_path, "a.png", "png", None))

    assert str(refusal.value) == f"cannot write {tmp_path}/a.png: Is a directory"
    assert [path.name for path in tmp_path.rglob("*")] == ["a.png", "kept"]


def test_a_folder_is_made_but_not_the_one_above_it(tmp_path):
    with pytest.raises(OutputError) as refusal:
        write(FILES, Target(tmp_path / "x" / "y", None, "png", None))

    assert str(refusal.value) == f"cannot write {tmp_path}/x/y: there is no folder {tmp_path}/x"
