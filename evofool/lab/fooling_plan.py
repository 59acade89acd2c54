"""Which kinds of images that fool networks an experiment makes, and with which settings."""

from __future__ import annotations

from ..config.attack import AttackOptions
from ..config.fooling import KINDS, FoolingOptions
from ..config.perturb import METHODS, PerturbOptions
from ..errors import ConfigError, suggestion
from ..text import size_text
from .perturb_arms import Arm, arms_of

EPSILON = {1: 0.25, 3: 8 / 255}
"""Largest change of a value by channels, where nobody says another: Goodfellow et al. 2015 for MNIST, and the size that
CIFAR-10 and ImageNet are attacked with."""

EPSILON_L2 = {1: 2.0, 3: 0.5}
"""Largest Euclidean norm by channels."""


def check_kinds(options: FoolingOptions) -> None:
    """Check which kinds of images are made.

    Raises:
        ConfigError: There is no such kind, or nothing is made and nothing taken.
    """
    for kind in options.made:
        if kind not in KINDS:
            raise ConfigError(f'`kinds`: there is no "{kind:.40}"{suggestion(kind, KINDS)}; choose {", ".join(KINDS)}')
    if len(set(options.made)) < len(options.made) or not (options.made or options.sources):
        raise ConfigError(f"`kinds` must be different ones of {', '.join(KINDS)}, got {','.join(options.made)}")


def arms(options: FoolingOptions, channels: int) -> dict[str, Arm]:
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


def kinds_of(options: FoolingOptions, channels: int) -> list[str]:
    """Return the kinds of images that are made, those of each size apart."""
    plain = [kind for kind in options.made if kind not in METHODS]
    return [*plain, *arms(options, channels)]


def attack_options(options: FoolingOptions) -> AttackOptions:
    """Return the options of the campaigns that edit pixels. They score in float32."""
    return AttackOptions(pixels=options.pixels, queries=options.queries, seed=options.seed, precision="float32")
