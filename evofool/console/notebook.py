"""What a job looks like in a notebook while it works: one output, which is written over."""

from __future__ import annotations

import time
from typing import Any

from ..gallery.pages.rendering import render
from ..observers.rates import Clock
from .live import RedrawnView, Snapshot, View

REDRAW_SECONDS = 0.5
"""Minimum seconds between two drawings; each is a message to the browser."""


class NotebookView(RedrawnView):
    """Shows a job as names, values and a bar in one output of a cell. When the job ends, the output is empty.

    Args:
        view: Describes the job's steps.
        starting: What stands there before the first step.
        now: The clock.
    """

    seconds = REDRAW_SECONDS

    def __init__(self, view: View, starting: str, now: Clock = time.monotonic) -> None:
        from IPython.display import display  # It is there wherever there is a notebook.

        super().__init__(view, now)
        content = drawn(Snapshot(starting, [], None, starting))
        self._output: Any = display(content, raw=True, display_id=True)

    def draw(self, snapshot: Snapshot) -> None:
        """Write over the output."""
        self._output.update(drawn(snapshot), raw=True)

    def close(self) -> None:
        """Empty the output: the job's result says how it ended."""
        self._output.update({"text/plain": "", "text/html": ""}, raw=True)


def drawn(snapshot: Snapshot) -> dict[str, str]:
    """Return a snapshot as a notebook's output: HTML, and the same in one line where no HTML is shown."""
    return {"text/plain": snapshot.line, "text/html": render("progress.html", shown=snapshot)}
