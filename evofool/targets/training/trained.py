"""Which embedded networks can be trained anew."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigError, suggestion

TRAINED = ("digits", "mnist", "mnist:logistic", "cifar10")
"""The names of networks that have a recipe."""


def check_trained(name: str) -> None:
    """Check that a network has a recipe.

    Raises:
        ConfigError: It has none.
    """
    if name not in TRAINED:
        raise ConfigError(f'no recipe trains "{name}"{suggestion(name, TRAINED)}; choose one of {", ".join(TRAINED)}')


def check_adversary(epsilon: float | None, steps: int) -> None:
    """Check how a network is to be trained against perturbations.

    Args:
        epsilon: Largest change of a value of a pixel; None where it is trained on images alone.
        steps: Steps along the gradient.

    Raises:
        ConfigError: They can't be.
    """
    if epsilon is not None and not 0 < epsilon <= 1:
        raise ConfigError(f"`adversarial` must be above 0 and at most 1, got {epsilon:g} (8/255 is usual for colours)")
    if steps < 1:
        raise ConfigError(f"`steps` must be at least 1, got {steps}")
    if epsilon is None and steps != 1:
        raise ConfigError("`steps` are those of `adversarial`; say how large the perturbations may be as well")


def state_beside(out: Path) -> Path:
    """Return the file that keeps the state of a training that will write the weights ``out``."""
    return out.with_name(out.name + ".training")
