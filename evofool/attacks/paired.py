"""Two campaigns on the same attempts: the paired difference of their success rates, and whether chance explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .statistics import wilson


@dataclass(frozen=True)
class PairedCounts:
    """How many attempts that both campaigns ran succeeded in both, in one, or in neither.

    Attributes:
        both: Attempts that succeeded in both.
        first: Attempts that succeeded in the first campaign only.
        second: Attempts that succeeded in the second only.
        neither: Attempts that succeeded in neither.
    """

    both: int
    first: int
    second: int
    neither: int

    @property
    def n(self) -> int:
        """Number of attempts that both ran."""
        return self.both + self.first + self.second + self.neither

    @property
    def rates(self) -> tuple[float, float]:
        """Success rates of the first and of the second campaign on these attempts, in [0, 1]."""
        return (self.both + self.first) / self.n, (self.both + self.second) / self.n

    @property
    def difference(self) -> float:
        """The second rate minus the first, in [-1, 1]."""
        return (self.second - self.first) / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Newcombe's 95 % interval of the difference.

        It combines the Wilson intervals of both rates, and corrects for their correlation (Newcombe 1998, "Improved
        confidence intervals for the difference between binomial proportions based on paired data", Statistics in
        Medicine 17, method 10).
        """
        (second_low, second_high), (first_low, first_high) = (
            wilson(self.both + only, self.n) for only in (self.second, self.first)
        )
        first, second = self.rates
        phi = self._correlation()
        below, above = second - second_low, first_high - first
        low = self.difference - math.sqrt(max(0.0, below**2 - 2 * phi * below * above + above**2))
        below, above = first - first_low, second_high - second
        high = self.difference + math.sqrt(max(0.0, below**2 - 2 * phi * below * above + above**2))
        return max(-1.0, low), min(1.0, high)

    @property
    def p_value(self) -> float:
        """Two-sided p value of the exact McNemar test, in (0, 1].

        Without a difference every attempt that succeeded in one campaign only is as likely to be of the first as of
        the second, so their number is binomial with probability 1/2 (McNemar 1947; Fagerland, Lydersen and Laake 2013,
        BMC Medical Research Methodology 13, section "The exact conditional test").
        """
        discordant, fewer = self.first + self.second, min(self.first, self.second)
        tail = ways = 1
        for k in range(fewer):
            ways = ways * (discordant - k) // (k + 1)  # binomial coefficients are whole numbers
            tail += ways
        return min(1.0, 2 * tail / (1 << discordant))

    def _correlation(self) -> float:
        """Return the phi coefficient with Newcombe's continuity correction; 0 where a rate is 0 or 1."""
        margins = (self.both + self.first) * (self.second + self.neither)
        margins *= (self.both + self.second) * (self.first + self.neither)
        if not margins:
            return 0.0
        cross = self.both * self.neither - self.first * self.second
        corrected = max(0.0, cross - self.n / 2) if cross > 0 else float(cross)
        return corrected / math.sqrt(margins)

    def figures(self) -> dict[str, Any]:
        """Return the counts, the difference and the test as plain JSON values."""
        low, high = self.interval
        return {
            "attempts": self.n,
            "both": self.both,
            "only_first": self.first,
            "only_second": self.second,
            "neither": self.neither,
            "rates": list(self.rates),
            "difference": self.difference,
            "interval95": [low, high],
            "mcnemar_p": self.p_value,
        }
