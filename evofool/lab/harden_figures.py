"""The figures of ``harden``: of every round, and of what hardening helps against."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from ..attacks.statistics import median_or_none, wilson
from ..config.fooling import ENCODINGS
from ..config.harden import BY
from ..store.experiment import Result
from ..text import between, percent, rate
from .harden_plan import EPOCH, Piece

LEVELS = {"at_99": "0.99", "at_9999": "0.9999"}
"""The fields of an elite that say after how many evaluations it was so sure, with what figures call these levels."""

FOOLED = 0.5
"""Confidence in a class from which a network is fooled by noise (Goodfellow et al. 2015, §8)."""

Found = Sequence[tuple[Piece, list[Result]]]
"""The parts that are done, with their results."""


def round_figures(options: Any, found: Found, number: int) -> dict[str, Any] | None:
    """Return the figures of a round, None where it has not been fooled yet."""
    elites = [
        each for piece, results in found if piece.round == number and piece.kind in BY[options.by] for each in results
    ]
    if not elites:
        return None
    epochs = [results[0] for piece, results in found if piece.kind == EPOCH and piece.round == number]
    return {
        "round": number,
        **evolved_figures(elites),
        "by_encoding": {
            encoding: evolved_figures([each for each in elites if each["encoding"] == encoding])
            for encoding in BY[options.by]
            if any(each["encoding"] == encoding for each in elites)
        },
        "added": epochs[-1]["added"] if epochs else 0,
        "clean_accuracy": epochs[-1]["accuracy"] if epochs else None,
        "robust_accuracy": epochs[-1]["robust"] if epochs else None,
        "weights_sha256": epochs[-1]["weights_sha256"] if epochs else None,
    }


def evolved_figures(elites: Sequence[Result]) -> dict[str, Any]:
    """Return how sure a network is of the surest images of all classes and evolutions, and how soon."""
    sure = [each["confidence"] for each in elites]
    return {
        "median": median(sure),
        "min": min(sure),
        "at_99": sum(value >= 0.99 for value in sure) / len(sure),
        "at_9999": sum(value >= 0.9999 for value in sure) / len(sure),
        "images": len(sure),
        "evaluations": {level: median_or_none(each[name] for each in elites) for name, level in LEVELS.items()},
    }


def sides_of(options: Any, found: Found, kind: str, classes: int) -> dict[str, Any]:
    """Return what a kind of images does to the network before and after hardening, as far as it was tried."""
    sides = {}
    for name, number in (("before", 0), ("after", options.rounds)):
        shown = [each for piece, results in found if (piece.kind, piece.round) == (kind, number) for each in results]
        if shown:
            sides[name] = evolved_figures(shown) if kind in ENCODINGS else _attacked(shown, classes)
    return sides


def _attacked(shown: Sequence[Result], classes: int) -> dict[str, Any]:
    """Return how many images fool a network, and how many it takes for images that fool."""
    fooled = sum(
        each["first"] < classes
        and (each["confidence"] >= FOOLED if each["label"] is None else each["first"] != each["label"])
        for each in shown
    )
    return {
        "success": fooled / len(shown),
        "interval95": list(wilson(fooled, len(shown))),
        "rejected": sum(each["first"] == classes for each in shown) / len(shown),
        "images": len(shown),
    }


def in_words(figures: dict[str, Any]) -> str:
    """Return the figures of a round in words."""
    words = [f"median {percent(figures['median'])}   lowest {percent(figures['min'])}"]
    needed = figures["evaluations"]["0.99"]
    words.append(f"99 % after {needed:,.0f}" if needed is not None else "half never have 99 %")
    if figures["clean_accuracy"] is not None:
        words.append(f"accuracy {rate(figures['clean_accuracy'])}")
    if figures["robust_accuracy"] is not None:
        words.append(f"robust {rate(figures['robust_accuracy'])}")
    return "   ".join(words)


def side_in_words(side: dict[str, Any]) -> str:
    """Return what a kind of images does to a network, in words."""
    if "median" in side:
        at_99 = round(side["at_99"] * side["images"])
        return f"median {percent(side['median'])}, {at_99} of {side['images']} at 99 %"
    rejected = f", {rate(side['rejected'])} rejected" if side["rejected"] else ""
    return f"{rate(side['success'])} ({between(*side['interval95'])}){rejected}"


def compared(sides: dict[str, Any]) -> str:
    """Return what a kind of images does before and after hardening, in words."""
    return "   ".join(f"{name} {side_in_words(side)}" for name, side in sides.items())
