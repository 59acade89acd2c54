"""The results of ``detect``, read back with care: every image with all that is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
        if planned[part].kind == FITTED:
            if not _told_of(results, images):
                raise folder.other_images(part)
            images = _with_fitted(images, results)
            continue
        new = [Told(result, part, row, result["scores"]) for row, result in enumerate(results)]
        fine = all(_fits(result, folder, planned[part]) for result in results)
        if not fine or not _alike([each.scores for each in (*images[:1], *new)]):
            raise folder.other_images(part)
        images += new
    return images


def _told_of(results: Sequence[Result], images: Sequence[Told]) -> bool:
    """Return whether the last part's results are of these images: of every part that has some, as many values."""
    counts = Counter(each.part for each in images)
    if [(result["of"], result.get("part")) for result in results] != [("fitted", part) for part in counts]:
        return False
    lengths = all(len(values) == counts[result["part"]] for result in results for values in result["scores"].values())
    return lengths and _alike([result["scores"] for result in results])


def _with_fitted(images: Sequence[Told], results: Sequence[Result]) -> list[Told]:
    """Return images with the scores that learn from images as well."""
    by_part = {result["part"]: result["scores"] for result in results}
    return [
        each._replace(scores=each.scores | {name: values[each.row] for name, values in by_part[each.part].items()})
        for each in images
    ]


def _alike(scores: Sequence[Mapping[str, object]]) -> bool:
    """Return whether all have the same names."""
    return all(each.keys() == scores[0].keys() for each in scores)


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
