"""How ``harden`` fools its networks, by the project's own search, attacks and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attacks.gradients.goals import Goal
from ..attacks.subject import Subject
from ..config.attack import AttackOptions
from ..config.budget import Budget
from ..config.evolve import EvolveOptions
from ..config.harden import BY, HardenOptions
from ..config.perturb import PerturbOptions
from ..targets.protocols import Differentiable, Target, device_of, differentiable
from ..targets.training.data import Split
from .fooling_images import edited_pixels, scores_of
from .harden_plan import Piece, epsilons
from .made import evolution_of
from .perturb import perturbed
from .perturb_arms import Arm

Images = NDArray[np.uint8]

SURE = 0.5
"""Confidence from which an image that evolution found on its way is one that fools."""

NOISE = 500
"""Images of noise."""

PGD_STEPS = 20
"""Steps of the perturbations that networks are measured with."""

LEVELS = (0.99, 0.9999)
"""Confidences whose first evaluations are noted."""


class Evolved(NamedTuple):
    """What an evolution came to, class by class, and images that fooled on its way."""

    confidence: list[float]
    """Of the surest image of each class."""
    reached: list[list[int | None]]
    """For each of :data:`LEVELS`: how many images had been scored when a class had one so sure, or None."""
    images: Images
    """(N, C, H, W): the surest image of each class, then others that fooled on the way."""


def evolved(target: Target, options: HardenOptions, piece: Piece, classes: int) -> Evolved:
    """Evolve an image for every class that images are labelled with.

    Args:
        target: The network to fool.
        options: The experiment's options.
        piece: The part of the work, which says the encoding and the run.
        classes: How many classes there are, without that of images that fool.
    """
    seed = options.seed + piece.round * options.runs + piece.number
    settings = EvolveOptions(encoding=piece.kind, seed=seed, classes=tuple(range(classes)), precision="float32")
    evolution = evolution_of(target, settings)
    archive, encoding = evolution.archive, evolution.encoding
    reached = np.full((len(LEVELS), classes), -1)
    seen, ways = np.full(classes, -1), [list[Images]() for _ in range(classes)]
    for progress in evolution.run(Budget(evaluations=options.evaluations)):
        sure = archive.surest_confidence()
        for level, evaluations in zip(LEVELS, reached, strict=True):
            evaluations[(evaluations < 0) & (sure >= level)] = progress.evaluations
        niches = archive.surest()
        new = np.flatnonzero((sure >= SURE) & (archive.evaluation_id[niches] != seen))
        if len(new):
            for index, image in zip(new, encoding.decode(archive.genomes.take(niches[new])).cpu().numpy(), strict=True):
                ways[index].append(image)
        seen = archive.evaluation_id[niches]
    last = encoding.decode(archive.genomes.take(archive.surest())).cpu().numpy()
    most = options.added // (options.runs * len(BY[options.by]) * classes) - 1
    return Evolved(
        archive.surest_confidence().tolist(),
        [[number if number >= 0 else None for number in level] for level in reached.tolist()],
        np.concatenate([last, *[np.stack(each) for way in ways if (each := _spread(way[:-1], most))]]),
    )


def _spread(images: Sequence[Images], most: int) -> list[Images]:
    """Return some of the images of a way, at even distances."""
    if most < 1:
        return []
    return [images[row] for row in np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int)]


class Unrejected:
    """A network as an attack sees it that must not end in the class of images that fool.

    The label's logit stands for the label and for that class together, so that gradients lead away from both.

    Args:
        network: The network.
        labels: (B,) the labels of the images that it is asked about.
        classes: How many classes it has besides that of images that fool.
    """

    def __init__(self, network: Differentiable, labels: Tensor, classes: int) -> None:
        self.name, self._network, self._labels, self._classes = network.name, network, labels[:, None], classes

    def logits(self, pixels: Tensor) -> Tensor:
        """Return logits (B, K) of the other classes, with gradients."""
        logits = self._network.logits(pixels)
        known, fooling = logits[:, : self._classes], logits[:, self._classes :]
        if not fooling.shape[1]:
            return known
        return known.scatter(1, self._labels, torch.logaddexp(known.gather(1, self._labels), fooling))


def attacked(target: Target, options: HardenOptions, attack: str, images: Split, classes: int) -> Images:
    """Return labelled images after an attack, or noise.

    Args:
        target: The network to fool.
        options: The experiment's options.
        attack: One of :data:`~evofool.lab.harden_plan.ATTACKS`.
        images: N labelled images that the network gets right.
        classes: How many classes there are, without that of images that fool.

    Returns:
        (N, C, H, W), whether they fool or not; of noise ``NOISE`` images.
    """
    if attack == "noise":
        shape = (NOISE, *target.image_shape)
        return np.random.default_rng(options.seed).integers(0, 256, shape, dtype=np.uint8)
    if attack == "pixel":
        pixels = images.images.numpy()
        subjects = [
            Subject(row, str(row), "", image, label, label, 1.0)
            for row, (image, label) in enumerate(zip(pixels, images.labels.tolist(), strict=True))
        ]
        return edited_pixels(
            target, subjects, AttackOptions(queries=options.queries, seed=options.seed, precision="float32")
        )
    size = epsilons(options)["l2" if attack == "pgd-l2" else "linf"]
    device, climb, made = device_of(target), PerturbOptions(steps=PGD_STEPS, restarts=1), list[Images]()
    batches = (torch.split(each, options.batch) for each in (images.images, images.labels))
    for originals, labels in zip(*batches, strict=True):
        labels = labels.to(device)
        network: Any = Unrejected(differentiable(target), labels, classes)
        goal = Goal(labels, targeted=False)
        _, rounded = perturbed(Arm(attack, size), climb, 0, network, originals.to(device), goal)
        made.append(rounded.cpu().numpy())
    return np.concatenate(made)


def guesses(target: Target, images: Images) -> tuple[list[int], list[float]]:
    """Return the first guesses for images (N, C, H, W), and their probabilities."""
    (scores,) = scores_of([target], [None], images)
    sure, first = scores.max(1)
    return first.tolist(), sure.clamp(max=1).tolist()


def right(target: Target, images: Split, count: int) -> Split:
    """Return the first images that a network gets right, at most ``count``."""
    first = torch.tensor(guesses(target, images.images[: 2 * count].numpy())[0])
    rows = (first == images.labels[: len(first)]).nonzero()[:count, 0]
    return Split(images.images[rows], images.labels[rows])
