"""The render thread: an event loop in a thread, with a browser while one is needed.

Like :mod:`dashboard.pictures.chromium`, import this module only when there is something to draw.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import CancelledError

from dashboard.errors import PictureFailedError
from dashboard.pictures.browser import BrowserLostError, PictureBrowser
from dashboard.pictures.formats import Drawing

log = logging.getLogger(__name__)

CLOSE_SECONDS = 20.0
ENDING = "the process is ending"


class RenderThread:
    """A thread with an event loop, and a browser while there is something to draw.

    Only the public methods run outside that loop.

    Args:
        idle_seconds: Time without pictures after which the browser ends.
        picture_seconds: Time limit for one picture.
    """

    def __init__(self, idle_seconds: float, picture_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._picture_seconds = picture_seconds
        self._browser: PictureBrowser | None = None
        self._idle_timer: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        # A daemon: the browser is ended by atexit, which runs after other threads have ended.
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="activity-pictures", daemon=True
        )
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """True while the thread can draw."""
        return self._thread.is_alive()

    def draw(self, drawing: Drawing) -> bytes:
        """Draw a picture after those before it.

        Raises:
            BrowserMissingError: There is no Chrome or Chromium.
            PictureFailedError: The browser does not start, or fails.
        """
        try:
            return asyncio.run_coroutine_threadsafe(self._draw(drawing), self._loop).result()
        except CancelledError:
            raise PictureFailedError(ENDING) from None

    def close(self) -> None:
        """End the browser and the thread. A picture that is being drawn fails."""
        if not self.is_alive:
            self.forget()
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_SECONDS)
        self._loop.close()

    def forget(self) -> None:
        """Drop the browser without the thread, which a forked child does not have."""
        if self._browser is not None:
            self._browser.forget()

    async def _draw(self, drawing: Drawing) -> bytes:
        async with self._one_at_a_time:
            if self._idle_timer is not None:
                self._idle_timer.cancel()
            try:
                return await self._draw_with_any_browser(drawing)
            finally:
                if not self._closed:
                    self._idle_timer = asyncio.create_task(self._end_when_idle())

    async def _draw_with_any_browser(self, drawing: Drawing) -> bytes:
        try:
            return await self._draw_once(drawing)
        except BrowserLostError as lost:
            # Perhaps killed because memory ran out: a new browser may succeed.
            log.warning("Drawing once more: %s", lost)
        try:
            return await self._draw_once(drawing)
        except BrowserLostError as lost:
            raise PictureFailedError(str(lost)) from lost

    async def _draw_once(self, drawing: Drawing) -> bytes:
        browser = await self._running_browser()
        try:
            return await browser.draw(drawing, self._picture_seconds)
        except BaseException:
            # The browser may be in any state; the next picture gets a new one.
            await self._end_browser()
            raise

    async def _running_browser(self) -> PictureBrowser:
        if self._closed:
            raise PictureFailedError(ENDING)
        if self._browser is not None and not self._browser.is_running:
            await self._end_browser()
        if self._browser is None:
            self._browser = await PictureBrowser.start()
        return self._browser

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        async with self._one_at_a_time:
            await self._end_browser()

    async def _end_browser(self) -> None:
        browser, self._browser = self._browser, None
        if browser is not None:
            await browser.end()

    async def _close(self) -> None:
        self._closed = True
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await self._end_browser()
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
