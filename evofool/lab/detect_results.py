"""The results of ``detect``, read back with care: every image with all that is said of it."""

from __future__ import annotations

from typing import NamedTuple

from ..config.fooling import ENCODINGS
from ..detection.names import OUTPUT_SCORES
from ..store.experiment import ExperimentFolder, Result
from ..store.records import DetectedImage, FittedScores
from .detect_plan import FITTED, REAL, SOURCE, Piece, pieces

FEATURES, PIXELS = "features", "pixels"
"""What a trained detector is given: what the network's last layer is, or the image itself."""

ALL = "all"
"""All kinds of fooling images together."""


def detector(inputs: str, kind: str) -> str:
    """Return what the score of a detector is called that learns from a kind of images."""
    return f"{inputs} trained on {kind}"


class Told(NamedTuple):
    """An image with what was found of it."""

    result: Result
    """What the network says of it."""
    part: int
    row: int
    scores: dict[str, float]
    """All of its scores."""


def read_results(folder: ExperimentFolder) -> list[Told]:
    """Return all images, so far; scores that learn from images come with the last part.

    Raises:
        RunError: The folder is damaged.
    """
    planned, images = pieces(folder.config), list[Told]()
    for part, results in folder.results(DetectedImage | FittedScores):
        if part >= len(planned):
            raise folder.other_images(part)
        if planned[part].kind != FITTED:
            images += [Told(result, part, row, result["scores"]) for row, result in enumerate(results)]
            fine = all(_fits(result, folder, planned[part]) for result in results)
        else:
            places = [(result.get("part"), result.get("row")) for result in results]
            fine = places == [(each.part, each.row) for each in images]
            if fine:
                images = [
                    each._replace(scores=each.scores | result["scores"])
                    for each, result in zip(images, results, strict=True)
                ]
        if not fine or any(each.scores.keys() != images[0].scores.keys() for each in images):
            raise folder.other_images(part)
    return images


def _fits(result: Result, folder: ExperimentFolder, piece: Piece) -> bool:
    """Return whether a result may be one of a part."""
    if result["of"] != "image" or not result["scores"].keys() <= {*OUTPUT_SCORES, "odin"}:
        return False
    indices = [result["first"], *(index for index in (result["wanted"], result["label"]) if index is not None)]
    if max(indices) >= len(folder.config.classes) or (result["fools"] and result["kind"] == REAL):
        return False
    kinds = ENCODINGS if piece.kind == SOURCE else (piece.kind,)
    evolved = result["kind"] in ENCODINGS
    if result["kind"] not in kinds or evolved == (result["wanted"] is None) or evolved == ("image" in result):
        return False
    batch = folder.config.options.batch
    return evolved or (
        result["image"] // batch == piece.number and result["label"] == folder.subjects.label(result["image"])
    )
