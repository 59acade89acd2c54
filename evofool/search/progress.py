"""The state of an evolution after a generation, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from statistics import fmean, median

from deap import tools

SURE = 0.99
"""Confidence from which :attr:`Progress.at_99` counts a class."""


@dataclass(frozen=True)
class Progress:
    """An evolution after a generation.

    Attributes:
        generation: The number of generations so far.
        evaluations: The number of children scored so far. A gradient, of the emitter ``gradient``, counts as three.
        confirmations: How many images were scored again: in float32, where the search is not, children before
            admission or provisional elites later; and in generations 1, 2, 4, … some elites, to see that the target
            still says the same.
        seconds: Seconds of evolving so far.
        median: The median, over the classes, of the confidence of each class's surest elite.
        mean: The mean of these confidences.
        min: The lowest of these confidences.
        max: The highest of these confidences.
        at_99: How many of these confidences are 0.99 or more.
        improved: How many niches got a new elite in this generation.
        size: The mean genome size of the classes' surest elites.
        elites: How many niches have an elite.
        qd_score: The sum of all elites' confidences (Pugh et al. 2015).
    """

    generation: int
    evaluations: int
    confirmations: int
    seconds: float
    median: float
    mean: float
    min: float
    max: float
    at_99: int
    improved: int
    size: float
    elites: int
    qd_score: float


def build_statistics() -> tools.MultiStatistics:
    """Return DEAP's statistics over (confidence, size) of each class's surest elite."""
    confidence, size = tools.Statistics(itemgetter(0)), tools.Statistics(itemgetter(1))
    for name, function in (("median", median), ("mean", fmean), ("min", min), ("max", max)):
        confidence.register(name, function)  # numpy's take ten times as long on DEAP's tuples
    confidence.register("at_99", lambda values: sum(value >= SURE for value in values))
    size.register("mean", fmean)
    return tools.MultiStatistics(confidence=confidence, size=size)
