"""A headless Chromium that draws figures: start it, draw with it, end it.

Like :mod:`dashboard.pictures.chromium`, import this module only when there is something to draw.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from kaleido import Kaleido, PageGenerator  # type: ignore[import-untyped]
from kaleido.errors import KaleidoError  # type: ignore[import-untyped]

from aggregator.shipped import shipped_folder
from dashboard.errors import PictureFailedError
from dashboard.pictures.chromium import (
    ForgettablePipe,
    SupervisedChromium,
    find_chromium,
    new_folder,
)
from dashboard.pictures.formats import Drawing

START_SECONDS = 60.0
"""Long, because a first start on a busy machine reads hundreds of megabytes."""
END_SECONDS = 5.0
STYLE = "<style>@page { margin: 0 } #kaleido-image { display: block }</style>"
"""Without this, a PDF has a margin, and the picture is shrunk and cut off."""

Result = TypeVar("Result")

# They log every step, and a host may record every message.
for _noisy in ("kaleido", "choreographer", "browser_proc"):
    logging.getLogger(_noisy).setLevel(logging.ERROR)


class BrowserLostError(Exception):
    """The browser has ended, or no longer answers sensibly."""


class PictureBrowser:
    """A running Chromium. Use it only on the event loop that started it.

    Args:
        kaleido: The open Kaleido.
        pipe: Kaleido's pipe to the browser.
        folder: Folder of all the browser's files.
    """

    def __init__(self, kaleido: Kaleido, pipe: ForgettablePipe, folder: Path) -> None:
        self._kaleido = kaleido
        self._pipe = pipe
        self._folder = folder
        self._crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(cls) -> PictureBrowser:
        """Start a browser.

        Raises:
            BrowserMissingError: There is no Chrome or Chromium.
            PictureFailedError: The browser does not start.
        """
        path = find_chromium()
        folder = new_folder(path)
        pipe = ForgettablePipe()
        kaleido = Kaleido(
            path=path,
            timeout=None,  # We have our own.
            page_generator=_write_page(folder),
            browser_cls=SupervisedChromium,
            channel_cls=lambda: pipe,
            folder=folder,
        )
        browser = cls(kaleido, pipe, folder)
        try:
            await browser._open(path)
        except BaseException:
            await browser.end()
            raise
        return browser

    async def _open(self, path: str) -> None:
        try:
            await _within(START_SECONDS, self._kaleido.open(), self._crash)
            for tab in self._kaleido.tabs.values():
                tab.subscribe("Inspector.targetCrashed", self._note_crash)
                await _within(START_SECONDS, tab.send_command("Inspector.enable"), self._crash)
        except Exception as failure:
            raise PictureFailedError(f"{path} did not start") from failure

    async def _note_crash(self, _: object) -> None:
        """Note a crash: Kaleido itself would keep waiting for the browser."""
        if not self._crash.done():
            self._crash.set_result(None)

    @property
    def is_running(self) -> bool:
        """True while the browser's process is running."""
        process: subprocess.Popen[bytes] = self._kaleido.subprocess
        return process.poll() is None

    async def draw(self, drawing: Drawing, seconds: float) -> bytes:
        """Draw a figure.

        Args:
            drawing: The figure and its format.
            seconds: Time limit.

        Raises:
            PictureFailedError: It takes longer, or Plotly refuses the figure.
            BrowserLostError: The browser failed; a new one may succeed.
        """
        options = {"format": drawing.kind, "scale": drawing.scale}
        try:
            work = self._kaleido.calc_fig(drawing.chart, options)
            drawn: bytes = await _within(seconds, work, self._crash)
        except TimeoutError:
            reason = f"the browser took longer than {seconds:g} s"
            raise PictureFailedError(reason) from None
        except KaleidoError as refused:
            raise PictureFailedError(str(refused)) from refused
        except Exception as failure:
            raise BrowserLostError(f"the browser was lost ({failure!r})") from failure
        return drawn

    async def end(self) -> None:
        """End the browser in any state, and delete its files."""
        try:
            await _within(END_SECONDS, self._kaleido.close())
        except Exception:
            logging.getLogger(__name__).debug("Chromium does not end by itself", exc_info=True)
        process: subprocess.Popen[bytes] | None = getattr(self._kaleido, "subprocess", None)
        if process is not None:
            _end_process(process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def forget(self) -> None:
        """Drop the browser in a forked child, without sending it anything.

        A child that held the pipe would keep the browser alive after the parent's end.
        """
        self._pipe.forget()


def _write_page(folder: Path) -> Path:
    """Write the page that Kaleido draws in, with our own Plotly and nothing from the network."""
    plotly = shipped_folder("dashboard", "assets") / "plotly-activity.min.js"
    page = PageGenerator(plotly=(plotly.as_uri(), "utf-8"), mathjax=False).generate_index()
    # The page's title becomes that of a PDF.
    page = page.replace("Kaleido-fier", "Activity").replace("</head>", f"{STYLE}</head>")
    index = folder / "index.html"
    index.write_text(page, encoding="utf-8")
    return index


async def _within(
    seconds: float, work: Coroutine[Any, Any, Result], *crashes: asyncio.Future[None]
) -> Result:
    """Return the result of a coroutine within a time limit.

    Unlike ``asyncio.wait_for``, this does not wait for the cancelled work to end: Kaleido's
    may never end.

    Raises:
        TimeoutError: The work takes longer.
        ConnectionError: One of the crashes comes first, or Kaleido cancels the work.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    awaited: set[asyncio.Future[Any]] = {task, *crashes}
    await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        if not any(crash.done() for crash in crashes):
            raise TimeoutError
    if not task.done() or task.cancelled():
        raise ConnectionError("it crashed or ended")
    return task.result()


def _end_process(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
