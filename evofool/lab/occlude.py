"""Which parts of an evolved image its class depends on: what is left of the confidence where a square covers it.

Zeiler & Fergus 2014, §4.2 (occlusion sensitivity: a grey square is moved over the image).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.arrays import shortest
from ..store.experiment import ExperimentFolder
from ..store.records import OccludeResult
from ..targets.protocols import Target
from .elites import EliteExperiment, confidences, fill_colour
from .experiment import Findings, Part
from .occlude_findings import findings_of


class Occlude(EliteExperiment):
    """The experiment ``occlude``."""

    result = OccludeResult

    @classmethod
    def check(cls, options: Any, shape: tuple[int, int, int]) -> None:
        """Check that the square fits into the image."""
        options.places(shape)

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Cover one image at every place."""
        (target,), subject, options = targets, folder.subjects[part], folder.config.options
        rows, columns = options.places(subject.image.shape)
        patch, _ = options.square(subject.image.shape)
        spots = [(y, x) for y in rows for x in columns]

        def batches() -> Iterator[NDArray[np.uint8]]:
            yield subject.image[None]
            for start in range(0, len(spots), options.batch):
                yield covered(subject.image, spots[start : start + options.batch], patch, options.fill)

        found, first = confidences(target, batches(), subject.label)
        left = found[1:].reshape(len(rows), len(columns))
        result = {
            "image": subject.index,
            "confidence": shortest(found[0]),
            "left": [[shortest(value) for value in row] for row in left],
            "changed": int((first[1:] != first[0]).sum()),
        }
        worst = spots[int(left.argmin())]
        return Part([result], covered(subject.image, [worst], patch, options.fill))

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return what covering leaves of the confidence, by image."""
        config, results = folder.config, []
        rows, columns = config.options.places(config.target.image_shape)
        for part, found in folder.results(OccludeResult):
            if [result["image"] for result in found] != [part]:
                raise folder.other_images(part)
            if [len(row) for row in found[0]["left"]] != [len(columns)] * len(rows):
                raise folder.other_images(part)
            results.append(found[0])
        patch, _ = config.options.square(config.target.image_shape)
        return findings_of(folder, results, (rows, columns, patch))


EXPERIMENT = Occlude


def covered(image: NDArray[np.uint8], spots: Sequence[tuple[int, int]], patch: int, fill: str) -> NDArray[np.uint8]:
    """Return an image (C, H, W) with a square at each of N places (y, x), as (N, C, H, W)."""
    images, colour = np.repeat(image[None], len(spots), 0), fill_colour(image, fill)
    for number, (y, x) in enumerate(spots):
        images[number, :, y : y + patch, x : x + patch] = colour
    return images
