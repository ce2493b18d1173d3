from __future__ import annotations

import re

import pytest

from aggregator.shipped import shipped_folder
from dashboard.context import API_STYLE
from dashboard.page.bundles.assets import SCRIPT_BUNDLE, SCRIPTS, STYLE_BUNDLE, STYLES, joined

FOLDER = shipped_folder("dashboard", "assets")
ALONE = {
    "plotly-activity.min.js",
    "plotly-activity.min.js.br",
    "plotly.LICENSE.txt",
    "regenerator-runtime.js",
    "access.js",
    API_STYLE,
}


def test_every_script_and_style_sheet_has_its_place_in_one_list():
    listed = [*SCRIPTS, *STYLES]

    assert sorted(listed) == sorted(
        file.name for file in FOLDER.iterdir() if file.name not in ALONE
    )


@pytest.mark.parametrize(("bundle", "names"), [(SCRIPT_BUNDLE, SCRIPTS), (STYLE_BUNDLE, STYLES)])
def test_a_bundle_holds_its_files_in_order_each_below_its_name(bundle, names):
    content = joined(FOLDER, bundle).decode()

    assert tuple(re.findall(r"^/\* ([\w-]+\.\w+) \*/$", content, re.MULTILINE)) == names
    assert [name for name in names if (FOLDER / name).read_text() not in content] == []


def test_a_file_that_is_missing_stops_the_start(tmp_path):
    with pytest.raises(FileNotFoundError, match=SCRIPTS[0]):
        joined(tmp_path, SCRIPT_BUNDLE)
