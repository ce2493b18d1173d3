"""Drawing figures as pictures: one browser for all of them, started with the first.

Starting Chromium takes seconds, a picture a fraction of one. So a process keeps its
browser, on an event loop in a thread of its own, until nothing has been drawn for a while.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aggregator.forks import in_forked_children
from dashboard.errors import PicturePackageMissingError, PicturesBusyError
from dashboard.pictures.formats import Drawing

if TYPE_CHECKING:
    from dashboard.pictures.render_thread import RenderThread


class Renderer:
    """Draws pictures, one at a time, for any number of threads.

    Args:
        idle_seconds: The browser ends when nothing has been drawn for so long.
        picture_seconds: A picture may take so long.
        places: So many calls may be drawing or waiting; one more is turned away.
    """

    def __init__(
        self, *, idle_seconds: float = 300, picture_seconds: float = 30, places: int = 4
    ) -> None:
        self._idle_seconds = idle_seconds
        self._picture_seconds = picture_seconds
        self._places = places
        self._studio: RenderThread | None = None
        self._renew_locks()
        in_forked_children(self, Renderer._forget)

    def draw(self, drawings: Sequence[Drawing]) -> list[bytes]:
        """Draw some pictures, one after the other.

        Raises:
            BrowserMissingError: There is no Chrome or Chromium.
            PicturePackageMissingError: Kaleido is not installed.
            PictureFailedError: The browser does not start, or fails at a picture.
            PicturesBusyError: Too many others are waiting.
        """
        with self._place():
            return [self._open().draw(each) for each in drawings]

    def close(self) -> None:
        """End the browser and its thread; a later picture starts them anew."""
        with self._opening:
            studio, self._studio = self._studio, None
        if studio is not None:
            atexit.unregister(self.close)
            studio.close()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._free_places.acquire(blocking=False):
            raise PicturesBusyError(self._places)
        try:
            yield
        finally:
            self._free_places.release()

    def _open(self) -> RenderThread:
        with self._opening:
            if self._studio is not None and not self._studio.is_alive:
                # Somebody has ended its thread, as test tools do with all threads.
                self._studio.forget()
                self._studio = None
            if self._studio is None:
                self._studio = _new_render_thread(self._idle_seconds, self._picture_seconds)
                atexit.register(self.close)
            return self._studio

    def _forget(self) -> None:
        """Leave browser and thread to the parent, which alone has them."""
        self._renew_locks()
        studio, self._studio = self._studio, None
        if studio is not None:
            atexit.unregister(self.close)
            studio.forget()

    def _renew_locks(self) -> None:
        self._opening = threading.Lock()
        self._free_places = threading.BoundedSemaphore(self._places)


def _new_render_thread(idle_seconds: float, picture_seconds: float) -> RenderThread:
    try:
        # Kaleido takes a third of a second to import, and a host need not have it.
        from dashboard.pictures.render_thread import RenderThread  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name not in ("kaleido", "choreographer"):
            raise
        raise PicturePackageMissingError("kaleido") from None
    return RenderThread(idle_seconds, picture_seconds)


shared = Renderer()
"""The one of this process: a second browser would only take memory."""
