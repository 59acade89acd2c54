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


def state_beside(out: Path) -> Path:
    """Return the file that keeps the state of a training that will write the weights ``out``."""
    return out.with_name(out.name + ".training")
