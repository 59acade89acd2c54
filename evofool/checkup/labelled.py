"""What labelled images tell: which way to read a classifier makes more of them right than chance would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attacks.data_warnings import hardly_above_chance
from ..attacks.paired import PairedCounts
from ..errors import TargetError
from ..targets.doors.base import Loaded
from ..text import percent
from .asking import Asking
from .result import Accuracy, Finding
from .variants import Variant, swapped_colours, variants

Labels = NDArray[np.int64]
Right = NDArray[np.bool_]

LEVEL = 0.01
"""Chance of calling a right reading wrong: the level of all comparisons together (Bonferroni)."""

CONVINCING = 0.4
"""How far above chance another way must be, as a share of the way from chance to all images.

Untrained networks tell classes apart a little: with names in the order that fits best, up to 33 % of digits were right.
"""

SURER = 0.05
"""How much higher the scores of the images' own classes must be on average, in a way that is as good otherwise."""

EQUAL = 0.05
"""p value from which two readings count as equally good, so that the simpler one is said."""

ROWS = 256
"""Images that are scored at once."""

NAMED = 4
"""How many classes are named whose names stand in another place."""


@dataclass(frozen=True)
class Tried:
    """A way to read a classifier that was tried.

    Attributes:
        what: What is wrong if it is right.
        reading: The way, in words.
        fix: What to do if it is right.
        right: (N,) which images are right.
        own: (N,) the score of every image's own class.
        changes: In how many things it differs from how the classifier is understood.
        normal: How pixels are normalised. Own scores of the same normalisation can be compared: with another, a
            classifier may be surer of all it says.
        order: (K,) which class every output is; None where that stays.
    """

    what: str
    reading: str
    fix: str
    right: Right
    own: NDArray[np.float32]
    changes: int = 0
    normal: str = ""
    order: Labels | None = None


class Comparison:
    """Compares how a classifier is understood with other ways, on the same labelled images.

    A way counts as better where more images are right, and the exact McNemar test says that it is no chance, at the
    level ``LEVEL`` of all ways together. Where pixels are normalised alike, so that only colours or axes differ, the
    exact sign test of the scores of the images' own classes may say so as well. And it must be well above chance, by
    ``CONVINCING``. Of equally good ways, the one with the fewest changes is said.

    Attributes:
        findings: What is wrong.
        better: Whether another way is better.
        notes: What the images can't tell.
        accuracies: How many images are right in every way that was tried.
        order: The class names in the order that the images tell, where it is another one.

    Args:
        loaded: The classifier.
        asking: How it is asked.
        images: (N, C, H, W) uint8.
        labels: (N,) class indices.
        scores: (N, K) the classifier's scores.
    """

    def __init__(self, loaded: Loaded, asking: Asking, images: Tensor, labels: Labels, scores: Tensor) -> None:
        self._loaded, self._asking, self._images, self._labels = loaded, asking, images, labels
        self._classes = loaded.target.classes
        self.order: tuple[str, ...] = ()
        base, *tried = self._tried_of(None, scores)
        if (swapped := swapped_colours(loaded)) is not None:
            tried += self._tried(swapped)
        for variant in variants(loaded):
            tried += self._tried(variant)
        best = self._best(base, tried)
        self.accuracies = tuple(
            Accuracy(
                one.reading,
                int(one.right.sum()),
                float(one.own.mean()),
                p_value(base.right, one.right) if one is not base else None,
            )
            for one in (base, *tried)
            if one.order is None or one is best
        )
        self.better = best is not None
        self.findings = tuple(self._findings(base, best, len(tried)))
        self.notes = tuple(self._notes(base, tried)) if best is None else ()

    def _tried(self, variant: Variant) -> Iterator[Tried]:
        """Yield a variant, with the names as they are and in the order that fits best; nothing where it can't be."""
        engine = self._asking.engine(variant.target)
        try:
            parts = [engine.confirm(variant.prepare(part)).cpu() for part in torch.split(self._images, ROWS)]
        except TargetError:
            return
        yield from self._tried_of(variant, torch.cat(parts))

    def _tried_of(self, variant: Variant | None, scores: Tensor) -> Iterator[Tried]:
        guesses, labels, count = scores.argmax(1).numpy(), self._labels, len(self._classes)
        own = scores.numpy()[np.arange(len(labels)), labels]
        one = Tried("", "as understood", "", guesses == labels, own)
        if variant is not None:
            one = replace(
                one,
                what=variant.what,
                reading=variant.reading,
                fix=variant.fix,
                changes=variant.changes,
                normal=variant.normal,
            )
        yield one
        file = " with `classes_file=FILE`" if self._loaded.model is not None else ""
        order = best_order(guesses, labels, count)
        yield replace(
            one,
            what=_both(one.what, "the class names stand in another order"),
            reading=_both(variant.reading if variant else "", "names in another order"),
            fix=_both(one.fix, f"give the class names in the order of the outputs{file}"),
            right=right_when_matched(guesses, labels, count),
            own=scores.numpy()[np.arange(len(labels)), np.argsort(order)[labels]],
            changes=one.changes + 1,
            order=order,
        )

    def _best(self, base: Tried, tried: list[Tried]) -> Tried | None:
        """Return the best way, if it is better than how the classifier is understood by more than chance."""
        level, guessing = LEVEL / len(tried), 1 / len(self._classes)
        fewest = max(base.right.mean(), guessing + CONVINCING * (1 - guessing))
        better = [one for one in tried if one.right.mean() > fewest and chance(base, one) < level]
        if not better:
            return None
        best = max(better, key=lambda one: (one.right.sum(), -one.changes))
        equal = [one for one in better if chance(one, best) >= EQUAL or one is best]
        return min(equal, key=lambda one: (one.changes, -one.right.sum()))

    def _findings(self, base: Tried, best: Tried | None, tried: int) -> Iterator[Finding]:
        count, right = len(self._labels), int(base.right.sum())
        if best is not None:
            evidence = (
                f"{int(best.right.sum())} of {count} images are right with {best.reading}, {right} as it is understood "
                f"(p = {p_value(base.right, best.right):.2g}, exact McNemar test; {tried} ways were tried, "
                "each with the class names as they are and in the order that fits best)"
            )
            if best.normal == base.normal and best.order is None:
                higher = int((best.own > base.own).sum())
                evidence += f", and {higher} of {count} have a higher score of their own class"
            if best.order is not None:
                self.order = tuple(self._classes[index] for index in best.order)
                moved = [row for row, index in enumerate(best.order) if row != index]
                few = ", ".join(f"output {row} is {self._classes[best.order[row]]}" for row in moved[:NAMED])
                more = f" and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
                evidence += f"; {few}{more}"
            yield Finding(best.what, evidence, best.fix)
        elif hardly_above_chance(right, count, len(self._classes)):
            yield Finding(
                "the accuracy is near chance",
                f"{right} of {count} images are right, and chance makes 1 of {len(self._classes):,} right; no other "
                "way to read them is better by more than chance",
                "check that the weights are trained ones, and that they, the class names and the images belong "
                "together",
            )

    def _notes(self, base: Tried, tried: list[Tried]) -> Iterator[str]:
        """Yield other ways to normalise in which as many images are right, and nearly all with higher scores."""
        surer = [
            one
            for one in tried
            if one.changes == 1
            and one.normal != base.normal
            and one.own.mean() >= base.own.mean() + SURER
            and (one.right.sum() >= base.right.sum() or p_value(base.right, one.right) >= EQUAL)
            and p_value(one.own > base.own, base.own > one.own) < LEVEL / len(tried)
        ]
        highest = max((one.own.mean() for one in surer), default=0.0)
        if surest := [one for one in surer if one.own.mean() >= highest - SURER]:
            readings, fixes = (
                " or ".join(words) for words in zip(*((one.reading, one.fix) for one in surest), strict=True)
            )
            yield (
                f"whether it expects {readings}: {_span(int(one.right.sum()) for one in surest)} of "
                f"{len(base.right)} images are right so, {int(base.right.sum())} as it is understood, and the scores "
                f"of their own classes are {percent(float(highest))} on average instead of "
                f"{percent(float(base.own.mean()))}; if it was trained so, {fixes}"
            )


def chance(one: Tried, other: Tried) -> float:
    """Return the p value of two ways being equally good, in (0, 1]."""
    value = p_value(one.right, other.right)
    if one.normal != other.normal or one.order is not None or other.order is not None:
        return value
    return min(1.0, 2 * min(value, p_value(one.own > other.own, other.own > one.own)))


def p_value(one: Right, other: Right) -> float:
    """Return the p value of the exact McNemar test of which images are right in two ways."""
    both, first = int((one & other).sum()), int((one & ~other).sum())
    second = int((~one & other).sum())
    return PairedCounts(both, first, second, len(one) - both - first - second).p_value


def _span(counts: Iterable[int]) -> str:
    lowest, *_, highest = sorted([*counts] * 2)
    return f"{lowest}" if lowest == highest else f"{lowest} to {highest}"


def _both(one: str, other: str) -> str:
    return f"{one}, and {other}" if one else other


def best_order(guesses: Labels, labels: Labels, classes: int) -> Labels:
    """Return which class (K,) every output is, so that the most images are right. Outputs that no image tells of stay.

    It is the assignment with the largest sum of images (Kuhn 1955, "The Hungarian method for the assignment problem").
    """
    from scipy.optimize import linear_sum_assignment

    counts = 0.5 * np.eye(classes)
    np.add.at(counts, (guesses, labels), 1)
    _, order = linear_sum_assignment(counts, maximize=True)
    return np.asarray(order, np.int64)


def right_when_matched(guesses: Labels, labels: Labels, classes: int) -> Right:
    """Return which images (N,) are right with the names in the best order, found on the other half of the images.

    On the images that it is found on, the best order is always at least as good as any, whether or not there is one.
    """
    half = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        half[rows[1::2]] = True
    right = np.zeros(len(labels), bool)
    for part in (half, ~half):
        order = best_order(guesses[~part], labels[~part], classes)
        right[part] = order[guesses[part]] == labels[part]
    return right
