from __future__ import annotations

import pkgutil
import re

from dashboard.page.bundles.dash import DASH_BUNDLE, dash_scripts
from dashboard.page.bundles.static_files import FOR_EVER

SUITES = "/activity/_dash-component-suites"


def test_dashs_scripts_are_one_that_browsers_keep(engine, open_page):
    client = open_page(engine).client
    html = client.get("/activity/").text

    [address] = re.findall(rf'src="({SUITES}[^"]+)"', html)
    answer = client.get(address)

    assert address.startswith(f"{SUITES}/dash/{DASH_BUNDLE}?m=")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Cache-Control"] == FOR_EVER
    # React, Dash, its components, and what it would load for the first graph and dropdown.
    for part in ("react-dom.production.min.js", "DashRenderer", "dash_html_components"):
        assert part in answer.text
    for path in ("dcc/async-graph.js", "dcc/async-dropdown.js"):
        assert pkgutil.get_data("dash", path) in answer.data
    assert client.get(f"{SUITES}/dash/{DASH_BUNDLE}?m=0").headers["Cache-Control"] == "no-cache"


def test_of_the_polyfill_only_what_browsers_need_is_left(tmp_path):
    (tmp_path / "regenerator-runtime.js").write_text("needed")
    tags = f"""<script src="{SUITES}/dash/deps/polyfill@7.v4_4_1m1.12.1.min.js"></script>"""

    assert dash_scripts(tags, tmp_path).bundle.startswith(b"needed\n")


def test_scripts_of_other_packages_stay_on_their_own(tmp_path):
    other = f'<script src="{SUITES}/dash_ag_grid/grid.v1m1.js"></script>'
    tags = f"""<script src="{SUITES}/dash/dash_table/bundle.v4_4_1m1.js"></script>\n{other}"""

    assert dash_scripts(tags, tmp_path).others == other
