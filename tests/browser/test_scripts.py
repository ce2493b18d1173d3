"""The page's scripts in one bundle: a browser runs each of them on its own."""

from __future__ import annotations

import pytest

from dashboard.page.bundles.assets import SCRIPT_BUNDLE, SCRIPTS, joined


@pytest.mark.console("Uncaught Error: broken")
def test_a_script_that_fails_is_reported_and_does_not_stop_the_others(dash_br, tmp_path):
    first, broken, *others = SCRIPTS
    for name in (first, *others):
        (tmp_path / name).write_text(f"(window.done ??= []).push('{name}');\n")
    (tmp_path / broken).write_text("throw new Error('broken');\n")

    dash_br.driver.execute_script(joined(tmp_path, SCRIPT_BUNDLE).decode())

    assert dash_br.driver.execute_script("return window.done") == [first, *others]
