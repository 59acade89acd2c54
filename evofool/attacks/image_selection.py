"""Which images of a data set a campaign attacks: a seeded, class-balanced choice of those the target gets right."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import torch

from ..datasets import LabelledImages
from ..datasets.base import UNKNOWN, Labels, printable
from ..errors import ConfigError, ImageError
from ..targets.torch_target import Target

LOOK = 256
"""images read and scored at once"""


@dataclass
class SelectedImages:
    """N images for a campaign, in the order they are attacked.

    Attributes:
        images: (N, C, H, W) uint8.
        labels: (N,) true classes; the target's own prediction where nobody labelled the image.
        predictions: (N,) the target's first guesses; ``confidence`` (N,) how sure it is of them.
        ids: (N,) what records call them; ``hashes`` (N,) the SHA-256 of each image's bytes.
        looked: images that were scored; ``correct`` of them the target gets right.
        labelled: whether somebody labelled them; else the target's own predictions stand in.
        skipped: files that could not be used, and why.
    """

    images: np.ndarray
    labels: Labels
    predictions: Labels
    confidence: np.ndarray
    ids: list[str]
    hashes: list[str]
    looked: int = 0
    correct: int = 0
    labelled: bool = True
    skipped: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


def select_images(
    data: LabelledImages,
    target: Target,
    *,
    count: int,
    seed: int = 0,
    first: bool = False,
    include_misclassified: bool = False,
    without: Collection[int] = (),
) -> SelectedImages:
    """Choose up to ``count`` images.

    Classes take turns, each with its images in a seeded order, and the next is taken where one is misclassified
    or unreadable, so that as many of every class are there as the data allow.

    Args:
        first: take the data's own order instead, without balancing.
        include_misclassified: also images that the target gets wrong; the clean protocol leaves them out.
        without: classes whose images are left out: a targeted attack can't start from its criterion.

    Raises:
        ConfigError: a label is none of the target's classes, the images are of another shape, or none can be used.
    """
    if count < 1:
        raise ConfigError(f"--count is the number of images, at least 1; got {count}")
    _check_labels(data, target)
    queues = _queues(data.labels, seed, first, without)
    if not any(queues):
        raise ConfigError(
            f"every image of {data.name} is of the criterion's own class; choose another --criterion or --data"
        )
    finder = _Finder(data, target, include_misclassified, frozenset(without))
    taken: list[list[_Found]] = [[] for _ in queues]
    while (missing := count - sum(map(len, taken))) > 0 and any(queues):
        looks = _shares([len(part) for part in taken], [len(queue) for queue in queues], missing)
        rows = [(which, queues[which].popleft()) for which, n in enumerate(looks) for _ in range(n)]
        for start in range(0, len(rows), LOOK):
            part = rows[start : start + LOOK]
            for which, found in finder.look(part):
                taken[which].append(found)
    chosen = [part[turn] for turn in range(max(map(len, taken))) for part in taken if turn < len(part)]
    if not chosen:
        raise ConfigError(_nothing(data, target, finder))
    return SelectedImages(
        images=np.stack([one.image for one in chosen]),
        labels=np.array([one.label for one in chosen], np.int64),
        predictions=np.array([one.prediction for one in chosen], np.int64),
        confidence=np.array([one.confidence for one in chosen], np.float32),
        ids=[one.id for one in chosen],
        hashes=[hashlib.sha256(one.image.tobytes()).hexdigest() for one in chosen],
        looked=finder.looked,
        correct=finder.correct,
        labelled=bool((data.labels != UNKNOWN).all()),
        skipped=data.skipped | finder.skipped,
    )


@dataclass
class _Found:
    image: np.ndarray
    id: str
    label: int
    prediction: int
    confidence: float


class _Finder:
    """Reads and scores images, and keeps those that can be attacked."""

    def __init__(self, data: LabelledImages, target: Target, misclassified: bool, without: frozenset[int]) -> None:
        self.data, self.target, self.misclassified, self.without = data, target, misclassified, without
        self.looked = self.correct = 0
        self.skipped: dict[str, str] = {}

    def look(self, rows: list[tuple[int, int]]) -> list[tuple[int, _Found]]:
        images, kept = [], []
        for which, index in rows:
            try:
                image = self.data.read(index)
            except ImageError as error:
                self.skipped[self.data.id(index)] = printable(str(error))
                continue
            if image.shape != self.target.image_shape:
                raise ConfigError(
                    f"the images of {self.data.name} are {_shape(image.shape)}, {self.target.name} takes "
                    f"{_shape(self.target.image_shape)}; choose another --data or --target"
                )
            images.append(image)
            kept.append((which, index))
        if not images:
            return []
        scores = self.target.confirm(torch.from_numpy(np.stack(images))).cpu()
        values, guesses = (part[:, 0].tolist() for part in scores.topk(1))
        found = []
        for (which, index), image, value, guess in zip(kept, images, values, guesses, strict=True):
            label = int(self.data.labels[index])
            label = guess if label == UNKNOWN else label
            self.looked += 1
            self.correct += label == guess
            if (label == guess or self.misclassified) and label not in self.without:
                found.append((which, _Found(image, self.data.id(index), label, guess, value)))
        return found


def _queues(labels: Labels, seed: int, first: bool, without: Collection[int]) -> list[deque[int]]:
    """Indices of the images, a queue for each class."""
    if first:
        return [deque(np.flatnonzero(~np.isin(labels, list(without))).tolist())]
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    classes = [label for label in np.unique(labels).tolist() if label not in without]
    return [deque(rng.permutation(np.flatnonzero(labels == label)).tolist()) for label in classes]


def _shares(have: list[int], left: list[int], missing: int) -> list[int]:
    """How many more of each queue to look at, so that those with the fewest catch up first."""
    shares = [0] * len(have)
    while missing and any(share < rest for share, rest in zip(shares, left, strict=True)):
        level = min(h + s for h, s, rest in zip(have, shares, left, strict=True) if s < rest)
        for which, rest in enumerate(left):
            if missing and shares[which] < rest and have[which] + shares[which] == level:
                shares[which] += 1
                missing -= 1
    return shares


def _check_labels(data: LabelledImages, target: Target) -> None:
    if not len(data):
        raise ConfigError(f"{data.name} holds no images; choose another --data")
    wrong = (data.labels != UNKNOWN) & ((data.labels < 0) | (data.labels >= len(target.classes)))
    if wrong.any():
        index = int(np.flatnonzero(wrong)[0])
        raise ConfigError(
            f"{data.id(index)} has label {int(data.labels[index])}, {target.name} has classes 0 to "
            f"{len(target.classes) - 1}; choose another --data or --target"
        )


def _nothing(data: LabelledImages, target: Target, finder: _Finder) -> str:
    if finder.looked == 0:
        file, reason = next(iter(finder.skipped.items()))
        return f"none of the {len(finder.skipped)} images of {data.name} can be read; the first, {file}: {reason}"
    if finder.correct == 0:
        return (
            f"{target.name} misclassifies all {finder.looked} images of {data.name} already: check that labels and "
            "classes are in the same order, or attack anyway with --include-misclassified"
        )
    return f"all images of {data.name} are of the criterion's own class; choose another --criterion or --data"


def _shape(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{width} × {height} {'grey' if channels == 1 else 'RGB'}"
