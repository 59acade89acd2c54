"""Counts of ``transfer``: what every network makes of the images that were made to fool each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..attacks.statistics import wilson
from ..store.experiment import Result

Interval = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """What one network makes of images that fool the network they were made for.

    Attributes:
        images: Number of images.
        same: Those that it puts in the same class as the maker does.
        fooled: Those that it puts in any class that is not theirs. Images of nothing have no class, so that of these
            only the class that they were made for counts.
        at_90, at_99: Those that it is so sure of, in a class that is not theirs.
        confidence: Sum of its probabilities of its first guesses; ``confidence_same`` of the maker's class.
        chance: Expected share of ``same`` if it saw the images in any other order.
    """

    images: int
    same: int
    fooled: int
    at_90: int
    at_99: int
    confidence: float
    confidence_same: float
    chance: float

    @classmethod
    def of(cls, results: Sequence[Result], maker: int, judge: int) -> Cell:
        """Count the results of one maker, from which those that count are taken; see :func:`counts`."""
        used = [result for result in results if counts(result, maker, judge)]
        wanted, first = [result["wanted"] for result in used], [result["first"][judge] for result in used]
        sure = [
            result["confidence"][judge]
            for result in used
            if result["label"] is None or result["first"][judge] != result["label"]
        ]
        return cls(
            images=len(used),
            same=sum(one == other for one, other in zip(wanted, first, strict=True)),
            fooled=sum(fools(result, judge) for result in used),
            at_90=sum(value >= 0.9 for value in sure),
            at_99=sum(value >= 0.99 for value in sure),
            confidence=sum(result["confidence"][judge] for result in used),
            confidence_same=sum(result["same"][judge] for result in used),
            chance=sum(wanted.count(index) * first.count(index) for index in set(wanted)) / max(1, len(used)) ** 2,
        )

    def share(self, name: str) -> float | None:
        """Return a count, or a sum of probabilities, as a share of the images; None where there are none."""
        return getattr(self, name) / self.images if self.images else None

    def interval(self, name: str) -> Interval:
        """Return the 95 % interval of a share.

        It is Wilson's, also of a mean of probabilities: no values in [0, 1] of that mean vary more than zeros and ones.
        """
        return wilson(getattr(self, name), self.images)

    def to_json(self) -> dict[str, Any]:
        """Return shares and intervals as plain JSON values."""
        names = ("same", "fooled", "at_90", "at_99", "confidence", "confidence_same")
        return {
            "images": self.images,
            **{name: self.share(name) for name in names},
            **{f"{name}_interval95": list(self.interval(name)) for name in names},
            "chance": self.chance if self.images else None,
        }


def fools(result: Result, network: int) -> bool:
    """Return whether a network is fooled: it guesses another class than the image's, or the one it was made for."""
    guess, label = result["first"][network], result["label"]
    return bool(guess == result["wanted"] if label is None else guess != label)


def right_before(result: Result, network: int) -> bool:
    """Return whether a network gets the image right that this one was made from; images from nothing count."""
    return result["before"] is None or bool(result["before"][network] == result["label"])


def counts(result: Result, maker: int, judge: int) -> bool:
    """Return whether an image counts: it fools its maker, and both got the image right that it was made from."""
    return fools(result, maker) and right_before(result, maker) and right_before(result, judge)


def matrix(results: Sequence[Sequence[Result]]) -> list[list[Cell]]:
    """Return a row for each maker and a column for each judge.

    Args:
        results: The results of each of the N networks, as the maker.
    """
    networks = range(len(results))
    return [[Cell.of(found, maker, judge) for judge in networks] for maker, found in enumerate(results)]


def fool_all(results: Sequence[Result]) -> list[Result]:
    """Return the results whose images fool all networks, those first whose least sure network is the surest."""

    def least(result: Result) -> float:
        return float(min(result["same" if result["label"] is None else "confidence"]))

    networks = range(len(results[0]["first"])) if results else ()
    found = [result for result in results if all(fools(result, n) and right_before(result, n) for n in networks)]
    return sorted(found, key=lambda result: -least(result))
