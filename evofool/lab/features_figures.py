"""What the results of ``features`` come to, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from ..attacks.statistics import median_or_none, wilson
from ..config.experiments import ExperimentConfig
from ..config.features import D_RAND, MADE, D, FeaturesOptions
from ..config.fooling import ENCODINGS
from ..store.features_records import Accuracy, Evolved
from .features_plan import ROBUST, STANDARD, learner_name, sizes
from .features_reading import Read

PUBLISHED = {
    STANDARD: (None, 4.5),
    ROBUST: (90.83, 82.31),
    "D_R": (85.4, 48.2),
    "D_NR": (88.0, 0.0),
    "D_rand": (63.3, 0.0),
    "D_det": (43.7, 0.0),
}
"""Clean and robust accuracy in per cent on CIFAR-10, ResNet-50, L2 ε = 0.25 (Ilyas et al. 2019, figure 2, tables)."""

SURE = 0.99
"""Confidence from which a class counts as reached by evolution."""


class Share(NamedTuple):
    """A share of a count."""

    hits: int
    whole: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.hits / max(1, self.whole)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval."""
        return wilson(self.hits, self.whole)


class Learnt(NamedTuple):
    """What a network gets right of the test images: as they are, and perturbed by each size."""

    clean: Share
    robust: Sequence[Share]

    @property
    def measured(self) -> Share:
        """Robust accuracy at the size that was asked for."""
        return self.robust[1]

    def to_json(self, options: FeaturesOptions) -> dict[str, Any]:
        """Return shares and intervals as plain JSON values."""
        return {
            "clean": self.clean.value,
            "clean_interval95": list(self.clean.interval),
            "robust": self.measured.value,
            "robust_interval95": list(self.measured.interval),
            "robust_at": {f"{size:g}": share.value for size, share in zip(sizes(options), self.robust, strict=True)},
            "images": self.clean.whole,
        }


def learnt(found: Accuracy) -> Learnt:
    """Return what a network gets right."""
    return Learnt(Share(found.clean, found.images), [Share(count, found.images) for count in found.robust])


class Fooled(NamedTuple):
    """Images that were evolved against a network by an encoding."""

    confidence: Sequence[float]
    """Of the network, in the class that each was evolved for."""
    sure: Sequence[int | None]
    """After how many evaluations the median was 99 %, for each evolution."""
    images: int
    """Images that the network takes for their class."""
    same: Mapping[str, Share]
    """How many of these every network takes for that class as well."""
    confidence_elsewhere: Mapping[str, float]
    """The mean probability of that class for every network."""

    @property
    def reached(self) -> float | None:
        """The median number of evaluations to a median of 99 %; None where half of the evolutions didn't get there."""
        return median_or_none(self.sure)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "median": median(self.confidence),
            "min": min(self.confidence),
            "at_99": sum(value >= SURE for value in self.confidence),
            "of": len(self.confidence),
            "evaluations_to_99": self.reached,
            "images": self.images,
            "same": {name: share.value for name, share in self.same.items()},
            "same_interval95": {name: list(share.interval) for name, share in self.same.items()},
            "confidence_elsewhere": dict(self.confidence_elsewhere),
        }


def fooled(found: Sequence[Evolved]) -> Fooled:
    """Count what networks make of the images of some evolutions, at least one, against the same network."""
    maker = found[0].network
    confidence = [value for each in found for value in each.confidence[maker]]
    same, elsewhere = {}, {}
    for name in found[0].first:
        rows = [
            (first == wanted, value)
            for each in found
            for own, first, wanted, value in zip(
                each.first[maker], each.first[name], each.wanted, each.confidence[name], strict=True
            )
            if own == wanted
        ]
        same[name] = Share(sum(hit for hit, _ in rows), len(rows))
        elsewhere[name] = sum(value for _, value in rows) / max(1, len(rows))
    return Fooled(confidence, [each.sure for each in found], same[maker].whole, same, elsewhere)


class FeatureFigures:
    """All figures of the experiment, so far.

    Args:
        config: Its config.
        found: Its results.

    Attributes:
        learnt: What every network gets right, by its name, but for those of several kinds that are compared.
        evolved: By network and encoding.
        learners: For each kind of network its accuracy after D_rand, and how much of the perturbations transfers to it.
    """

    def __init__(self, config: ExperimentConfig, found: Read) -> None:
        self.config, self.options, self.found = config, config.options, found
        clean = {name: Share(each.clean, each.images) for name, each in found.accuracies.items()}
        self.learnt = {name: learnt(each) for name, each in found.accuracies.items() if each.sizes}
        self.evolved: dict[tuple[str, str], Fooled] = {}
        for maker in (STANDARD, ROBUST):
            for encoding in ENCODINGS:
                those = [each for _, each in found.evolved if (each.network, each.encoding) == (maker, encoding)]
                if those:
                    self.evolved[maker, encoding] = fooled(those)
        self.learners: dict[str, tuple[Share, Share]] = {}
        for kind in (self.options.network, *self.options.learners):
            after = clean.get(D_RAND if kind == self.options.network else learner_name(kind, D_RAND))
            transferred = found.transferred.get(learner_name(kind, D))
            if after and transferred:
                self.learners[kind] = (after, Share(transferred.fooled, transferred.right))

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return 1 / len(self.config.classes)

    def made(self, name: str) -> dict[str, float] | None:
        """Return how a data set came out, or None before it is begun."""
        batches = [batch for _, batch in self.found.sets.get(name, ())]
        if not batches:
            return None
        labels, taken, exact, moved = (
            [value for batch in batches for value in getattr(batch, column) or ()]
            for column in ("labels", "taken", "unrounded", "moved")
        )
        true = self.found.labels(D)[: len(labels)]
        before, after = ([v for batch in batches for v in getattr(batch, at) or ()] for at in ("before", "after"))
        figures = {
            "images": float(len(labels)),
            "labels_true": sum(one == other for one, other in zip(labels, true, strict=True)) / len(labels),
            "taken_for_label": sum(one == other for one, other in zip(taken, labels, strict=True)) / len(labels),
            "taken_unrounded": sum(one == other for one, other in zip(exact, labels, strict=True)) / len(labels),
            "moved": sum(moved) / len(moved),
        }
        if before:
            figures["feature_distance_left"] = sum(after) / max(sum(before), 1e-12)
        return figures

    def to_json(self) -> dict[str, Any]:
        """Return all as plain JSON values."""
        options = self.options
        named = {name: each.to_json(options) for name, each in self.learnt.items()}
        kinds = {D: STANDARD} | {name: name for name in MADE}
        evolved: dict[str, dict[str, Any]] = {}
        for (maker, encoding), each in self.evolved.items():
            evolved.setdefault(maker, {})[encoding] = each.to_json()
        return {
            "network": options.network,
            "learnt_from": options.size,
            "epsilon": options.epsilon,
            "chance": self.chance,
            "sets": {name: named[network] for name, network in kinds.items() if network in named},
            "robust_network": named.get(ROBUST),
            "made": {name: made for name in MADE if (made := self.made(name))},
            "learners": {
                kind: {
                    "learnt": accuracy.value,
                    "learnt_interval95": list(accuracy.interval),
                    "transferred": share.value,
                    "transferred_interval95": list(share.interval),
                }
                for kind, (accuracy, share) in self.learners.items()
            },
            "evolved": evolved,
            "curves": {name: [each.accuracy for each in epochs] for name, epochs in self.found.epochs.items()},
        }
