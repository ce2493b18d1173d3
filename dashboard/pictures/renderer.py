"""Draw figures as pictures, with one browser that starts with the first of them.

Chromium takes seconds to start and a fraction of a second for a picture. So a process
keeps its browser, on an event loop in a separate thread, until it has been idle a while.
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
    """A renderer of pictures, one at a time, for any number of threads.

    Args:
        idle_seconds: Time without pictures after which the browser ends.
        picture_seconds: Time limit for one picture.
        places: Number of calls that may be drawing or waiting; one more is refused.
    """

    def __init__(
        self, *, idle_seconds: float = 300, picture_seconds: float = 30, places: int = 4
    ) -> None:
        self._idle_seconds = idle_seconds
        self._picture_seconds = picture_seconds
        self._places = places
        self._thread: RenderThread | None = None
        self._renew_locks()
        in_forked_children(self, Renderer._forget)

    def draw(self, drawings: Sequence[Drawing]) -> list[bytes]:
        """Draw pictures, one after the other.

        Raises:
            BrowserMissingError: There is no Chrome or Chromium.
            PicturePackageMissingError: Kaleido is not installed.
            PictureFailedError: The browser does not start, or fails at a picture.
            PicturesBusyError: Too many other calls are waiting.
        """
        with self._reserved_place():
            return [self._running_thread().draw(drawing) for drawing in drawings]

    def close(self) -> None:
        """End the browser and its thread; a later picture starts them again."""
        with self._opening:
            thread, self._thread = self._thread, None
        if thread is not None:
            atexit.unregister(self.close)
            thread.close()

    @contextmanager
    def _reserved_place(self) -> Iterator[None]:
        if not self._free_places.acquire(blocking=False):
            raise PicturesBusyError(self._places)
        try:
            yield
        finally:
            self._free_places.release()

    def _running_thread(self) -> RenderThread:
        with self._opening:
            if self._thread is not None and not self._thread.is_alive:
                # Something has ended the thread, as test tools do with all threads.
                self._thread.forget()
                self._thread = None
            if self._thread is None:
                self._thread = _new_render_thread(self._idle_seconds, self._picture_seconds)
                atexit.register(self.close)
            return self._thread

    def _forget(self) -> None:
        """Leave browser and thread to the parent process, which owns them."""
        self._renew_locks()
        thread, self._thread = self._thread, None
        if thread is not None:
            atexit.unregister(self.close)
            thread.forget()

    def _renew_locks(self) -> None:
        self._opening = threading.Lock()
        self._free_places = threading.BoundedSemaphore(self._places)


def _new_render_thread(idle_seconds: float, picture_seconds: float) -> RenderThread:
    try:
        # Kaleido takes a third of a second to import, and is optional on a host.
        from dashboard.pictures.render_thread import RenderThread  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name not in ("kaleido", "choreographer"):
            raise
        raise PicturePackageMissingError("kaleido") from None
    return RenderThread(idle_seconds, picture_seconds)


shared = Renderer()
"""The renderer of this process: a second browser would only cost memory."""
