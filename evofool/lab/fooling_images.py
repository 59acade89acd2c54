"""How experiments make images that fool a network, by the project's own search, attacks and gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attacks.gradients.goals import Goal
from ..attacks.subject import Subject
from ..config.attack import AttackOptions
from ..config.evolve import EvolveOptions
from ..config.fooling import FoolingOptions
from ..config.perturb import PerturbOptions
from ..encodings.pixels import edited
from ..engines.local import LocalEngine
from ..targets.protocols import Target, device_of, differentiable
from .made import best_edits, elites
from .perturb import perturbed
from .perturb_arms import Arm

Images = NDArray[np.uint8]


def scores_of(targets: Sequence[Target], orders: Sequence[list[int] | None], images: Images) -> list[Tensor]:
    """Return the scores (B, K) of images by every network, on the CPU.

    Args:
        targets: The networks.
        orders: Where each has the classes of the first; None where the order is the same.
        images: (B, C, H, W).
    """
    found = []
    for target, order in zip(targets, orders, strict=True):
        engine = LocalEngine(target)
        batches = torch.split(torch.from_numpy(images), engine.rows)
        scores = torch.cat([engine.confirm(batch) for batch in batches]) if len(images) else torch.empty((0, 1))
        engine.check(scores)
        found.append(scores.cpu() if order is None or not len(images) else scores.cpu()[:, order])
    return found


def evolved(target: Target, encoding: str, options: FoolingOptions, run: int) -> tuple[Images, list[int]]:
    """Evolve an image for every class.

    Args:
        target: The network to fool.
        encoding: The encoding.
        options: The experiment's options.
        run: Which run it is; its seed is that number more than the experiment's.

    Returns:
        The elites' images (N, C, H, W), and their classes as the network numbers them.
    """
    images, classes = elites(target, EvolveOptions(encoding=encoding, seed=options.seed + run), options.evaluations)
    return images.numpy(), classes


def edited_pixels(target: Target, subjects: Sequence[Subject], options: AttackOptions) -> Images:
    """Edit a few pixels of images so that the network takes them for something else.

    Args:
        target: The network to fool.
        subjects: Images that it gets right, labelled as it numbers classes.
        options: The options of the attempts.

    Returns:
        (B, C, H, W): the best that was found for each, successful or not.
    """
    found = best_edits(target, subjects, options)
    return np.stack([edited(subject.image, edits) for subject, edits in zip(subjects, found, strict=True)])


def perturbed_images(
    target: Target, subjects: Sequence[Subject], arm: Arm, options: FoolingOptions, part: int
) -> Images:
    """Perturb images along the gradient so that the network takes them for something else.

    Args:
        target: The network to fool.
        subjects: Images that it gets right, labelled as it numbers classes.
        arm: The method and its size.
        options: The experiment's options.
        part: Number of the part, which seeds what is random.

    Returns:
        (B, C, H, W), rounded to 8 bits.
    """
    device = device_of(target)
    originals = torch.from_numpy(np.stack([subject.image for subject in subjects])).to(device)
    goal = Goal(torch.tensor([subject.label for subject in subjects], device=device), targeted=False)
    settings = PerturbOptions(seed=options.seed)
    _, images = perturbed(arm, settings, part, differentiable(target), originals, goal)
    return images.cpu().numpy()
