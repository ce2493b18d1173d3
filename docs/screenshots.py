"""Take the screenshots of this folder from demo data: ``python docs/screenshots.py``."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FOLDER = Path(__file__).parent
# A week that is over, whatever day it is today.
LAST_WEEK = datetime.now(UTC).date() - timedelta(days=7)
SHOTS = (
    # file, query string, width and height in CSS pixels, colour scheme
    ("activity.png", f"?window=week&on={LAST_WEEK}&open=none", 1280, 1330, "light"),
    ("activity-dark.png", f"?window=week&on={LAST_WEEK}&people=agents", 1280, 1330, "dark"),
    ("activity-narrow.png", f"?window=week&on={LAST_WEEK}", 390, 1280, "light"),
)


@contextmanager
def demo_page() -> Iterator[str]:
    """Serve the demo from a database of its own; yields the page's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        command = ["-m", "dashboard", "serve", "--demo", "--home", home, "--port", str(port)]
        with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE) as server:
            try:
                assert server.stdout
                while b"Activity:" not in server.stdout.readline():
                    pass
                yield f"http://127.0.0.1:{port}/activity"
            finally:
                server.terminate()


def main() -> None:
    """Take them all with one browser."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options)
    with demo_page() as page:
        for name, query, width, height, scheme in SHOTS:
            is_phone = width < 500
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            colours = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", colours)
            browser.get(page + query)
            WebDriverWait(browser, 30).until(
                lambda driver: driver.find_elements(
                    By.CSS_SELECTOR, "#activity-chart .barlayer path"
                )
            )
            browser.save_screenshot(str(FOLDER / name))
    browser.quit()


if __name__ == "__main__":
    main()
