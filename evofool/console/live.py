"""What a job looks like while it works: a live panel in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..observers.rates import Clock

REDRAW_SECONDS = 0.12
"""Minimum seconds between two drawings of the live panel."""

PLAIN_SECONDS = 5.0
"""Minimum seconds between two lines where the output is no terminal."""

BAR_WIDTH = 48
"""Width of the progress bar, in characters."""


@dataclass(frozen=True)
class Snapshot:
    """How far a job is after a step.

    Attributes:
        title: What the job works on.
        rows: Names and values of the live panel.
        share: How much of the work is done, in [0, 1]; None where nobody knows.
        line: The same in one line, for outputs that are no terminals; empty where there is nothing to say.
    """

    title: str
    rows: Sequence[tuple[str, str]]
    share: float | None
    line: str


class View(Protocol):
    """Describes a job of some kind while it works.

    Every step is noted, which is cheap; a few a second are described, which may be slower.

    Attributes:
        notes: What is to be said before the job begins, a line each.
    """

    @property
    def notes(self) -> Sequence[str]: ...

    def note(self, step: Any) -> None:
        """Take every step of the job, in order."""
        ...

    def describe(self, step: Any) -> Snapshot:
        """Return how far the job is after a step, the last one that was noted."""
        ...


class StepView:
    """Describes the steps of a job by their ``str()``, for kinds of jobs without a view of their own.

    Args:
        title: What the panel is called.
    """

    notes: Sequence[str] = ()

    def __init__(self, title: str) -> None:
        self.title = title

    def note(self, step: object) -> None:
        """Do nothing: a step says all there is to say."""

    def describe(self, step: object) -> Snapshot:
        """Return the step's text."""
        line = str(step)
        return Snapshot(self.title, [("step", line)], None, line)


class RedrawnView(ABC):
    """Shows a job in one place, which is redrawn now and then.

    Args:
        view: Describes the job's steps.
        now: The clock.

    Attributes:
        seconds: Minimum seconds between two drawings.
    """

    seconds: float

    def __init__(self, view: View, now: Clock = time.monotonic) -> None:
        self.view, self.now = view, now
        self._drawn_at = float("-inf")
        self._step: Any = None

    def __call__(self, step: Any) -> None:
        """Take a step of the job, and redraw it if it is time."""
        self.view.note(step)
        self._step = step
        if self.now() - self._drawn_at >= self.seconds:
            self._drawn_at = self.now()
            self.draw(self.view.describe(step))

    def notice(self, words: str) -> None:
        """Draw the last step, and what the job does after it."""
        if self._step is not None:
            snapshot = self.view.describe(self._step)
            self.draw(replace(snapshot, rows=[*snapshot.rows, ("now", words)]))

    @abstractmethod
    def draw(self, snapshot: Snapshot) -> None:
        """Draw how far the job is over what is there."""


class LiveView(RedrawnView):
    """Shows a job as a panel in a terminal.

    Args:
        live: Where it is drawn.
        view: Describes the job's steps.
        now: The clock.
    """

    seconds = REDRAW_SECONDS

    def __init__(self, live: Live, view: View, now: Clock = time.monotonic) -> None:
        super().__init__(view, now)
        self.live = live

    def draw(self, snapshot: Snapshot) -> None:
        """Redraw the panel."""
        self.live.update(panel(snapshot))


class PlainView:
    """Says how far a job is in a line: at its first step, its last one, and every ``PLAIN_SECONDS`` between.

    Args:
        say: Prints a line.
        view: Describes the job's steps.
        now: The clock.
    """

    def __init__(self, say: Callable[[str], None], view: View, now: Clock = time.monotonic) -> None:
        self.say, self.view, self.now = say, view, now
        self._said_at = float("-inf")
        self._unsaid: Any = None

    def __call__(self, step: Any) -> None:
        """Take a step of the job, and say how far it is if it is time."""
        self.view.note(step)
        self._unsaid = step
        if self.now() - self._said_at >= PLAIN_SECONDS:
            self.close()

    def notice(self, words: str) -> None:
        """Say what the job does after its last step."""
        self.close()
        self.say(words)

    def close(self) -> None:
        """Say how far the job is after its last step, unless that was said."""
        if self._unsaid is None:
            return
        line, self._unsaid = self.view.describe(self._unsaid).line, None
        if line:
            self.say(line)
            self._said_at = self.now()


def panel(snapshot: Snapshot) -> RenderableType:
    """Return a snapshot as what the live view shows: a title, names and values, and a bar."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in snapshot.rows:
        table.add_row(name, Text(value))
    parts: list[RenderableType] = [Text(snapshot.title, style="bold"), _indented(table)]
    if snapshot.share is not None:
        parts.append(_indented(ProgressBar(total=1.0, completed=min(1.0, snapshot.share), width=BAR_WIDTH)))
    return Group(*parts)


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, 2))
