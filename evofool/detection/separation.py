"""How well a score tells fooling images from real ones: AUROC, AUPR and FPR95, with intervals.

Conventions are OpenOOD's (Zhang et al. 2023) and pytorch-ood's (Kirchheim et al. 2022): fooling images are the
positives, and a score is high for what looks real.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ..attacks.statistics import RESAMPLES, Z95, wilson
from .outputs import Scores

STOPPED = 0.95
"""Share of fooling images that the threshold has to stop."""

FEWEST = 2
"""Fewest images of a kind: of one, nothing can be said."""


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """How many images it was counted over, real and fooling ones together."""


class Separation(NamedTuple):
    """How well a score tells fooling images from real ones."""

    auroc: Estimate
    aupr: Estimate
    fpr95: Estimate

    @classmethod
    def of(cls, real: Scores, fooling: Scores, seed: int = 0) -> Separation:
        """Return all three for scores of real images and of fooling ones; ``seed`` is that of bootstrap intervals."""
        return cls(auroc(real, fooling), aupr(real, fooling), fpr95(real, fooling, seed))


def auroc(real: Scores, fooling: Scores) -> Estimate:
    """Return the area under the ROC curve, the chance that a fooling image scores below a real one.

    The interval is the score interval of Newcombe (2006, part 2, method 5), which has a width even where the area
    is 1.
    """
    from sklearn.metrics import roc_auc_score

    area = float(roc_auc_score(_positives(real, fooling), -np.concatenate([real, fooling])))
    return Estimate(area, *area_interval(area, len(real), len(fooling)), len(real) + len(fooling))


def aupr(real: Scores, fooling: Scores) -> Estimate:
    """Return the area under the precision-recall curve as average precision, with fooling images as positives.

    The interval is the binomial one of Boyd, Eng and Page (2013, §4) in Wilson's form, over the positives.
    """
    from sklearn.metrics import average_precision_score

    area = float(average_precision_score(_positives(real, fooling), -np.concatenate([real, fooling])))
    return Estimate(area, *wilson(area * len(fooling), len(fooling)), len(real) + len(fooling))


def threshold(fooling: Scores) -> float:
    """Return the lowest score that stops ``STOPPED`` of the fooling images, if all up to it are refused."""
    return float(np.sort(fooling)[_stopped(len(fooling)) - 1])


def fpr95(real: Scores, fooling: Scores, seed: int = 0) -> Estimate:
    """Return the share of real images at or below the threshold that stops ``STOPPED`` of the fooling ones.

    The interval is the wider of Wilson's at that threshold and of the percentile bootstrap over both kinds of images.
    The place of a resample's threshold among the ``n`` sorted scores is drawn at once: it is the k-th smallest of ``n``
    uniform variates, which has a beta distribution, in ``n`` steps.
    """
    ordered, wrong = np.sort(real), np.sort(fooling)
    n, m, k = len(real), len(fooling), _stopped(len(fooling))
    cost = np.searchsorted(ordered, wrong[k - 1], "right") / n
    rng = np.random.default_rng(seed)
    thresholds = wrong[np.minimum(m - 1, (m * rng.beta(k, m - k + 1, RESAMPLES)).astype(int))]
    costs = rng.binomial(n, np.searchsorted(ordered, thresholds, "right") / n) / n
    low, high = np.quantile(costs, [0.025, 0.975])
    ends = wilson(float(cost) * n, n)
    return Estimate(float(cost), min(float(low), ends[0]), max(float(high), ends[1]), n + m)


def roc_points(real: Scores, fooling: Scores) -> list[tuple[float, float]]:
    """Return the corners of the ROC curve, from (0, 0) to (1, 1): stopped shares of real and of fooling images."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(_positives(real, fooling), -np.concatenate([real, fooling]))
    return list(zip(false.tolist(), true.tolist(), strict=True))


def area_interval(area: float, negatives: int, positives: int) -> tuple[float, float]:
    """Return the 95 % interval of an area under the ROC curve (Newcombe 2006, part 2, method 5).

    Its ends θ are where ``|area − θ| = z √V(θ)``, with
    ``V(θ) = θ(1 − θ)(1 + N(1 − θ)/(2 − θ) + Nθ/(1 + θ)) / (mn)`` and ``N = (m + n)/2 − 1``.
    """
    extra, pairs = (negatives + positives) / 2 - 1, negatives * positives

    def beyond(theta: float) -> float:
        inner = 1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return abs(area - theta) - Z95 * sqrt(theta * (1 - theta) * inner / pairs)

    edge = 1e-12  # At 0 and 1 the variance is zero, and such an area would be its own end.
    low = brentq(beyond, 0, min(area, 1 - edge)) if area > 0 else 0.0
    high = brentq(beyond, max(area, edge), 1) if area < 1 else 1.0
    return float(low), float(high)


def _stopped(n: int) -> int:
    """Return how many of ``n`` images are ``STOPPED`` of them, at least."""
    return next(k for k in range(int(STOPPED * n), n + 1) if k / n >= STOPPED)


def _positives(real: Scores, fooling: Scores) -> NDArray[np.int64]:
    return np.repeat([0, 1], [len(real), len(fooling)])
