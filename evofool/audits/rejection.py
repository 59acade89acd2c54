"""How well a network's own confidence tells fooling images from real ones.

Conventions are OpenOOD's (Zhang et al. 2023) and pytorch-ood's (Kirchheim et al. 2022): fooling images are the
positives, and a score is high for what looks real.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp, xlogy

from ..attacks.statistics import RESAMPLES, Z95, wilson
from .figure_table import SCORES
from .measured import Measured, Outputs
from .record import AuditFigure

STOPPED = 0.95
"""Share of fooling images that the threshold has to stop."""

BARS = 30
"""Bars of a histogram of scores."""

FEWEST = 2
"""Fewest images of a kind: of one, nothing can be said."""

Scores = NDArray[np.float64]


def confidence_scores(outputs: Outputs) -> dict[str, Scores | None]:
    """Return the scores (N,) of images, each higher for what looks real; None for those that need unknown logits.

    Maximum softmax probability (Hendrycks & Gimpel 2017), maximum logit (Hendrycks et al. 2022), the negative energy
    at temperature 1 (Liu et al. 2020, eq. 4), and the negative entropy of the probabilities in nats.
    """
    probabilities = np.asarray(outputs.probabilities, np.float64)
    logits = None if outputs.logits is None else np.asarray(outputs.logits, np.float64)
    return {
        "msp": probabilities.max(1),
        "maxlogit": None if logits is None else logits.max(1),
        "energy": None if logits is None else np.asarray(logsumexp(logits, axis=1)),
        "entropy": xlogy(probabilities, probabilities).sum(1),
    }


def rejection(real: Outputs, fooling: Outputs, others: Mapping[str, Outputs] | None = None, seed: int = 0) -> Measured:
    """Return how well each score tells fooling images from real ones.

    Args:
        real: What the network says of real images.
        fooling: The same of fooling images; at least ``FEWEST`` of both.
        others: The same of noise or other data, by name; their figures go into the details.
        seed: Random seed of bootstrap intervals.
    """
    figures: dict[str, AuditFigure] = {}
    details: dict[str, Any] = {"real": len(real), "fooling": len(fooling), "scores": {}, "others": {}}
    kept, wrong = confidence_scores(real), confidence_scores(fooling)
    for name in SCORES:
        low, high = wrong[name], kept[name]
        if low is None or high is None:
            continue
        figures[f"auroc_{name}"] = auroc(high, low)
        figures[f"aupr_{name}"] = aupr(high, low)
        figures[f"fpr95_{name}"] = cost_of_stopping(high, low, seed)
        details["scores"][name] = {
            "threshold": threshold(low),
            "cost": figures[f"fpr95_{name}"].value,
            "aupr_real": aupr(-low, -high).value,
            "histogram": _histogram(high, low),
        }
    for other, outputs in (others or {}).items():
        if len(outputs) < FEWEST:
            continue
        scores = confidence_scores(outputs)
        details["others"][other] = {
            name: _compared(real_scores, other_scores, details["scores"][name]["threshold"], seed)
            for name, other_scores in scores.items()
            if other_scores is not None and name in details["scores"] and (real_scores := kept[name]) is not None
        }
    unknown = "no maximum logit and no energy: the target gives probabilities alone"
    return Measured(figures, details, "" if "auroc_energy" in figures else unknown)


def auroc(real: Scores, fooling: Scores) -> AuditFigure:
    """Return the area under the ROC curve, the chance that a fooling image scores below a real one.

    The interval is the score interval of Newcombe (2006, part 2, method 5), which has a width even where the area
    is 1.
    """
    from sklearn.metrics import roc_auc_score

    area = float(roc_auc_score(_positives(real, fooling), -np.concatenate([real, fooling])))
    low, high = area_interval(area, len(real), len(fooling))
    return AuditFigure(value=area, low=low, high=high, n=len(real) + len(fooling))


def aupr(real: Scores, fooling: Scores) -> AuditFigure:
    """Return the area under the precision-recall curve as average precision, with fooling images as positives.

    The interval is the binomial one of Boyd, Eng and Page (2013, §4) in Wilson's form, over the positives.
    """
    from sklearn.metrics import average_precision_score

    area = float(average_precision_score(_positives(real, fooling), -np.concatenate([real, fooling])))
    low, high = wilson(area * len(fooling), len(fooling))
    return AuditFigure(value=area, low=low, high=high, n=len(real) + len(fooling))


def threshold(fooling: Scores) -> float:
    """Return the lowest score that stops ``STOPPED`` of the fooling images, if all up to it are refused."""
    return float(np.quantile(fooling, STOPPED, method="inverted_cdf"))


def cost_of_stopping(real: Scores, fooling: Scores, seed: int = 0) -> AuditFigure:
    """Return the share of real images at or below the threshold that stops ``STOPPED`` of the fooling ones (FPR95).

    The interval is the wider of Wilson's at that threshold and of the percentile bootstrap over both kinds of images.
    """
    ordered = np.sort(real)
    n = len(real)
    cost = np.searchsorted(ordered, threshold(fooling), "right") / n
    rng = np.random.default_rng(seed)
    resampled = fooling[rng.integers(0, len(fooling), (RESAMPLES, len(fooling)))]
    thresholds = np.quantile(resampled, STOPPED, axis=1, method="inverted_cdf")
    costs = rng.binomial(n, np.searchsorted(ordered, thresholds, "right") / n) / n
    low, high = np.quantile(costs, [0.025, 0.975])
    ends = wilson(float(cost) * n, n)
    return AuditFigure(
        value=float(cost), low=min(float(low), ends[0]), high=max(float(high), ends[1]), n=n + len(fooling)
    )


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


def _positives(real: Scores, fooling: Scores) -> NDArray[np.int64]:
    return np.repeat([0, 1], [len(real), len(fooling)])


def _compared(real: Scores, other: Scores, at: float, seed: int) -> dict[str, Any]:
    """Return figures against images of another kind, and how many of them the threshold for fooling images stops."""
    figures = {"auroc": auroc(real, other), "aupr": aupr(real, other), "fpr95": cost_of_stopping(real, other, seed)}
    found = {name: [figure.value, figure.low, figure.high] for name, figure in figures.items()}
    return found | {"n": len(other), "stopped": float(np.mean(other <= at))}


def _histogram(real: Scores, fooling: Scores) -> dict[str, list[float]]:
    """Return counts of both kinds in equal bars."""
    both = np.concatenate([real, fooling])
    edges = np.histogram_bin_edges(both, BARS)
    counts = {name: np.histogram(values, edges)[0].tolist() for name, values in (("real", real), ("fooling", fooling))}
    return {"edges": edges.tolist(), **counts}
