"""Tables and lists of results: elites, targets, a model card, tuning trials, scores and profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..targets.cards import OWN
from ..text import counted, percent, rate

if TYPE_CHECKING:
    from ..targets.cards import Card
    from ..targets.execution.trials import Trial
    from ..targets.torch_target import TorchTarget

CLASSES_SHOWN = 12
"""How many class names a model card shows."""

GUESSES_SHOWN = 2
"""How many of a target's other guesses are shown beside an elite's class."""


def elites_table(elites: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table of elites.

    Args:
        elites: Lines of ``elites.jsonl``.
    """
    table = _table({"class": "", "confidence": "right", "generation": "right", "size": "right"})
    table.add_column("the network's next guesses")
    for line in elites:
        others = [(name, score) for name, score in line.get("top5", []) if name != line["class"]]
        table.add_row(
            escape(line["class"]),
            percent(line["score"]),
            str(line.get("generation", "–")),
            str(line.get("size", "–")),
            escape(", ".join(f"{name} {percent(score)}" for name, score in others[:GUESSES_SHOWN])),
        )
    return table


def targets_table(cards: Iterable[Card]) -> Table:
    """Return a table of the targets with these model cards."""
    table = _table(dict.fromkeys(("target", "classes", "images", "weights", "accuracy"), ""))
    for card in cards:
        channels, height, width = card.image_shape
        shape = f"{height}×{width} {'grey' if channels == 1 else 'RGB'}"
        weights = "embedded" if card.weights else "--weights FILE"
        table.add_row(card.name, str(len(card.classes)), shape, weights, card.accuracy)
    return table


def doors_table(doors: Iterable[tuple[str, str]]) -> Table:
    """Return a table of examples of targets' names and what they are."""
    table = _table({"example": "", "what": ""})
    for example, what in doors:
        table.add_row(example, what)
    return table


def card_rows(card: Card) -> list[tuple[str, str]]:
    """Return a model card as names and values."""
    classes, (channels, height, width) = ", ".join(card.classes[:CLASSES_SHOWN]), card.image_shape
    if len(card.classes) > CLASSES_SHOWN:
        classes += f", … ({counted(len(card.classes), 'class')})"
    origin = {"": "yours, with --weights FILE", OWN: OWN}.get(card.weights, "embedded")
    if card.weights and card.name.startswith(f"{card.weights}:"):
        origin = f"{card.weights}'s, downloaded and cached"
    return [
        ("architecture", card.architecture),
        ("classes", classes),
        ("images", f"{width} × {height}, {'grey' if channels == 1 else 'RGB'}"),
        ("mean / std", f"{_numbers(card.mean)} / {_numbers(card.std)}"),
        ("outputs", card.outputs),
        ("other sizes", f"shorter side to {card.resize} ({card.interpolation}), then the centre"),
        ("data", card.data),
        ("accuracy", card.accuracy),
        ("licence", card.licence),
        ("weights", origin),
    ]


def trials_table(target: TorchTarget, trials: Iterable[Trial]) -> Table:
    """Return a table of the ways to run a target that were tried, the default first; a note tells which was chosen."""
    numbers = dict.fromkeys(("rows a pass", "images/s", "error"), "right")
    table = _table({"precision": "", "memory format": "", "joined": "", "parallel": "", **numbers, "": ""})
    for index, trial in enumerate(trials):
        execution, notes = trial.execution, [] if index else ["default"]
        if execution == target.execution:
            notes.append("chosen")
        elif not trial.faithful:
            notes.append("not faithful")
        table.add_row(
            execution.precision,
            execution.memory_format,
            "yes" if execution.fold else "no",
            "yes" if execution.parallel else "no",
            f"{execution.micro_batch:,}",
            f"{trial.images_per_second:,.0f}",
            f"{trial.error:.0e}",
            ", ".join(notes),
        )
    return table


def score_lines(target: str, image: Mapping[str, Any]) -> list[Text]:
    """Return what is told of a scored image: its name, how it was resized, and the best guesses, each with a bar.

    Args:
        target: The name of the network, and why it was this one.
        image: One of the ``images`` that :func:`evofool.score` returns.
    """
    facts = [f"by {target}"]
    if image["size"] != image["scored_at"]:
        own, scored_at = (f"{width} × {height}" for width, height in (image["size"], image["scored_at"]))
        drawn = f"evolved for {own}, drawn at {scored_at}" if image["genome"] else f"{own}, resized to {scored_at}"
        facts.append(f"{drawn} pixels{' and cropped to its centre' if image['cropped'] else ''}")
    if image["made_grey"]:
        facts.append("its colours made grey")
    lines = [Text.assemble((image["image"], "bold"), (f"  {', '.join(facts)}", "dim"))]
    for guess in image["top5"]:
        bar = "█" * round(24 * guess["confidence"])
        lines.append(
            Text(f"  {percent(guess['confidence']):>11}  ") + Text(f"{bar:<24}  ", style="green") + Text(guess["class"])
        )
    if recorded := image.get("recorded"):
        whose = "" if recorded["same_network"] else ", by another network or other weights"
        lines.append(Text(f"  on record: {percent(recorded['confidence'])} {recorded['class']}{whose}", style="dim"))
    return lines


def profile_rows(shares: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the phases of a run with their shares in [0, 1] of its time, each with a bar."""
    return [(phase, f"{rate(share):>9}  {'█' * round(40 * share)}") for phase, share in shares.items()]


def _table(columns: Mapping[str, str]) -> Table:
    """A table without lines.

    Args:
        columns: The headers; each with ``right`` where the column is aligned so.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header, side in columns.items():
        table.add_column(header, justify="right" if side == "right" else "left")
    return table


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
