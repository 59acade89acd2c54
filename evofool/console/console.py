"""The only place that prints: live progress, summaries, tables."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console as Rich
from rich.console import ConsoleOptions, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.segment import Segment
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ..text import clock, least_confident, percent
from .campaign_view import CampaignView, LiveCampaign, PlainCampaign, images_text, queries_text, success_text
from .run_view import LiveView, PlainView, View

if TYPE_CHECKING:
    from ..config.budget import Budget
    from ..jobs.campaign import CampaignResult
    from ..jobs.result import Result
    from ..targets.cards import Card
    from ..targets.execution.tuning import Trial
    from ..targets.torch_target import Target

STARTING = "starting … (once on each machine, loops are compiled and the network's fastest way is tried)"

V = TypeVar("V")
P = TypeVar("P", PlainView, PlainCampaign)


class Clean(Rich):
    """A console on which names send the terminal nothing but letters."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_CONTROL.sub("", segment.text), segment.style)


_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""all but the end of a line"""


class Console:
    """Where everything is told.

    Args:
        quiet: nothing but results and errors.
        to_stderr: keep standard output for one JSON object.
    """

    def __init__(self, *, quiet: bool = False, to_stderr: bool = False) -> None:
        self.quiet = quiet
        self.rich = Clean(stderr=to_stderr, highlight=False)
        self.errors = Clean(stderr=True, highlight=False)

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # where a character can't be shown, a question mark is

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
        live, plain = lambda live: LiveView(live, budget, medians), lambda: PlainView(self.say, budget)
        with self._view(live, plain) as view:
            yield view

    def finished(self, result: Result, resume: str) -> None:
        """The summary of an evolution."""
        if self.quiet:
            return
        summary = result.summary()
        sure = result.surest()
        several = []
        if result.places:
            told = f"{summary['elites']:,} of {summary['niches']:,} niches   QD score {summary['qd_score']:,.1f}"
            several = [("elites", told)]
        ended = "stopped" if result.interrupted else "done"
        rows = [
            ("median", percent(summary["median"])),
            ("mean", percent(summary["mean"])),
            ("lowest", least_confident([result.classes[at] for at in sure], result.confidence[sure].tolist(), 3)),
            ("at 99 % or more", f"{summary['at_99']} of {len(sure)} classes"),
            *several,
            (
                "work",
                f"{result.generations:,} generations, {result.evaluations:,} evaluations in "
                f"{clock(result.seconds)} ({summary['images_per_second']:,.0f} images/s)",
            ),
        ]
        if result.gallery:
            rows.append(("gallery", str(result.gallery)))
        if result.page:
            rows.append(("page", str(result.page)))
        if result.run:
            rows.append(("run", str(result.run)))
            rows.append(("go on" if result.interrupted else "go further", resume))
        self.rich.print(Text(f"{ended}: {summary['target']}, {summary['encoding']}", style="bold"))
        self._pairs(rows)

    @contextmanager
    def watch_campaign(self) -> Iterator[CampaignView | None]:
        """A live view of a campaign; plain lines now and then where the output is no terminal."""
        with self._view(LiveCampaign, lambda: PlainCampaign(self.say)) as view:
            yield view

    def fought(self, result: CampaignResult, resume: str) -> None:
        """The summary of a campaign."""
        if self.quiet:
            return
        summary, statistics = result.summary(), result.statistics
        rows = [
            ("images", images_text(summary)),
            ("success", success_text(statistics, result.total)),
            ("queries", queries_text(summary)),
        ]
        if len(summary["pixels"]) > 1:
            rows.append(("by pixels", ", ".join(f"{k}: {n}" for k, n in summary["by_pixels"].items()) or "–"))
        if result.baseline:
            rows.append(
                ("random", f"{success_text(result.baseline, result.total - statistics.already)}, with equal queries")
            )
        if statistics.already + statistics.wrong:
            rows.append(("wrong before", f"{statistics.already + statistics.wrong:,}, not counted above"))
        skipped = result.config["data"]["skipped"]
        if skipped:
            name, reason = next(iter(skipped.items()))
            rows.append(("left out", f"{len(skipped):,} files (all in the report); the first, {name}: {reason}"))
        rows += [("report", str(result.report)), ("campaign", str(result.path))]
        if result.interrupted:
            rows.append(("go on", resume))
        ended = "stopped" if result.interrupted else "done"
        self.rich.print(
            Text(f"{ended}: {summary['target']}, {summary['criterion']}, {summary['strategy']}", style="bold")
        )
        self._pairs(rows)

    def facts(self, facts: dict[str, Any]) -> None:
        """What ``evofool inspect`` tells of a campaign."""
        beside = facts["baseline"] or {}
        flat = facts | {"baseline": "equal queries" if beside else None}
        flat |= {f"baseline_{key}": value for key, value in beside.items()}
        self._pairs([(key, _told(value)) for key, value in flat.items()])

    def inspected(self, facts: dict[str, Any], elites: list[dict[str, Any]]) -> None:
        """What ``evofool inspect`` tells."""
        self._pairs([(key, _told(value)) for key, value in facts.items()])
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
            others = [pair for pair in line.get("top5", []) if pair[0] != line["class"]][:2]
            guesses = ", ".join(f"{name} {percent(score)}" for name, score in others)
            table.add_row(
                escape(line["class"]),
                percent(line["score"]),
                str(line.get("generation", "–")),
                str(line.get("size", "–")),
                escape(guesses),
            )
        self.rich.print(Padding(table, (1, 0, 0, 2)))
        if not facts["elites_written"]:
            self.say(f"  newer elites are in no files yet; if it was killed, evofool resume {facts['run']} writes them")
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
        self._pairs(rows)

    def profile(self, shares: dict[str, float]) -> None:
        """Where the time of an evolution went."""
        self._pairs([(name, f"{100 * share:5.1f} %  {'█' * round(40 * share)}") for name, share in shares.items()])

    def trials(self, target: Target, found: Sequence[Trial]) -> None:
        """What settings of a target were tried, and which was chosen."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("precision", "memory format", "folded", "rows a pass", "images/s", "error", ""):
            table.add_column(name, justify="right" if name in ("rows a pass", "images/s", "error") else "left")
        for number, trial in enumerate(found):
            setting = trial.setting
            note = "chosen" if setting == target.setting else "" if trial.faithful else "not faithful"
            if not number:
                note = ", ".join(["default", *([note] if note else [])])
            table.add_row(
                setting.precision,
                setting.memory_format,
                "yes" if setting.fold else "no",
                f"{setting.micro_batch:,}",
                f"{trial.images_per_second:,.0f}",
                f"{trial.error:.0e}",
                note,
            )
        self.rich.print(Text(f"{target.name} on {target.device}", style="bold"))
        self.rich.print(table)
        self.rich.print(
            "\nFolded: batch normalisations are part of the convolutions before them.\n"
            "Error: the largest difference of a probability from that of a float32 confirmation.\n"
            "The default stays unless another setting is faster by more than 5 %."
        )

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

    @contextmanager
    def _view(self, lively: Callable[[Live], V], plain: Callable[[], P]) -> Iterator[V | P | None]:
        """The view that fits where the output goes; none when quiet."""
        if self.quiet:
            yield None
        elif self.rich.is_terminal:
            starting = Spinner("dots", Text(STARTING, style="dim"))
            with Live(starting, console=self.rich, refresh_per_second=8, transient=True) as live:
                yield lively(live)
        else:
            view = plain()
            yield view
            view.close()

    def _pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values in two columns; values are never folded, so that paths and commands can be copied."""
        width = max(len(key) for key, _ in rows)
        for key, value in rows:
            self.rich.print(Text(f"  {key:<{width}}  ", style="dim") + Text(value, style="default"), soft_wrap=True)


def _told(value: Any) -> str:
    """A fact as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_told(one)}" for key, one in value.items())
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return " ".join(map(_told, value))
    return "–" if value is None else str(value)


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
