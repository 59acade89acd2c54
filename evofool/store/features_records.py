"""The lines of ``results.jsonl`` of the experiment ``features``, as they must be."""

from __future__ import annotations

import msgspec

from .records import Natural, NotNegative, Share


class Found(msgspec.Struct, frozen=True, tag_field="kind", tag="found"):
    """What all results have: which kind they are."""


class SetBatch(Found, frozen=True, tag_field="kind", tag="set"):
    """A batch of a data set: its labels; what its maker takes the images for, in 8 bits and before rounding; how far
    they moved; and how far their features are from those wanted, before and after."""

    set: str
    labels: list[Natural]
    taken: list[Natural] | None = None
    unrounded: list[Natural] | None = None
    moved: list[NotNegative] | None = None
    before: list[NotNegative] | None = None
    after: list[NotNegative] | None = None


class EpochDone(Found, frozen=True, tag_field="kind", tag="epoch"):
    """An epoch of a training; the last one has the digest of the weights."""

    network: str
    epoch: Natural
    loss: NotNegative
    accuracy: Share
    sha256: str | None


class Accuracy(Found, frozen=True, tag_field="kind", tag="accuracy"):
    """How many test images a network gets right: as they are, and perturbed by each size, in 8 bits and before."""

    network: str
    images: Natural
    clean: Natural
    sizes: list[NotNegative]
    robust: list[Natural]
    unrounded: list[Natural]


class Transferred(Found, frozen=True, tag_field="kind", tag="transfer"):
    """Of the test images that a network gets right, how many it doesn't once they are perturbed against another."""

    network: str
    right: Natural
    fooled: Natural


class ShownTo(Found, frozen=True, tag_field="kind", tag="shown"):
    """What a network takes the first images to learn from for."""

    network: str
    first: list[Natural]
    confidence: list[Share]


class Evolved(Found, frozen=True, tag_field="kind", tag="evolved"):
    """Images that were evolved against a network, and what every network makes of them.

    ``sure`` is after how many evaluations the median confidence was 99 %.
    """

    network: str
    encoding: str
    run: Natural
    wanted: list[Natural]
    sure: Natural | None
    first: dict[str, list[Natural]]
    confidence: dict[str, list[Share]]


class Exported(Found, frozen=True, tag_field="kind", tag="export"):
    """A data set that was written once more, for others to read."""

    set: str
    images: Natural


FeaturesResult = SetBatch | EpochDone | Accuracy | Transferred | ShownTo | Evolved | Exported
"""A result."""
