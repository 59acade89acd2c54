"""Attacks on a batch of images in memory, without a folder: what the interfaces of other libraries call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..attacks.campaign import Campaign
from ..attacks.outcome import recorded_edits
from ..attacks.plan import plan_of
from ..attacks.subject import Subject
from ..config.attack import UNTARGETED, AttackOptions
from ..encodings.pixels import edited
from ..engines.local import engine_of
from ..errors import ConfigError
from ..targets.protocols import Target
from ..text import counted

BATCH = 256
"""Images that are scored at once before the attacks begin."""


@dataclass(frozen=True)
class Attacked:
    """What became of a batch of images.

    Attributes:
        images: (N, C, H, W) uint8: the changed image where the attack succeeded or came nearest, else the image itself.
        success: (N,) bool, whether the image reaches its criterion now. One that the target got wrong before does.
        queries: (N,) images that were scored for each, besides the one that every image costs first.
    """

    images: NDArray[np.uint8]
    success: NDArray[np.bool_]
    queries: NDArray[np.int64]


def attack_pixels(
    target: Target,
    images: NDArray[np.uint8],
    labels: Sequence[int] | None,
    options: Mapping[str, Any],
    wanted: Sequence[int] | None = None,
) -> Attacked:
    """Attack images as :func:`evofool.attack` does, with the same attempts for the same seed.

    Args:
        target: The classifier.
        images: (N, C, H, W) uint8.
        labels: The true class of each; None for what the target takes it for.
        options: ``pixels``, ``queries``, ``strategy``, ``preset`` and ``seed``, as far as they are given.
        wanted: The class that each image has to become; None for any other than its own.

    Raises:
        ConfigError: A label is no class, an image has to become what it is, or an option can't be.
    """
    _check_labels(labels, wanted, len(images), len(target.classes))
    subjects = _subjects(target, images, labels, wanted)
    found, success, queries = images.copy(), np.zeros(len(images), bool), np.zeros(len(images), np.int64)
    groups: dict[int | None, list[int]] = {}
    for row in range(len(images)):
        groups.setdefault(None if wanted is None else int(wanted[row]), []).append(row)
    for target_class, rows in groups.items():
        criterion = UNTARGETED if target_class is None else [target_class]
        plan = plan_of(AttackOptions.of({**options, "criterion": criterion}), target)
        group = [replace(subjects[row], index=place) for place, row in enumerate(rows)]
        for outcome in chain.from_iterable(Campaign(target, group, plan).run()):
            row = rows[outcome["image"]]
            queries[row] += outcome["queries"]
            success[row] |= outcome["success"] or outcome["already"]
            if outcome["edits"]:
                found[row] = edited(images[row], recorded_edits(outcome, images.shape[1])[: outcome["pixels"]])
    return Attacked(found, success, queries)


def _subjects(
    target: Target, images: NDArray[np.uint8], labels: Sequence[int] | None, wanted: Sequence[int] | None
) -> list[Subject]:
    """Return images as the campaign takes them, with the target's first guesses.

    An image without a label that the target takes for the class to reach gets any other one as its own.
    """
    engine = engine_of(target)
    parts = (torch.from_numpy(images[first : first + BATCH]) for first in range(0, len(images), BATCH))
    scores = torch.cat([engine.confirm(part).cpu() for part in parts])
    engine.check(scores)
    confidence, predictions = (each.tolist() for each in scores.max(1))
    if labels is None:
        reached = [wanted is not None and guess == wanted[row] for row, guess in enumerate(predictions)]
        labels = [(guess + met) % scores.shape[1] for guess, met in zip(predictions, reached, strict=True)]
    return [
        Subject(index, str(index), hashlib.sha256(image.tobytes()).hexdigest(), image, label, guess, sure)
        for index, (image, label, guess, sure) in enumerate(zip(images, labels, predictions, confidence, strict=True))
    ]


def _check_labels(labels: Sequence[int] | None, wanted: Sequence[int] | None, count: int, classes: int) -> None:
    for name, given in (("labels", labels), ("target classes", wanted)):
        if given is None:
            continue
        if len(given) != count:
            raise ConfigError(f"there are {counted(count, 'image')} and {len(given)} {name}; give one for each image")
        strange = [label for label in given if not 0 <= label < classes]
        if strange:
            raise ConfigError(f"{name} must be from 0 to {classes - 1}, got {strange[0]}")
    if labels is None or wanted is None:
        return
    for row, (label, reach) in enumerate(zip(labels, wanted, strict=True)):
        if label == reach:
            raise ConfigError(f"image {row} has to become class {reach}, which it is; give another class")
