from __future__ import annotations

import pytest

from aggregator.shipped import shipped_folder


@pytest.mark.parametrize(
    ("package", "folder", "file"),
    [("aggregator", "migrations", "env.py"), ("dashboard", "assets", "activity.css")],
)
def test_folders_that_travel_with_a_package_are_found(package, folder, file):
    assert (shipped_folder(package, folder) / file).is_file()
