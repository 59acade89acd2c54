"""Figures of evolved images: how many classes they drive over a confidence, and after how many queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..attacks.statistics import wilson
from ..io.arrays import shortest
from ..store.run import RunFolder
from .figure_table import CONFIDENCES
from .record import AuditFigure

HARDEST = 10
"""How many of the hardest and of the easiest classes are told."""


@dataclass(frozen=True)
class Evolved:
    """What an evolution came to.

    Attributes:
        best: (K,) float32, the confidence of the surest image of each class; 0 where there is none.
        after: For each of :data:`~.figure_table.CONFIDENCES` (K,) int64: the queries after which a class was driven
            over it; 0 where none did.
        pictures: File of the surest image of each class that has one, by class index.
        evaluations: Images that were scored.
    """

    best: NDArray[np.float32]
    after: Mapping[int, NDArray[np.int64]]
    pictures: Mapping[int, str]
    evaluations: int

    @classmethod
    def of(cls, run: RunFolder) -> Evolved:
        """Read a run's elites and how they came about.

        Raises:
            RunError: They are damaged.
        """
        classes, changes = run.config.target.classes, run.history.changes()
        best, pictures = np.zeros(classes, np.float32), {}
        for line in run.elites():
            if line["score"] >= best[line["index"]]:
                best[line["index"]], pictures[line["index"]] = line["score"], line["file"]
        after = {}
        for confidence in CONFIDENCES:
            first = np.zeros(classes, np.int64)
            over = changes.score >= np.float32(confidence / 100)
            niches, queries = changes.niche[over], changes.evaluation_id[over] + 1
            for niche, count in zip(niches[::-1].tolist(), queries[::-1].tolist(), strict=True):
                first[run.config.class_indices[niche]] = count  # The first change is the last that is written.
            first[best < np.float32(confidence / 100)] = 0  # An elite that was provisional may be confirmed to be less.
            after[confidence] = first
        last = run.metrics()[-1:]
        return cls(best, after, pictures, sum(line["evaluations"] for line in last))


def share(successes: int, n: int) -> AuditFigure:
    """Return a share with Wilson's 95 % interval; a figure without value where there is nothing to count."""
    if not n:
        return AuditFigure()
    low, high = wilson(successes, n)
    return AuditFigure(value=successes / n, low=low, high=high, n=n)


def fooling_figures(evolved: Mapping[str, Evolved]) -> dict[str, AuditFigure]:
    """Return the shares of classes that are driven over each confidence, by each encoding and by the better one.

    Args:
        evolved: What each encoding came to.
    """
    figures = {}
    best = np.max([each.best for each in evolved.values()], axis=0)
    for prefix, scores in {"": best, **{f"{name}_": each.best for name, each in evolved.items()}}.items():
        for confidence in CONFIDENCES:
            count = int((scores >= np.float32(confidence / 100)).sum())
            figures[f"{prefix}fooled_at_{confidence}"] = share(count, len(scores))
    return figures


def fooling_details(evolved: Mapping[str, Evolved], classes: tuple[str, ...]) -> dict[str, Any]:
    """Return what is told beside the figures, as plain JSON values.

    ``curves`` has for each encoding and confidence the queries after which the first, second … class was driven over
    it; ``hardest`` and ``easiest`` are classes with their highest confidence; ``worst`` are the pictures that the
    target is surest about, of different classes, each with its file in the audit's folder.
    """
    names = list(evolved)
    best = np.max([each.best for each in evolved.values()], axis=0)
    maker = np.argmax([each.best for each in evolved.values()], axis=0)
    order = np.argsort(best, kind="stable").tolist()

    def told(index: int) -> dict[str, Any]:
        return {"class": classes[index], "index": index, "confidence": shortest(float(best[index]))}

    def picture(index: int) -> dict[str, Any]:
        encoding = names[int(maker[index])]
        return {**told(index), "encoding": encoding, "file": f"{encoding}/{evolved[encoding].pictures[index]}"}

    curves = {
        name: {str(confidence): sorted(after[after > 0].tolist()) for confidence, after in each.after.items()}
        for name, each in evolved.items()
    }
    return {
        "evaluations": {name: each.evaluations for name, each in evolved.items()},
        "curves": curves,
        "hardest": [told(index) for index in order[:HARDEST]],
        "easiest": [told(index) for index in order[::-1][:HARDEST]],
        "worst": [picture(index) for index in order[::-1][:HARDEST] if best[index] > 0],
    }
