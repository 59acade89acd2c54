"""What ``detect`` does: the parts of its work, and which images detectors learn from."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..config.detect import DetectOptions
from ..config.experiments import ExperimentConfig
from ..config.fooling import ENCODINGS
from .fooling_plan import kinds_of
from .image_experiment import chosen_images

REAL = "real"
"""The kind of images that nobody made to fool."""

SOURCE, FITTED = "source", "fitted"
"""Parts that take evolved images, and the last one, which fits what learns from images."""


class Piece(NamedTuple):
    """A part of the work."""

    kind: str
    """The kind of its images, :data:`SOURCE` or :data:`FITTED`."""
    number: int
    """Which run, batch of labelled images, or source it is."""


def pieces(config: ExperimentConfig) -> list[Piece]:
    """Return the parts of the work, in order."""
    options: DetectOptions = config.options
    batches = math.ceil(chosen_images(config) / options.batch)
    found = [Piece(REAL, number) for number in range(batches)]
    found += [Piece(SOURCE, number) for number in range(len(options.sources))]
    for kind in kinds_of(options, config.target.image_shape[0]):
        found += [Piece(kind, number) for number in range(options.runs if kind in ENCODINGS else batches)]
    return [*found, Piece(FITTED, 0)]


def known_images(config: ExperimentConfig, piece: Piece, count: int) -> list[bool]:
    """Return which of the images that a part takes or evolves detectors learn from.

    Those of the first half of the runs, since images of one run have ancestors in common. Where there is one run, and
    of a source, a half that is drawn by the seed.

    Args:
        config: The experiment's config.
        piece: The part.
        count: How many images it has.
    """
    options: DetectOptions = config.options
    if piece.kind in ENCODINGS and options.runs > 1:
        return [piece.number < (options.runs + 1) // 2] * count
    rng = np.random.default_rng(np.random.SeedSequence((options.seed, piece.number)))
    known = np.zeros(count, bool)
    known[rng.permutation(count)[: (count + 1) // 2]] = True
    return known.tolist()


def is_known(config: ExperimentConfig, image: int) -> bool:
    """Return whether detectors learn from a real image, and from what is made of it: from the first half of them."""
    return image < (chosen_images(config) + 1) // 2
