"""What ``detect`` computes of images: scores of a network's outputs, gradients and features, and trained detectors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from ..config.detect import DetectOptions
from ..detection.features import Mahalanobis, Neighbours
from ..detection.odin import odin_scores
from ..detection.outputs import Outputs, Scores, confidence_scores
from ..detection.separation import FEWEST
from ..detection.trained import Detector, shrunk
from ..engines.outputs import outputs
from ..errors import TargetError
from ..store.experiment import ExperimentFolder, Result
from ..store.records import DetectedImage
from ..targets.protocols import Differentiable, Target, device_of, rows_of
from .detect_plan import REAL
from .detect_results import ALL, FEATURES, PIXELS, detector

Images = NDArray[np.uint8]
Inputs = NDArray[np.float32]


def image_scores(target: Target, images: Images) -> tuple[Inputs, dict[str, Scores]]:
    """Return the probabilities (N, K) of images, and those scores that need no other images, as far as it has them."""
    told = outputs(target, [images])
    found = confidence_scores(Outputs(told["probabilities"], told.get("logits")))
    scores = {name: each for name, each in found.items() if each is not None}
    if isinstance(target, Differentiable):
        scores["odin"] = odin_scores(target, torch.from_numpy(images).to(device_of(target)))
    return told["probabilities"], scores


def fitted_scores(folder: ExperimentFolder, target: Target) -> list[Result]:
    """Return the scores of all images by what learns from some of them, part by part.

    Distances learn from real images; detectors from these and from fooling ones, of one kind or of all.
    """
    options: DetectOptions = folder.config.options
    images, parts = list[Result](), list[tuple[int, slice]]()
    inputs: dict[str, list[Inputs]] = {PIXELS: [], FEATURES: []}
    for part, results, pictures in _pictures(folder):
        parts.append((part, slice(len(images), len(images) + len(results))))
        images += results
        inputs[PIXELS].append(shrunk(pictures))
        features = _features(target, pictures)
        inputs[FEATURES] += [] if features is None else [features]
    known = np.array([each["known"] for each in images])
    kinds = np.array([each["kind"] for each in images])
    fooling = np.array([each["fools"] for each in images])
    real = known & (kinds == REAL)
    scores: dict[str, Scores] = {}
    tables = {name: np.concatenate(batches) for name, batches in inputs.items() if batches}
    if FEATURES in tables:
        labels = np.array([-1 if each["label"] is None else each["label"] for each in images])
        scores["mahalanobis"] = Mahalanobis(tables[FEATURES][real], labels[real]).scores(tables[FEATURES])
        scores["knn"] = Neighbours(tables[FEATURES][real], options.neighbours).scores(tables[FEATURES])
    for name, table in tables.items():
        for kind in [*dict.fromkeys(kinds[kinds != REAL].tolist()), ALL]:
            examples = known & fooling & ((kinds == kind) | (kind == ALL))
            if examples.sum() >= FEWEST:
                scores[detector(name, kind)] = Detector(table[real], table[examples]).scores(table)
    return [
        {"of": "fitted", "part": part, "scores": {name: values[rows].tolist() for name, values in scores.items()}}
        for part, rows in parts
    ]


def _pictures(folder: ExperimentFolder) -> Iterator[tuple[int, list[Result], Images]]:
    """Yield the results of all parts that have images, with those."""
    for part, results in folder.results(DetectedImage):
        if results:
            real = results[0]["kind"] == REAL
            images = [folder.subjects[result["image"]].image for result in results] if real else []
            yield part, results, np.stack(images) if real else folder.pictures(part)


def _features(target: Target, images: Images) -> Inputs | None:
    """Return what the last layer is given for images, or None where that can't be had."""
    if not isinstance(target, Differentiable):
        return None
    try:
        parts = [target.features(batch) for batch in torch.split(torch.from_numpy(images), rows_of(target))]
    except TargetError:  # Its layers can't be looked into, as of a scripted network.
        return None
    return torch.cat(parts).float().cpu().numpy()
