"""What the results of ``detect`` come to: how well every score tells every kind of images from real ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..config.experiments import ExperimentConfig
from ..detection.names import SCORES
from ..detection.outputs import Scores
from ..detection.separation import FEWEST, Separation, roc_points
from .detect_plan import REAL
from .detect_results import ALL, FEATURES, PIXELS, Told, detector


@dataclass(frozen=True)
class DetectFigures:
    """The images of an experiment, and how well scores tell them.

    Attributes:
        config: The experiment's config.
        images: All images with their scores.
    """

    config: ExperimentConfig
    images: Sequence[Told]

    @cached_property
    def scores(self) -> list[str]:
        """The scores that images have: those that nobody trained, then the detectors."""
        found = self.images[0].scores if self.images else {}
        plain = [name for name in SCORES if name in found]
        return [*plain, *(name for name in found if name not in SCORES)]

    @cached_property
    def kinds(self) -> list[str]:
        """The kinds of fooling images that were made."""
        return list(dict.fromkeys(each.result["kind"] for each in self.images if each.result["kind"] != REAL))

    @cached_property
    def judged(self) -> list[str]:
        """Those kinds of which there are enough images to test on, and all of them together."""
        if len(self.tested(REAL)) < FEWEST:
            return []
        enough = [kind for kind in self.kinds if len(self.tested(kind)) >= FEWEST]
        return [*enough, ALL] if enough else []

    @property
    def inputs(self) -> list[str]:
        """What detectors were given."""
        trained = {name.partition(" ")[0] for name in self.scores}
        return [name for name in (FEATURES, PIXELS) if name in trained]

    def of(self, kind: str) -> list[Told]:
        """Return the images of a kind: all real ones, or those that fool."""
        wanted = self.kinds if kind == ALL else [kind]
        return [
            each for each in self.images if each.result["kind"] in wanted and (kind == REAL or each.result["fools"])
        ]

    def tested(self, kind: str) -> list[Told]:
        """Return those of them that nothing learns from."""
        return [each for each in self.of(kind) if not each.result["known"]]

    @cached_property
    def separations(self) -> dict[str, dict[str, Separation]]:
        """How well each score tells the images of each kind from real ones."""
        real, seed = self.tested(REAL), self.config.options.seed
        by_kind = {kind: self.tested(kind) for kind in self.judged}
        return {
            score: {
                kind: Separation.of(values(real, score), values(images, score), seed)
                for kind, images in by_kind.items()
            }
            for score in self.scores
        }

    def curve(self, score: str, kind: str) -> list[tuple[float, float]]:
        """Return the corners of a score's ROC curve."""
        return roc_points(values(self.tested(REAL), score), values(self.tested(kind), score))

    def best(self, kind: str) -> str:
        """Return the score with the largest area against a kind, of those that nobody trained."""
        plain = [name for name in self.scores if name in SCORES]
        return max(plain, key=lambda score: self.separations[score][kind].auroc.value)

    def trained_on(self, inputs: str, kind: str) -> dict[str, Separation]:
        """Return how well a detector that learnt from a kind tells each kind; empty where there is none."""
        return self.separations.get(detector(inputs, kind), {})

    def escaped(self, kind: str) -> list[tuple[Told, float]]:
        """Return the tested images of a kind, those that look most real first, with how real they look.

        That is the share of real images that look less real, as a mean over all scores.
        """
        images = self.tested(kind)
        ordered = {score: np.sort(values(self.tested(REAL), score)) for score in self.scores}
        ranks = [
            np.searchsorted(ordered[score], values(images, score), "left") / len(ordered[score])
            for score in self.scores
        ]
        look = np.mean(ranks, axis=0)
        return [(images[row], float(look[row])) for row in np.argsort(-look, kind="stable")]

    def missing(self) -> dict[str, str]:
        """Return the scores that there are none of, each with the reason."""
        if not self.images:
            return {}
        found, reasons = self.scores, {}
        name = self.config.target.name
        for score in ("maxlogit", "energy"):
            if score not in found:
                reasons[score] = f"{name} gives probabilities alone"
        if "odin" not in found:
            reasons["odin"] = f"{name} gives no gradients"
        inside = "gives no features" if "odin" not in found else "has no last layer whose input can be taken"
        if FEATURES not in self.inputs and PIXELS in self.inputs:  # Those of the last part, once it is done.
            reasons |= dict.fromkeys(("mahalanobis", "knn", f"detectors on {FEATURES}"), f"{name} {inside}")
        return reasons

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        kinds = {kind: self.counts(kind) for kind in self.kinds}
        figures: dict[str, Any] = {"images": {REAL: self.counts(REAL), **kinds}, "intervals95": {}}
        for what in Separation._fields:
            found = {
                score: {kind: getattr(each, what) for kind, each in by_kind.items()}
                for score, by_kind in self.separations.items()
            }
            figures[what] = {score: {kind: one.value for kind, one in row.items()} for score, row in found.items()}
            figures["intervals95"][what] = {
                score: {kind: [one.low, one.high] for kind, one in row.items()} for score, row in found.items()
            }
        return figures | {"missing": self.missing()}

    def counts(self, kind: str) -> dict[str, int]:
        """Return how many images of a kind there are, how many fool the network, and how many of those are tested."""
        made = sum(each.result["kind"] == kind for each in self.images)
        counts = {"images": made, "tested": len(self.tested(kind))}
        return counts if kind == REAL else counts | {"fool": len(self.of(kind))}


def values(images: Iterable[Told], score: str) -> Scores:
    """Return a score of images."""
    return np.array([each.scores[score] for each in images], np.float64)


def in_words(score: str) -> str:
    """Return what people call a score."""
    return SCORES.get(score, f"detector: {score}")
