"""Figures of a campaign, from its outcomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from .outcome import Outcome

Z95 = 1.959963984540054
"""Quantile of the standard normal distribution for a two-sided 95 % interval."""

RESAMPLES = 2000
"""Resamples of a bootstrap interval."""


def median_or_none(counts: Iterable[float | None]) -> float | None:
    """Return the median of counts, of which None are larger than any; None where the median is, or there are none."""
    known = [math.inf if count is None else float(count) for count in counts]
    middle = median(known) if known else math.inf
    return middle if middle < math.inf else None


def wilson(successes: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's score interval of a share (Wilson 1927), in [0, 1]; (0, 1) where there is nothing to count.

    ``successes`` may be a sum of shares, one for each of ``n`` independent images. The interval of their mean is then
    too wide rather than too narrow: no shares with that mean vary more than those that are 0 or 1.

    >>> tuple(round(bound, 4) for bound in wilson(10, 100))
    (0.0552, 0.1744)
    """
    if not n:
        return 0.0, 1.0
    share = min(1.0, successes / n)  # outcomes that lie may tell of more successes than pairs
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Where nothing or everything succeeded that end is exact, and rounding errors would make it 1.4e-17.
    return max(0.0, middle - half) if share else 0.0, min(1.0, middle + half) if share < 1 else 1.0


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a mean of shares by the percentile bootstrap (Efron 1979).

    The resamples are the same each time. Fewer than two values tell nothing of it: (0, 1).
    """
    return _percentile_interval(np.mean, values) if len(values) > 1 else (0.0, 1.0)


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a median by the percentile bootstrap (Efron 1979).

    The resamples are the same each time. Of few values it can't be wider than their range, and fewer than two tell
    nothing of it: None.
    """
    return _percentile_interval(np.median, values) if len(values) > 1 else None


def _percentile_interval(statistic: Callable[..., Any], values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a statistic, from the same resamples each time."""
    rows = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(statistic(np.asarray(values)[rows], axis=1), [0.025, 0.975]).tolist()
    return low, high


@dataclass
class Statistics:
    """Counts over the attempts of one strategy.

    Where several numbers of pixels were tried, a pair of image and criterion counts once: as a success of the smallest
    number that succeeded, or as a failure of the last.

    Attributes:
        last_k: The last number of pixels that is tried.
        successes: Pairs whose criterion was reached.
        failures: Pairs that were given up.
        already: Pairs whose criterion the clean image meets. They are in no rate.
        wrong: Pairs that ended on an image that the target gets wrong without any edit. They are in no rate.
        attempts: Attempts that ended.
        queries: Candidates scored; those that settled several criteria count once.
        longest: Queries of the longest pair.
        to_success: Queries of each success, those of smaller numbers of pixels included.
        by_pixels: Successes by number of pixels.
    """

    last_k: int
    successes: int = 0
    failures: int = 0
    already: int = 0
    wrong: int = 0
    attempts: int = 0
    queries: float = 0.0
    longest: int = 0
    to_success: list[int] = field(default_factory=list)
    by_pixels: dict[int, int] = field(default_factory=dict)
    _spent: dict[tuple[int, int | None], int] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome. Those of one pair must come in the order of their numbers of pixels."""
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
        """Pairs that ended as a success or a failure."""
        return self.successes + self.failures

    @property
    def done(self) -> int:
        """Pairs that nothing more will come of."""
        return self.settled + self.already + self.wrong

    def bounds(self, total: int) -> tuple[float, float]:
        """Return the lowest and the highest success rate that a campaign of ``total`` pairs can end with.

        Attempts that succeed end first, so the rate so far is higher than the last one will be.
        """
        counted, pending = total - self.already - self.wrong, total - self.done
        return (self.successes / counted, (self.successes + pending) / counted) if counted else (0.0, 1.0)

    @property
    def rate(self) -> float:
        """Share of successes among the settled pairs, in [0, 1]."""
        return self.successes / self.settled if self.settled else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the rate."""
        return wilson(self.successes, self.settled)

    def figures(self) -> dict[str, Any]:
        """Return the counts as plain JSON values; None for what nothing is known of."""
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
    """Return the statistics of each strategy among the outcomes: the campaign's own, and the baseline's."""
    statistics: dict[str, Statistics] = {}
    for outcome in outcomes:
        statistics.setdefault(outcome["strategy"], Statistics(last_k)).add(outcome)
    return statistics
