"""A tracker of experiments as an observer: figures and pictures are sent beside the job, which never waits for it."""

from __future__ import annotations

import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from PIL import Image

from ..errors import in_words
from .events import JobEnded, JobProgress, JobStarted
from .rates import Clock

PICTURE_SECONDS = 60.0
"""Minimum seconds between two pictures."""

PICTURE_SHARE = 0.01
"""Largest share of the time that drawing pictures may take."""

MAX_WAITING = 100
"""Most things that wait to be sent; figures beyond that are left out, so that a slow tracker holds nothing up."""

END_SECONDS = 20.0
"""Seconds that the end of a job waits for what is still to be sent."""


class Tracker(ABC):
    """A place where experiments are tracked. All methods run on one thread of its own, in order.

    Attributes:
        seconds: Minimum seconds between figures that are sent.
    """

    seconds = 1.0

    @abstractmethod
    def open(self, job: JobStarted) -> int:
        """Begin, or go on with what an earlier session of the job sent.

        Returns:
            The last step of which there are figures already, 0 where there are none.
        """

    @abstractmethod
    def send_figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Send figures of a step that is later than all before."""

    @abstractmethod
    def send_picture(self, step: int, picture: Image.Image) -> None:
        """Send a picture of what was found until a step."""

    @abstractmethod
    def close(self, ended: JobEnded) -> None:
        """Send how the session ended."""


class Tracking:
    """Follows a job with a tracker.

    Args:
        tracker: Where figures and pictures go.
        now: The clock.
    """

    def __init__(self, tracker: Tracker, now: Clock = time.monotonic) -> None:
        self._tracker, self._now = tracker, now
        self._queue: queue.Queue[Callable[[], object] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="evofool-tracker", daemon=True)
        self._error: Exception | None = None
        self._undrawn: Exception | None = None
        self._sent_at = self._drawn_at = float("-inf")
        self._picture_seconds = PICTURE_SECONDS
        self._sent = self._known = self._drawn_step = 0
        self._last: JobProgress | None = None

    def start(self, job: JobStarted) -> None:
        """Begin beside the job."""
        self._sent = self._drawn_step = job.step

        def begin() -> None:
            self._known = self._tracker.open(job)

        self._queue.put(begin)
        self._thread.start()

    def progress(self, progress: JobProgress) -> None:
        """Send figures, and a picture now and then.

        Raises:
            Exception: What the tracker raised meanwhile.
        """
        self._raise()
        self._last = progress
        now = self._now()
        if now - self._sent_at < self._tracker.seconds or progress.step <= self._sent:
            return
        if self._queue.qsize() < MAX_WAITING:
            self._sent_at = now
            self._send(progress, draw=now - self._drawn_at >= self._picture_seconds)

    def end(self, ended: JobEnded) -> None:
        """Send what is left, and wait for it a while.

        Raises:
            Exception: What the tracker raised, that it takes too long, or that a picture could not be drawn.
        """
        self._raise()
        if self._last:
            self._send(self._last, draw=True)
        self._queue.put(lambda: self._tracker.close(ended))
        self._queue.put(None)
        self._thread.join(END_SECONDS)
        self._raise()
        if self._thread.is_alive():
            raise TimeoutError(f"it took more than {END_SECONDS:g} seconds for what was left to send")
        if self._undrawn:
            why = in_words(self._undrawn)
            raise RuntimeError(f"a picture could not be drawn, all else was sent ({why})") from self._undrawn

    def _send(self, progress: JobProgress, *, draw: bool) -> None:
        """Queue the figures of a step, and what there is to see. The picture is drawn here, as the job will change."""
        step, figures = progress.step, dict(progress.figures)
        if step > self._sent:
            self._queue.put(lambda: step > self._known and self._tracker.send_figures(step, figures))
            self._sent = step
        if draw and step > self._drawn_step and (picture := self._drawn(progress)):
            self._drawn_step = step
            self._queue.put(lambda: step > self._known and self._tracker.send_picture(step, picture))

    def _drawn(self, progress: JobProgress) -> Image.Image | None:
        """Return a picture; ones that take long are drawn less often. None where it can't be drawn: figures go on."""
        before, picture = self._now(), None
        try:
            picture = progress.pictures()
        except Exception as error:
            self._undrawn = error
        self._drawn_at = self._now()
        self._picture_seconds = max(PICTURE_SECONDS, (self._drawn_at - before) / PICTURE_SHARE)
        return picture

    def _raise(self) -> None:
        if self._error:
            raise self._error

    def _work(self) -> None:
        """Do what is queued, in order, until the end or an error."""
        while self._error is None and (task := self._queue.get()) is not None:
            try:
                task()
            except BaseException as error:  # A library that ends the process with SystemExit ends only this.
                self._error = error if isinstance(error, Exception) else RuntimeError(in_words(error))
