"""Figures of a campaign, from its outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .outcome import Outcome

Z95 = 1.959963984540054
"""of a two-sided 95 % interval"""


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), in [0, 1]; (0, 1) where there is nothing to count.

    >>> tuple(round(bound, 4) for bound in wilson(10, 100))
    (0.0552, 0.1744)
    """
    if not n:
        return 0.0, 1.0
    share = min(1.0, successes / n)  # outcomes that lie may tell of more successes than pairs
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass
class Statistics:
    """Counts over the attempts of one strategy; where several numbers of pixels were tried, a pair of image and criterion
    counts once: as a success of the smallest, or as a failure of the last.

    Attributes:
        successes: pairs whose criterion was reached, ``failures`` those given up.
        already: pairs whose criterion the clean image reached, ``wrong`` those fought on an image that the target gets wrong
            without any edit; neither is in a rate.
        queries: every scored row, those that settled several criteria counted once.
        to_success: (S,) queries of each success, those of smaller numbers of pixels included.
        by_pixels: successes by number of pixels.
    """

    last_k: int
    successes: int = 0
    failures: int = 0
    already: int = 0
    wrong: int = 0
    attempts: int = 0
    queries: float = 0.0
    longest: int = 0
    """queries of the longest pair"""
    to_success: list[int] = field(default_factory=list)
    by_pixels: dict[int, int] = field(default_factory=dict)
    _spent: dict[tuple[int, int | None], int] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome; those of one pair must come in the order of their numbers of pixels."""
        pair, k = (outcome["image"], outcome["criterion_index"]), outcome["pixels"]
        self.attempts += 1
        self.queries += outcome["queries"] / outcome["shared"]
        if outcome["already"]:
            self.already += 1
            return
        before = self._spent.pop(pair, 0)
        self.longest = max(self.longest, before + outcome["queries"])
        if not outcome["success"] and k != self.last_k:
            self._spent[pair] = before + outcome["queries"]
        elif outcome.get("prediction") != outcome.get("label"):
            self.wrong += 1
        elif outcome["success"]:
            self.successes += 1
            self.to_success.append(before + outcome["queries_to_success"])
            self.by_pixels[k] = self.by_pixels.get(k, 0) + 1
        else:
            self.failures += 1

    @property
    def settled(self) -> int:
        """pairs of image and criterion that were fought to the end and count"""
        return self.successes + self.failures

    @property
    def done(self) -> int:
        """pairs that nothing more will come of"""
        return self.settled + self.already + self.wrong

    def bounds(self, total: int) -> tuple[float, float]:
        """Between which shares of successes the campaign can end, of ``total`` pairs; attempts that succeed end first."""
        counted, pending = total - self.already - self.wrong, total - self.done
        return (self.successes / counted, (self.successes + pending) / counted) if counted else (0.0, 1.0)

    @property
    def rate(self) -> float:
        """share of successes among those settled, in [0, 1]"""
        return self.successes / self.settled if self.settled else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the rate"""
        return wilson(self.successes, self.settled)

    def figures(self) -> dict[str, Any]:
        """The counts as plain JSON values; no number for what nothing is known of."""
        quantiles = np.quantile(self.to_success, [0.5, 0.9]).tolist() if self.to_success else [None, None]
        low, high = self.interval
        return {
            "settled": self.settled,
            "successes": self.successes,
            "failures": self.failures,
            "already": self.already,
            "wrong": self.wrong,
            "rate": self.rate,
            "interval95": [low, high],
            "queries": round(self.queries),
            "mean_queries": round(self.queries / self.settled, 1) if self.settled else None,
            "median_queries_to_success": quantiles[0],
            "p90_queries_to_success": quantiles[1],
            "by_pixels": {str(k): n for k, n in sorted(self.by_pixels.items())},
        }


def statistics_by_strategy(outcomes: Iterable[Outcome], last_k: int) -> dict[str, Statistics]:
    """A statistics for each strategy among the outcomes: the campaign's own, and the baseline's."""
    found: dict[str, Statistics] = {}
    for outcome in outcomes:
        found.setdefault(outcome["strategy"], Statistics(last_k)).add(outcome)
    return found
