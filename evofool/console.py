"""The only place that prints: live progress, summaries, tables."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console as Rich
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .budget import Budget
    from .evolution import Evolution, Progress
    from .session import Result
    from .zoo.cards import Card

BARS = "▁▂▃▄▅▆▇█"
PLAIN_SECONDS = 5.0
"""between two lines where the output is no terminal"""


def sparkline(values: Sequence[float], width: int = 48) -> str:
    """Values in [0, 1] as a line of bars, the last ones at full resolution when they are few."""
    if not values:
        return ""
    step = max(1.0, len(values) / width)
    picked = [values[min(len(values) - 1, int((i + 1) * step) - 1)] for i in range(min(width, len(values)))]
    return "".join(BARS[min(len(BARS) - 1, int(max(0.0, value) * len(BARS)))] for value in picked)


def percent(value: float) -> str:
    """A share in [0, 1] as text, cut and not rounded: only a certain 1 reads 100 %."""
    if value >= 1:
        return "100 %"
    digits = 4 if value > 0.9999 else 2
    cut = math.floor(value * 10 ** (digits + 2)) / 10**digits
    return f"{cut:.{digits}f} %"


def clock(seconds: float | None) -> str:
    """``1:02:03``, ``2:03`` or ``–`` when unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class View(Protocol):
    """Follows an evolution."""

    def __call__(self, progress: Progress, evolution: Evolution) -> None: ...


class Console:
    """Where everything is told.

    Args:
        quiet: nothing but results and errors.
        to_stderr: keep standard output for one JSON object.
    """

    def __init__(self, *, quiet: bool = False, to_stderr: bool = False) -> None:
        self.quiet = quiet
        self.rich = Rich(stderr=to_stderr, highlight=False)
        self.errors = Rich(stderr=True, highlight=False)

    def error(self, message: str) -> None:
        """One line on standard error."""
        line = " ".join(message.split())
        self.errors.print(Text("error: ", style="bold red") + Text(line), soft_wrap=True)

    def json(self, value: Any) -> None:
        """One JSON object on standard output."""
        print(json.dumps(value, ensure_ascii=False))

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """A line of news; not when quiet."""
        if not self.quiet:
            self.rich.print(Text(text), style=style, soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """A result that was asked for."""
        self.rich.print(what)

    @contextmanager
    def watch(self, budget: Budget, medians: list[float]) -> Iterator[View | None]:
        """A live view of an evolution; plain lines now and then where the output is no terminal."""
        if self.quiet:
            yield None
        elif self.rich.is_terminal:
            with Live(console=self.rich, refresh_per_second=8, transient=True) as live:
                yield _LiveView(live, budget, medians)
        else:
            view = _PlainView(self, budget)
            yield view
            view.close()

    def finished(self, result: Result, resume: str) -> None:
        """The summary of an evolution."""
        if self.quiet:
            return
        summary = result.summary()
        count = len(result.classes)
        ended = "stopped" if result.interrupted else "done"
        rows = [
            ("median", percent(summary["median"])),
            ("mean", percent(summary["mean"])),
            ("lowest", _hardest(result.classes, result.confidence.tolist(), 3)),
            ("at 99 % or more", f"{summary['at_99']} of {count} classes"),
            (
                "work",
                f"{result.generations:,} generations, {result.evaluations:,} evaluations in "
                f"{clock(result.seconds)} ({summary['images_per_second']:,.0f} images/s)",
            ),
        ]
        if result.gallery:
            rows.append(("gallery", str(result.gallery)))
        if result.run:
            rows.append(("run", str(result.run)))
            rows.append(("go on" if result.interrupted else "go further", resume))
        self.rich.print(Text(f"{ended}: {summary['target']}, {summary['encoding']}", style="bold"))
        self.rich.print(Padding(_pairs(rows), (0, 0, 0, 2)), soft_wrap=True)

    def inspected(self, facts: dict[str, Any], elites: list[dict[str, Any]]) -> None:
        """What ``evofool inspect`` tells."""
        self.rich.print(Padding(_pairs([(k, str(v)) for k, v in facts.items()]), (0, 0, 0, 2)))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name, justify in (
            ("class", "left"),
            ("confidence", "right"),
            ("generation", "right"),
            ("size", "right"),
        ):
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        table.add_column("the network's next guesses")
        ranked = sorted(elites, key=lambda line: line["score"])
        for line in ranked[:20]:
            others = [pair for pair in line["top5"] if pair[0] != line["class"]][:2]
            guesses = ", ".join(f"{name} {percent(score)}" for name, score in others)
            table.add_row(
                escape(line["class"]),
                percent(line["score"]),
                str(line["generation"]),
                str(line["size"]),
                escape(guesses),
            )
        self.rich.print(Padding(table, (1, 0, 0, 2)))
        if len(ranked) > 20:
            self.rich.print(f"  … the hardest 20 of {len(ranked)}; all of them with --json")

    def targets(self, cards: Sequence[Card], others: int) -> None:
        """The table of targets."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("target", "classes", "images", "weights", "accuracy"):
            table.add_column(name)
        for card in cards:
            shape = "×".join(map(str, card.image_shape[1:])) + (" grey" if card.image_shape[0] == 1 else " RGB")
            table.add_row(
                card.name,
                str(len(card.classes)),
                shape,
                "embedded" if card.weights else "--weights FILE",
                card.accuracy,
            )
        self.rich.print(table)
        self.rich.print(
            f"\nand torchvision:NAME for {others} models; their names: evofool targets torchvision\n"
            "a model card: evofool targets NAME"
        )

    def card(self, card: Card) -> None:
        """A model card."""
        shown = ", ".join(card.classes[:12]) + (f", … ({len(card.classes)} classes)" if len(card.classes) > 12 else "")
        height, width = card.image_shape[1:]
        origin = "embedded" if card.weights else "yours, with --weights FILE"
        if card.weights == "torchvision":
            origin = "torchvision's, downloaded and cached"
        rows = [
            ("architecture", card.architecture),
            ("classes", shown),
            ("images", f"{width} × {height}, {'grey' if card.image_shape[0] == 1 else 'RGB'}"),
            ("mean / std", f"{_numbers(card.mean)} / {_numbers(card.std)}"),
            ("other sizes", f"shorter side to {card.resize} ({card.interpolation}), then the centre"),
            ("data", card.data),
            ("accuracy", card.accuracy),
            ("licence", card.licence),
            ("weights", origin),
        ]  # fmt: skip
        self.rich.print(Text(card.name, style="bold"))
        self.rich.print(Padding(_pairs(rows), (0, 0, 0, 2)))

    def scores(self, results: list[dict[str, Any]]) -> None:
        """Top-5 of every image."""
        for result in results:
            self.rich.print(Text(result["image"], style="bold"), soft_wrap=True)
            for guess in result["top5"]:
                bar = "█" * round(24 * guess["confidence"])
                self.rich.print(
                    Text(f"  {percent(guess['confidence']):>11}  ")
                    + Text(f"{bar:<24}  ", style="green")
                    + Text(guess["class"]),
                    soft_wrap=True,
                )


class _LiveView:
    def __init__(self, live: Live, budget: Budget, medians: list[float]) -> None:
        self.live, self.budget, self.medians = live, budget, medians
        self.pace = _Pace(budget)
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
        names = [classes[i] for i in archive.niches]
        share = self.pace.share(progress)
        rate, lowest = f"{self.pace.rate:,.0f} images/s", percent(progress.min)
        bar = ProgressBar(total=1.0, completed=min(1.0, share), width=48)
        rows: list[tuple[str, str]] = [
            ("generation", f"{progress.generation:,}   evaluations {progress.evaluations:,}   {rate}"),
            ("elapsed", f"{clock(progress.seconds)}   remaining {clock(self.pace.remaining(progress))}"),
            ("confidence", f"median {percent(progress.median)}   mean {percent(progress.mean)}   lowest {lowest}"),
            ("at 99 %", f"{progress.at_99} of {len(names)} classes"),
            ("hardest", _hardest(names, archive.confidence.tolist(), 5)),
            ("median", sparkline(self.medians)),
        ]  # fmt: skip
        title = Text(f"{evolution.target.name} · {evolution.encoding.name}", style="bold")
        return Group(title, Padding(_pairs(rows), (0, 0, 0, 2)), Padding(bar, (0, 0, 0, 2)))


class _PlainView:
    def __init__(self, console: Console, budget: Budget) -> None:
        self.console, self.pace, self.told = console, _Pace(budget), time.monotonic()
        self.last: str | None = None

    def __call__(self, progress: Progress, evolution: Evolution) -> None:
        self.pace.note(progress)
        names = [evolution.target.classes[i] for i in evolution.archive.niches]
        if progress.generation > 1 and time.monotonic() - self.told < PLAIN_SECONDS:
            self.last = None
            self.pending = (progress, names, evolution.archive.confidence.tolist())
            return
        self._tell(progress, names, evolution.archive.confidence.tolist())

    def close(self) -> None:
        """Tell the last generation, if it wasn't."""
        if self.last is None and hasattr(self, "pending"):
            self._tell(*self.pending)

    def _tell(self, progress: Progress, names: list[str], confidence: list[float]) -> None:
        self.told = time.monotonic()
        self.last = (
            f"generation {progress.generation:,}  evaluations {progress.evaluations:,}  "
            f"{self.pace.rate:,.0f} images/s  elapsed {clock(progress.seconds)}  "
            f"remaining {clock(self.pace.remaining(progress))}  median {percent(progress.median)}  "
            f"mean {percent(progress.mean)}  lowest {percent(progress.min)}  "
            f"at 99 %: {progress.at_99}/{len(names)}  hardest {_hardest(names, confidence, 3)}"
        )
        self.console.say(self.last)


class _Pace:
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


def _hardest(names: Sequence[str], confidence: Sequence[float], count: int) -> str:
    ranked = sorted(zip(confidence, names, strict=True))[:count]
    return ", ".join(f"{name} {percent(value)}" for value, name in ranked)


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in rows:
        table.add_row(key, Text(value))
    return table
