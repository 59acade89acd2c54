"""Steps of jobs that never ran, as observers see them, and a clock and a terminal for the console."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console as RichConsole

from evofool.attacks.outcome import Outcome
from evofool.attacks.statistics import Statistics
from evofool.config.budget import Budget
from evofool.console.console import Console
from evofool.jobs.campaign import CampaignStep
from evofool.jobs.run import RunStep
from evofool.search.archive import Archive
from evofool.search.progress import Progress


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeTerminal(io.StringIO):
    """A text that is a terminal."""

    def isatty(self) -> bool:
        return True


def terminal(width: int = 110) -> tuple[Console, io.StringIO]:
    """Return a console whose output is a terminal, and what the terminal is sent."""
    console, output = Console(), FakeTerminal()
    console.rich = RichConsole(
        file=output, force_terminal=True, width=width, height=50, highlight=False, color_system=None
    )
    return console, output


def lines_of(output: str) -> list[str]:
    """Return the lines of a terminal's output without its control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r", "\n").split("\n")


def progress(generation: int, seconds: float, median: float = 0.5, batch: int = 100, **changes: Any) -> Progress:
    """Return the figures of a generation; the lowest confidence is 12.5 %."""
    figures: dict[str, Any] = {
        "generation": generation, "evaluations": generation * batch, "confirmations": 0, "seconds": seconds,
        "median": median, "mean": median, "min": 0.125, "max": 1.0, "at_99": 1, "improved": 0, "size": 4.0,
        "elites": 2, "qd_score": 1.5,
    }  # fmt: skip
    return Progress(**(figures | changes))


def run_step(
    figures: Progress,
    budget: Budget | None = None,
    confidence: Sequence[float] = (0.5, 0.25),
    niches_per_class: int = 1,
) -> RunStep:
    """Return a step of a run whose target knows cats and red dogs."""
    classes = ["cat", "[red]dog"]
    archive = Archive(np.arange(len(classes)), len(classes), niches_per_class=niches_per_class)
    archive.confidence[:] = np.repeat(confidence, niches_per_class)
    evolution: Any = SimpleNamespace(
        target=SimpleNamespace(name="[bold]tiny", classes=classes),
        engine=None,
        archive=archive,
        encoding=SimpleNamespace(name="cppn"),
    )
    return RunStep(figures, evolution, budget or Budget(generations=20))


def success(image: int = 0, **changes: Any) -> Outcome:
    """Return the outcome of an attempt that succeeded at (14, 9) after 23 queries, with some of it changed."""
    outcome = {
        "image": image, "criterion_index": None, "pixels": 1, "strategy": "local", "success": True, "already": False,
        "queries": 30, "queries_to_success": 23, "shared": 1, "class": "cat", "final": "dog",
        "edits": [{"x": 14, "y": 9, "colour": [1, 2, 3]}],
    }  # fmt: skip
    return outcome | changes


def failure(image: int = 0, **changes: Any) -> Outcome:
    """Return the outcome of an attempt that failed after 30 queries, with some of it changed."""
    return success(image, success=False, queries_to_success=None, **changes)


def statistics_of(*outcomes: Outcome, last_k: int = 1) -> Statistics:
    """Return the counts over some outcomes."""
    statistics = Statistics(last_k)
    for outcome in outcomes:
        statistics.add(outcome)
    return statistics


class FakeCampaign:
    """A campaign of which a test says what each batch brings.

    Args:
        total: Pairs of image and criterion.
        last_k: The last number of pixels that is tried.
        baseline: Whether random search follows each attempt.
        name: The target's name.
    """

    def __init__(self, total: int = 10, last_k: int = 1, baseline: bool = False, name: str = "tiny") -> None:
        self.statistics, self.total = Statistics(last_k), total
        self.baseline = Statistics(last_k) if baseline else None
        self.campaign: Any = SimpleNamespace(
            running=3, scored=0, engine=None, target=SimpleNamespace(name=name), plan=SimpleNamespace(strategy="local")
        )

    def step(self, *new: Outcome, scored: int = 0) -> CampaignStep:
        """Return the step after a batch with these outcomes, in which so many rows were scored."""
        for outcome in new:
            (self.statistics if outcome["strategy"] == "local" else self.baseline or self.statistics).add(outcome)
        self.campaign.scored += scored
        return CampaignStep(self.campaign, self.statistics, self.baseline, self.total, new)
