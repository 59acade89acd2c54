"""How well a network's own confidence tells fooling images from real ones; scores and figures are ``detection``'s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..detection.names import OUTPUT_SCORES
from ..detection.outputs import Outputs, Scores, confidence_scores
from ..detection.separation import FEWEST, Separation, aupr, threshold
from .measured import Measured
from .record import AuditFigure

BARS = 30
"""Bars of a histogram of scores."""


def rejection(
    real: Outputs,
    fooling: Outputs,
    noise: Outputs | None = None,
    others: Mapping[str, Outputs] | None = None,
    seed: int = 0,
) -> Measured:
    """Return how well each score tells fooling images from real ones, and other images from real ones.

    Args:
        real: What the network says of real images.
        fooling: The same of fooling images; at least ``FEWEST`` of both.
        noise: The same of noise; its figures go into the details.
        others: The same of other data, by name; the figures of all of them together are figures, too.
        seed: Random seed of bootstrap intervals.
    """
    figures: dict[str, AuditFigure] = {}
    details: dict[str, Any] = {"real": len(real), "fooling": len(fooling), "scores": {}, "noise": {}, "others": {}}
    kept, wrong = _known(real), _known(fooling)
    for name in (score for score in OUTPUT_SCORES if score in kept.keys() & wrong.keys()):
        found = Separation.of(kept[name], wrong[name], seed)
        figures |= {f"{kind}_{name}": AuditFigure(**one._asdict()) for kind, one in found._asdict().items()}
        details["scores"][name] = {
            "threshold": threshold(wrong[name]),
            "cost": found.fpr95.value,
            "aupr_real": aupr(-wrong[name], -kept[name]).value,
            "histogram": _histogram(kept[name], wrong[name]),
        }
    limits = {name: each["threshold"] for name, each in details["scores"].items()}
    if noise is not None and len(noise) >= FEWEST:
        details["noise"] = _compared(kept, _known(noise), limits, seed)
    usable = {name: _known(outputs) for name, outputs in (others or {}).items() if len(outputs) >= FEWEST}
    details["others"] = {name: _compared(kept, scores, limits, seed) for name, scores in usable.items()}
    for name in limits if usable else ():
        together = np.concatenate([scores[name] for scores in usable.values()])
        found = Separation.of(kept[name], together, seed)
        figures[f"others_auroc_{name}"] = AuditFigure(**found.auroc._asdict())
        figures[f"others_fpr95_{name}"] = AuditFigure(**found.fpr95._asdict())
    unknown = "no maximum logit and no energy: the target gives probabilities alone"
    return Measured(figures, details, "" if "auroc_energy" in figures else unknown)


def _known(outputs: Outputs) -> dict[str, Scores]:
    """Return the scores that outputs have."""
    return {name: scores for name, scores in confidence_scores(outputs).items() if scores is not None}


def _compared(
    real: Mapping[str, Scores], others: Mapping[str, Scores], limits: Mapping[str, float], seed: int
) -> dict[str, Any]:
    """Return figures against images of another kind by score, and how many the thresholds for fooling images stop."""
    compared = {}
    for name, limit in limits.items():
        found = Separation.of(real[name], others[name], seed)._asdict()
        values = {kind: [one.value, one.low, one.high] for kind, one in found.items()}
        stopped = float(np.mean(others[name] <= limit))
        compared[name] = {**values, "n": len(others[name]), "stopped": stopped}
    return compared


def _histogram(real: Scores, fooling: Scores) -> dict[str, list[float]]:
    """Return counts of both kinds in equal bars."""
    both = np.concatenate([real, fooling])
    edges = np.histogram_bin_edges(both, BARS)
    counts = {name: np.histogram(values, edges)[0].tolist() for name, values in (("real", real), ("fooling", fooling))}
    return {"edges": edges.tolist(), **counts}
