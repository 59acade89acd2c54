"""What ``perturb`` does with every image: methods at sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from ..config.perturb import METHODS, PerturbOptions
from ..errors import ConfigError, suggestion

EPSILONS = {1: (0.05, 0.1, 0.15, 0.25), 3: (1 / 255, 2 / 255, 4 / 255, 8 / 255)}
"""Largest changes of a value by channels: of MNIST's papers for grey images, of CIFAR-10's and ImageNet's for RGB."""

EPSILONS_L2 = {1: (0.5, 1.0, 2.0), 3: (0.1, 0.25, 0.5)}
"""Largest Euclidean norms by channels."""

LARGEST_L2 = 1e4
"""Largest Euclidean norm that can be asked for; the largest image has fewer values than its square."""


class Arm(NamedTuple):
    """A method at one size."""

    method: str
    """One of :data:`~evofool.config.perturb.METHODS`."""
    epsilon: float | None
    """How far it may go; None where it looks for the smallest distance."""


def arms_of(options: PerturbOptions, channels: int) -> list[Arm]:
    """Return all methods at all sizes, in order.

    Raises:
        ConfigError: A method is unknown, or a size can't be.
    """
    for method in options.methods:
        if method not in METHODS:
            raise ConfigError(
                f'`methods`: there is no "{method:.40}"{suggestion(method, METHODS)}; choose {", ".join(METHODS)}'
            )
    if not options.methods or len(set(options.methods)) < len(options.methods):
        raise ConfigError(f"`methods` must be different ones of {', '.join(METHODS)}, got {','.join(options.methods)}")
    linf = _sizes("epsilon", options.epsilon, EPSILONS[channels], 1)
    l2 = _sizes("epsilon_l2", options.epsilon_l2, EPSILONS_L2[channels], LARGEST_L2)
    sizes: dict[str, Sequence[float | None]] = defaultdict(lambda: linf, {"pgd-l2": l2, "lbfgs": [None]})
    return [Arm(method, size) for method in options.methods for size in sizes[method]]


def _sizes(name: str, given: tuple[float, ...] | None, default: tuple[float, ...], most: float) -> tuple[float, ...]:
    """Return sizes of perturbations, checked."""
    sizes = default if given is None else given
    if not sizes or not all(0 < size <= most for size in sizes) or list(sizes) != sorted(set(sizes)):
        raise ConfigError(
            f"`{name}` must be rising numbers above 0 and at most {most:g}, as in 1/255,0.03; got "
            f"{','.join(f'{size:g}' for size in sizes)[:60] or 'nothing'}"
        )
    return sizes
