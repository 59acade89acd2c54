"""What ``transfer`` does: kinds of images, and the parts of its work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..config.attack import AttackOptions
from ..config.experiments import ExperimentConfig
from ..config.perturb import METHODS, PerturbOptions
from ..config.transfer import ENCODINGS, KINDS, TransferOptions
from ..errors import ConfigError, suggestion
from ..text import size_text
from .image_experiment import chosen_images
from .perturb_arms import Arm, arms_of

EPSILON = {1: 0.25, 3: 8 / 255}
"""Largest change of a value by channels, where nobody says another: Goodfellow et al. 2015 for MNIST, and the size that
CIFAR-10 and ImageNet are attacked with."""

EPSILON_L2 = {1: 2.0, 3: 0.5}
"""Largest Euclidean norm by channels."""


class Piece(NamedTuple):
    """A part of the work."""

    kind: str | None
    """The kind of images that it makes; None where it takes some that are there."""
    maker: int | None
    """The network that they are made to fool; None where the images say so themselves."""
    number: int
    """Which run, batch of labelled images, or source it is."""


def check_kinds(options: TransferOptions) -> None:
    """Check which kinds of images are made, and that there are networks to compare.

    Raises:
        ConfigError: There is no such kind, or nothing is made and nothing taken, or there is one network.
    """
    if len(options.names) < 2:
        raise ConfigError(f"`target` must be two or more networks, got {options.names[0]} alone; give another one too")
    for kind in options.made:
        if kind not in KINDS:
            raise ConfigError(f'`kinds`: there is no "{kind:.40}"{suggestion(kind, KINDS)}; choose {", ".join(KINDS)}')
    if len(set(options.made)) < len(options.made) or not (options.made or options.sources):
        raise ConfigError(f"`kinds` must be different ones of {', '.join(KINDS)}, got {','.join(options.made)}")


def arms(options: TransferOptions, channels: int) -> dict[str, Arm]:
    """Return the methods and sizes of perturbations, by the kinds of images that they make.

    Raises:
        ConfigError: A size can't be.
    """
    methods = tuple(kind for kind in options.made if kind in METHODS)
    if not methods:
        return {}
    chosen = PerturbOptions(
        methods=methods,
        epsilon=options.epsilon or (EPSILON[channels],),
        epsilon_l2=options.epsilon_l2 or (EPSILON_L2[channels],),
    )
    found = arms_of(chosen, channels)
    return {arm.method if arm.epsilon is None else f"{arm.method} {size_text(arm.epsilon)}": arm for arm in found}


def kinds_of(options: TransferOptions, channels: int) -> list[str]:
    """Return the kinds of images that are made, those of each size apart."""
    plain = [kind for kind in options.made if kind not in METHODS]
    return [*plain, *arms(options, channels)]


def pieces(config: ExperimentConfig) -> list[Piece]:
    """Return the parts of the work, in order."""
    options: TransferOptions = config.options
    found = [Piece(None, None, number) for number in range(len(options.sources))]
    for kind in kinds_of(options, config.target.image_shape[0]):
        count = options.runs if kind in ENCODINGS else math.ceil(chosen_images(config) / options.batch)
        found += [Piece(kind, maker, number) for maker in range(len(config.targets)) for number in range(count)]
    return found


def attack_options(options: TransferOptions) -> AttackOptions:
    """Return the options of the campaigns that edit pixels. They score in float32."""
    return AttackOptions(pixels=options.pixels, queries=options.queries, seed=options.seed, precision="float32")


def order_of(classes: Sequence[str], others: Sequence[int] | None) -> Mapping[int, int]:
    """Return the number that the first network has for each of another one's classes.

    Args:
        classes: The class names.
        others: The other network's number of each of the first one's classes; None where they are the same.
    """
    return {other: index for index, other in enumerate(range(len(classes)) if others is None else others)}
