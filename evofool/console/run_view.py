"""What an evolution looks like while it runs, in a terminal and piped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..text import clock, least_confident, percent, sparkline

if TYPE_CHECKING:
    from ..config.budget import Budget
    from ..search.archive import Archive
    from ..search.evolution import Evolution, Progress

PLAIN_SECONDS = 5.0
"""between two lines where the output is no terminal"""


class View(Protocol):
    """Follows an evolution."""

    def __call__(self, progress: Progress, evolution: Evolution) -> None: ...


class LiveView:
    """A panel that is drawn anew a few times a second."""

    def __init__(self, live: Live, budget: Budget, medians: list[float]) -> None:
        self.live, self.budget, self.medians = live, budget, medians
        self.pace = Pace(budget)
        self.drawn = 0.0

    def __call__(self, progress: Progress, evolution: Evolution) -> None:
        self.medians.append(progress.median)
        self.pace.note(progress)
        if time.monotonic() - self.drawn < 0.12 and progress.generation > 1:
            return
        self.drawn = time.monotonic()
        self.live.update(self._draw(progress, evolution))

    def _draw(self, progress: Progress, evolution: Evolution) -> RenderableType:
        archive, classes = evolution.archive, evolution.target.classes
        names = [classes[i] for i in archive.wanted]
        share = self.pace.share(progress)
        rate, lowest = f"{self.pace.rate:,.0f} images/s", percent(progress.min)
        bar = ProgressBar(total=1.0, completed=min(1.0, share), width=48)
        rows: list[tuple[str, str]] = [
            ("generation", f"{progress.generation:,}   evaluations {progress.evaluations:,}   {rate}"),
            ("elapsed", f"{clock(progress.seconds)}   remaining {clock(self.pace.remaining(progress))}"),
            ("confidence", f"median {percent(progress.median)}   mean {percent(progress.mean)}   lowest {lowest}"),
            ("at 99 %", f"{progress.at_99} of {len(names)} classes"),
            *([("elites", coverage(progress, archive))] if archive.cells > 1 else []),
            ("hardest", least_confident(names, archive.surest_confidence().tolist(), 5)),
            ("median", sparkline(self.medians)),
        ]  # fmt: skip
        title = Text(f"{evolution.target.name} · {evolution.encoding.name}", style="bold")
        return Group(title, Padding(pairs(rows), (0, 0, 0, 2)), Padding(bar, (0, 0, 0, 2)))


class PlainView:
    """A line now and then: the first generation, the last one, and every ``PLAIN_SECONDS`` between."""

    def __init__(self, say: Callable[[str], None], budget: Budget) -> None:
        self.say, self.pace, self.told = say, Pace(budget), float("-inf")
        self.untold: tuple[Progress, Evolution] | None = None

    def __call__(self, progress: Progress, evolution: Evolution) -> None:
        self.pace.note(progress)
        self.untold = progress, evolution
        if time.monotonic() - self.told >= PLAIN_SECONDS:
            self.close()

    def close(self) -> None:
        """Tell the last generation, if it wasn't."""
        if self.untold:
            self._tell(*self.untold)
            self.told, self.untold = time.monotonic(), None

    def _tell(self, progress: Progress, evolution: Evolution) -> None:
        archive = evolution.archive
        names = [evolution.target.classes[i] for i in archive.wanted]
        confidence = archive.surest_confidence().tolist()
        several = f"elites {coverage(progress, archive)}  " if archive.cells > 1 else ""
        self.say(
            f"generation {progress.generation:,}  evaluations {progress.evaluations:,}  "
            f"{self.pace.rate:,.0f} images/s  elapsed {clock(progress.seconds)}  "
            f"remaining {clock(self.pace.remaining(progress))}  median {percent(progress.median)}  "
            f"mean {percent(progress.mean)}  lowest {percent(progress.min)}  "
            f"at 99 %: {progress.at_99}/{len(names)}  {several}hardest {least_confident(names, confidence, 3)}"
        )


class Pace:
    """Speed and remaining time, from this sitting only."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.first: Progress | None = None
        self.rate = 0.0

    def note(self, progress: Progress) -> None:
        if self.first is None:
            self.first = progress
            if progress.generation == 1 and progress.seconds:
                self.rate = progress.evaluations / progress.seconds
        elif progress.seconds > self.first.seconds:
            done = progress.evaluations - self.first.evaluations
            self.rate = done / (progress.seconds - self.first.seconds)

    def share(self, progress: Progress) -> float:
        share = self.budget.share(progress.generation, progress.evaluations, progress.seconds)
        return max(share, progress.median / self.budget.until) if self.budget.until and not share else share

    def remaining(self, progress: Progress) -> float | None:
        """Seconds until the first countable limit; None where only ``until`` is set."""
        budget, rate = self.budget, self.rate
        left: list[float] = []
        if budget.evaluations and rate:
            left.append((budget.evaluations - progress.evaluations) / rate)
        if budget.generations and rate:
            each = progress.evaluations / progress.generation
            left.append((budget.generations - progress.generation) * each / rate)
        if budget.minutes:
            left.append(60 * budget.minutes - progress.seconds)
        return max(0.0, min(left)) if left else None


def coverage(progress: Progress, archive: Archive) -> str:
    """How full an archive with several niches a class is, and how sure all of it."""
    full = percent(progress.elites / len(archive), fine=False)
    return f"{progress.elites:,} of {len(archive):,} niches ({full})   QD score {progress.qd_score:,.1f}"


def pairs(rows: Sequence[tuple[str, str]]) -> Table:
    """Names and values in two columns, for the live view."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in rows:
        table.add_row(key, Text(value))
    return table
