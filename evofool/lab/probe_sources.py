"""Where the adversarial images of ``probe`` come from: L-BFGS, edits of one pixel, and evolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attacks.gradients import lbfgs
from ..attacks.gradients.goals import Goal, flat_images
from ..attacks.subject import Subject
from ..config.attack import AttackOptions
from ..config.evolve import EvolveOptions
from ..config.probe import ProbeOptions
from ..encodings.pixels import edited
from ..engines.local import LocalEngine
from ..targets.protocols import Differentiable
from .criterion import wanted_class
from .made import best_edits, elites


@dataclass(frozen=True)
class Pair:
    """An image, and what it became, which may be taken for the same class.

    Attributes:
        original: (C, H, W) float in [0, 1], on the CPU.
        image: What it became, likewise.
        goal: The class that it should be taken for; None for any other.
        edit: (2 + C,) the edit of one pixel; None where it is none.
    """

    original: Tensor
    image: Tensor
    goal: int | None = None
    edit: NDArray[np.int16] | None = None


def by_lbfgs(options: ProbeOptions, target: Differentiable, subjects: Sequence[Subject]) -> list[Pair]:
    """Return images with the perturbations that L-BFGS finds, in real numbers.

    Raises:
        TargetError: The target gives no gradients.
    """
    originals = _pixels(np.stack([subject.image for subject in subjects]))
    wanted = [wanted_class(options, target.classes, subject.index, subject.prediction) for subject in subjects]
    watched = [subject.prediction if goal is None else goal for subject, goal in zip(subjects, wanted, strict=True)]
    device = LocalEngine(target).device
    pixels, goal = originals.to(device), Goal(torch.tensor(watched, device=device), targeted=wanted[0] is not None)
    flat_images(target, pixels, goal)  # Says so where there are no gradients at all.
    images, _ = lbfgs.minimisers(
        target,
        pixels,
        goal,
        iterations=options.iterations,
        searches=options.searches,
        share=options.distance_weight,
    )
    return [Pair(*each) for each in zip(originals, images.cpu(), wanted, strict=True)]


def by_pixel(options: ProbeOptions, target: Differentiable, subjects: Sequence[Subject], seed: int) -> list[Pair]:
    """Return images with the best edit of one pixel that an untargeted attempt finds."""
    attacked = [replace(subject, label=subject.prediction) for subject in subjects]
    pairs = []
    for subject, edits in zip(
        subjects, best_edits(target, attacked, AttackOptions(queries=options.queries, seed=seed)), strict=True
    ):
        before, after = _pixels(np.stack([subject.image, edited(subject.image, edits)]))
        pairs.append(Pair(before, after, edit=edits[0]))
    return pairs


def by_evolution(options: ProbeOptions, target: Differentiable, classes: Sequence[int], seed: int) -> list[Pair]:
    """Return the images that evolution finds for classes; the original of each is the flat image of its mean colour."""
    evolving = EvolveOptions(encoding=options.encoding, classes=tuple(classes), seed=seed, init=options.init)
    images, found = elites(target, evolving, options.evaluations)
    images = images[[found.index(index) for index in classes]]
    flat = images.float().mean((2, 3), keepdim=True).round().expand(images.shape)
    return [
        Pair(before, after, index)
        for before, after, index in zip(flat / 255, _pixels(images.numpy()), classes, strict=True)
    ]


def _pixels(images: NDArray[np.uint8]) -> Tensor:
    """Return 8-bit images as pixels in [0, 1]."""
    return torch.from_numpy(images).float() / 255
