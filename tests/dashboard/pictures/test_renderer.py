"""Pictures by a real Chromium, which must run no longer than it is needed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO

import psutil
import pypdf
import pytest

from aggregator.installation import this_installation
from dashboard.errors import (
    BrowserMissingError,
    PictureFailedError,
    PicturePackageMissingError,
    PicturesBusyError,
)
from dashboard.pictures.formats import Drawing
from dashboard.pictures.renderer import Renderer


def drawing(title="Turns", kind="png", scale=1.0, width=300, height=200):
    """A red bar below a title."""
    bar = {"type": "bar", "x": ["a"], "y": [1], "marker": {"color": "#ff0000"}}
    layout = {"width": width, "height": height, "title": {"text": title}}
    return Drawing({"data": [bar], "layout": layout}, kind, scale)


def until(found, seconds=30):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_png_has_its_size_and_shows_the_chart(renderer, decode_png):
    large, small = renderer.draw([drawing(width=1200, height=500, scale=2), drawing(scale=1.5)])

    assert (large[16:24].hex(), large[:4]) == ("00000960000003e8", b"\x89PNG")
    width, height, colours = decode_png(small)
    assert (width, height) == (450, 300)
    assert 0.02 < colours[b"\xff\x00\x00"] / (width * height) < 0.8
    assert len(colours) > 10


def test_an_svg_holds_its_title(renderer):
    [content] = renderer.draw([drawing("Turns of <b>", kind="svg")])

    head, text = content.decode()[:200], content.decode()
    assert re.search(r'<svg class="main-svg" [^>]*width="300" height="200"', head)
    assert "Turns of " in text


def test_a_pdf_is_one_page_of_its_size_with_the_title_as_text(renderer):
    [content] = renderer.draw([drawing("Turns per hour", kind="pdf", width=1200, height=500)])

    [page] = pypdf.PdfReader(BytesIO(content)).pages
    # 96 pixels are an inch, and that 72 points; Chromium rounds to pixels of its own.
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
        (900, 375), abs=0.5
    )
    assert "Turns per hour" in page.extract_text()


def test_twenty_pictures_start_the_browser_once(renderer, supervisors):
    seen = set()
    for number in range(20):
        renderer.draw([drawing(f"Number {number}")])
        seen |= {process.pid for process in supervisors()}

    assert len(seen) == 1


def test_each_thread_gets_its_own_pictures(renderer):
    def draw(name):
        return [renderer.draw([drawing(f"{name}-{n}-", kind="svg")])[0] for n in range(4)]

    with ThreadPoolExecutor(3) as threads:
        drawn = list(threads.map(draw, ["ada", "bob", "cyd"]))

    titles = [
        re.findall(rb"(?:ada|bob|cyd)-[0-9]-", picture)[0] for own in drawn for picture in own
    ]
    assert titles == [b"%s-%d-" % (name, n) for name in (b"ada", b"bob", b"cyd") for n in range(4)]


@pytest.mark.parametrize("part", ["browser", "tab"])
def test_a_browser_that_was_killed_is_replaced(renderer, supervisors, part):
    renderer.draw([drawing()])
    [supervisor] = supervisors()
    for process in supervisor.children(recursive=part == "tab"):
        # A kernel that is out of memory kills the tab first.
        with suppress(psutil.NoSuchProcess):
            if part == "browser" or "--type=renderer" in process.cmdline():
                process.kill()

    [content] = renderer.draw([drawing("After", kind="svg")])

    assert b"After" in content
    until(lambda: len(supervisors()) == 1)
    assert supervisors() != [supervisor]


def test_a_figure_that_plotly_refuses_is_an_error_and_the_next_one_is_drawn(renderer):
    broken = Drawing({"data": "no traces", "layout": {"width": 300, "height": 200}}, "png", 1)

    with pytest.raises(PictureFailedError, match="the picture could not be drawn: "):
        renderer.draw([broken])

    assert renderer.draw([drawing(kind="svg")])


def test_an_idle_browser_ends_and_another_one_starts_with_the_next_picture(supervisors):
    own = Renderer(idle_seconds=0.1)
    others = supervisors()
    try:
        own.draw([drawing()])
        until(lambda: supervisors() == others)
        assert own.draw([drawing(kind="svg")])
    finally:
        own.close()
    assert supervisors() == others


def test_a_picture_that_takes_too_long_is_given_up(supervisors):
    own = Renderer(picture_seconds=0.001)
    try:
        with pytest.raises(PictureFailedError, match=r"the browser took longer than 0\.001 s"):
            own.draw([drawing()])
    finally:
        own.close()


def test_when_all_places_are_taken_the_next_is_turned_away():
    own = Renderer(places=2)

    def wanted():
        """Request pictures while this call and another one occupy a place."""
        with pytest.raises(PicturesBusyError, match="2 exports are being drawn or are waiting"):
            own.draw([])
        yield from ()

    def others():
        own.draw(wanted())
        yield from ()

    assert own.draw(others()) == []
    # And the places are free again.
    assert own.draw([]) == []


def test_without_chrome_there_is_a_command_that_installs_one(monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chrome")
    own = Renderer()
    try:
        with pytest.raises(BrowserMissingError) as refusal:
            own.draw([drawing()])
    finally:
        own.close()

    assert re.fullmatch(
        "pictures need Chrome or Chromium, and none was found at /nowhere/chrome; "
        "run: (apt-get install chromium|plotly_get_chrome)",
        str(refusal.value),
    )


def test_a_chrome_that_does_not_start_is_named(monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/bin/false")
    own = Renderer()
    try:
        with pytest.raises(PictureFailedError, match="/bin/false did not start"):
            own.draw([drawing()])
    finally:
        own.close()


def test_without_kaleido_there_is_a_command_that_installs_it(monkeypatch):
    for module in ("dashboard.pictures.render_thread", "dashboard.pictures.browser"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "kaleido", None)

    with pytest.raises(PicturePackageMissingError) as refusal:
        Renderer().draw([drawing()])

    assert str(refusal.value) == (
        "a picture needs the package kaleido, of the extra png; "
        f"run: {this_installation().install_command('png')}"
    )


def test_nothing_imports_kaleido_before_the_first_picture():
    code = "import sys, dashboard.page.mount; print({'kaleido', 'pypdf'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


PROGRAM = """
import os
from dashboard.pictures.formats import Drawing
from dashboard.pictures.renderer import shared

chart = {"data": [{"type": "bar", "y": [1]}], "layout": {"width": 300, "height": 200}}
draw = lambda: len(shared.draw([Drawing(chart, "svg", 1)])[0]) > 1000
print(draw(), flush=True)
"""
WAITING = f"{PROGRAM}\nimport signal; signal.pause()"
FORKING = f"""{PROGRAM}
child = os.fork()
if child:
    os.waitpid(child, 0)
    # With the same browser: another one would have left a message.
    print(draw(), flush=True)
"""


def test_a_deep_folder_for_temporary_files_is_no_obstacle(program, home):
    deep = home / "as" / ("deep" * 20)
    deep.mkdir(parents=True)

    with program(PROGRAM, TMPDIR=str(deep)) as process:
        said, errors = process.communicate(timeout=60)

    assert (said, errors) == ("True\n", "")


@pytest.fixture
def program(home):
    """Start a program with its temporary files in a separate folder."""

    def start(code, **environ):
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "TMPDIR": str(home), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def assert_nothing_is_left(home):
    """Check that a folder has no file, and that no process uses it."""
    until(lambda: not list(home.iterdir()))
    until(lambda: not [one for one in psutil.process_iter() if _speaks_of(one, home)])


def _speaks_of(process, folder):
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return any(str(folder) in word for word in process.cmdline())
    return False


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_killed_leaves_no_browser_and_no_files(program, home, end):
    with program(WAITING) as process:
        assert process.stdout.readline() == "True\n"
        assert [path.name[:18] for path in home.iterdir()] == ["activity-chromium-"]

        process.send_signal(end)

    assert process.returncode == -end
    assert_nothing_is_left(home)


def test_a_forked_child_leaves_the_browser_to_its_parent(program, home):
    with program(FORKING) as process:
        said, errors = process.communicate(timeout=60)

    assert (said, errors) == ("True\nTrue\n", "")
    assert_nothing_is_left(home)
