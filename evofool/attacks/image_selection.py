"""Which images of a data set a campaign attacks: a seeded, class-balanced selection of those the target gets right."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..datasets.base import UNKNOWN, LabelledImages, printable
from ..datasets.matching import Labels
from ..engines.base import Engine
from ..engines.local import engine_of
from ..errors import ConfigError, ImageError
from ..targets.protocols import Target
from .subject import Subject

BATCH = 256
"""Images that are read and scored at once."""


@dataclass(frozen=True)
class SelectedImages:
    """The images of a campaign.

    Attributes:
        subjects: The images, in the order they are attacked.
        looked: Images that were scored.
        correct: How many of those the target gets right.
        labelled: Whether somebody labelled them. Else the target's own predictions are their labels.
        skipped: Files that could not be used, with the reason.
    """

    subjects: list[Subject]
    looked: int
    correct: int
    labelled: bool
    skipped: dict[str, str]


def select_images(
    data: LabelledImages,
    target: Target | Engine,
    *,
    count: int,
    seed: int = 0,
    first: bool = False,
    include_misclassified: bool = False,
    without: Collection[int] = (),
) -> SelectedImages:
    """Select up to ``count`` images.

    Classes take turns, each with its images in a seeded order, and the next is taken where one is misclassified
    or unreadable, so that as many of every class are there as the data allow.

    Args:
        data: Labelled images.
        target: The classifier to fool, or an engine that scores images for it.
        count: Most images, at least 1.
        seed: Random seed of the order.
        first: Take the data's own order instead, without balancing.
        include_misclassified: Take images that the target gets wrong, too.
        without: Classes whose images are left out.

    Raises:
        ConfigError: A label is none of the target's classes, the images are of another shape, or none can be used.
    """
    engine = engine_of(target)
    _check_labels(data, engine.target)
    queues = _queues(data.labels, seed, first, without)
    if not any(queues):
        raise ConfigError(
            f"every image of {data.name} is of the only class to reach; choose another `criterion` or `data`"
        )
    reader = _Reader(data, engine, include_misclassified, frozenset(without))
    taken: list[list[Subject]] = [[] for _ in queues]
    while (missing := count - sum(map(len, taken))) > 0 and any(queues):
        shares = _shares([len(subjects) for subjects in taken], [len(queue) for queue in queues], missing)
        rows = [(number, queues[number].popleft()) for number, share in enumerate(shares) for _ in range(share)]
        for start in range(0, len(rows), BATCH):
            for number, subject in reader.read(rows[start : start + BATCH]):
                taken[number].append(subject)
    turns = range(max(map(len, taken)))
    selected = [subjects[turn] for turn in turns for subjects in taken if turn < len(subjects)]
    if not selected:
        raise ConfigError(reader.nothing_found())
    return SelectedImages(
        subjects=[replace(subject, index=index) for index, subject in enumerate(selected)],
        looked=reader.looked,
        correct=reader.correct,
        labelled=bool((data.labels != UNKNOWN).all()),
        skipped=data.skipped | reader.skipped,
    )


class _Reader:
    """Reads and scores images, and keeps those that can be attacked."""

    def __init__(self, data: LabelledImages, engine: Engine, misclassified: bool, without: frozenset[int]) -> None:
        self.data, self.engine, self.target = data, engine, engine.target
        self.misclassified, self.without = misclassified, without
        self.looked = self.correct = 0
        self.skipped: dict[str, str] = {}

    def read(self, rows: list[tuple[int, int]]) -> list[tuple[int, Subject]]:
        """Return those of the images (queue, index in the data) that can be attacked, each with its queue."""
        images, kept = [], []
        for queue, index in rows:
            try:
                image = self.data.read(index)
            except ImageError as error:
                self.skipped[self.data.id(index)] = printable(str(error))
                continue
            if image.shape != self.target.image_shape:
                raise ConfigError(
                    f"the images of {self.data.name} are {_shape(image.shape)}, {self.target.name} takes "
                    f"{_shape(self.target.image_shape)}; choose another `data` or `target`"
                )
            images.append(image)
            kept.append((queue, index))
        if not images:
            return []
        scores = self.engine.confirm(torch.from_numpy(np.stack(images)))
        self.engine.check(scores)
        confidences, predictions = (column[:, 0].tolist() for column in scores.cpu().topk(1))
        usable = []
        for (queue, index), image, confidence, prediction in zip(kept, images, confidences, predictions, strict=True):
            label = int(self.data.labels[index])
            label = prediction if label == UNKNOWN else label
            self.looked += 1
            self.correct += label == prediction
            if (label == prediction or self.misclassified) and label not in self.without:
                sha256 = hashlib.sha256(image.tobytes()).hexdigest()
                subject = Subject(index, self.data.id(index), sha256, image, label, prediction, confidence)
                usable.append((queue, subject))
        return usable

    def nothing_found(self) -> str:
        """Return why there is no image to attack, and what to do."""
        name = self.data.name
        if self.looked == 0:
            file, reason = next(iter(self.skipped.items()))
            return f"none of the {len(self.skipped)} images of {name} can be read; the first, {file}: {reason}"
        if self.correct == 0:
            return (
                f"{self.target.name} misclassifies all {self.looked} images of {name} already: check that labels and "
                "classes are in the same order, or attack anyway with `include_misclassified=True`"
            )
        return f"all images of {name} are of the only class to reach; choose another `criterion` or `data`"


def _queues(labels: Labels, seed: int, first: bool, without: Collection[int]) -> list[deque[int]]:
    """Return the indices of the images, a queue for each class."""
    if first:
        return [deque(np.flatnonzero(~np.isin(labels, list(without))).tolist())]
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    classes = [label for label in np.unique(labels).tolist() if label not in without]
    return [deque(rng.permutation(np.flatnonzero(labels == label)).tolist()) for label in classes]


def _shares(taken: list[int], left: list[int], missing: int) -> list[int]:
    """Return how many more images of each queue to read, so that those with the fewest catch up first.

    Args:
        taken: Images taken from each queue so far.
        left: Images left in each queue.
        missing: Images wanted in all.
    """
    shares = [0] * len(taken)
    while missing and any(share < rest for share, rest in zip(shares, left, strict=True)):
        level = min(n + share for n, share, rest in zip(taken, shares, left, strict=True) if share < rest)
        for number, rest in enumerate(left):
            if missing and shares[number] < rest and taken[number] + shares[number] == level:
                shares[number] += 1
                missing -= 1
    return shares


def _check_labels(data: LabelledImages, target: Target) -> None:
    """Refuse data without images, and labels that are no class of the target's."""
    if not len(data):
        raise ConfigError(f"{data.name} holds no images; choose another `data`")
    wrong = (data.labels != UNKNOWN) & ((data.labels < 0) | (data.labels >= len(target.classes)))
    if wrong.any():
        index, known = int(np.flatnonzero(wrong)[0]), data.labels[data.labels != UNKNOWN]
        one_based = known.min() > 0 and known.max() == len(target.classes)
        raise ConfigError(
            f"{data.place(index)} has the label {int(data.labels[index])}, {target.name} has classes 0 to "
            f"{len(target.classes) - 1}; "
            + ("count labels from 0" if one_based else "choose another `data` or `target`")
        )


def _shape(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{width} × {height} {'grey' if channels == 1 else 'RGB'}"
