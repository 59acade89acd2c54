"""The embedded networks as they are trained: what each learns from, and by which recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import data as datasets
from .data import TrainingData
from .recipe import Recipe


@dataclass(frozen=True)
class Embedded:
    """How an embedded network is trained.

    Attributes:
        data: Reads the images, from a folder.
        recipe: The settings.
    """

    data: Callable[[Path], TrainingData]
    recipe: Recipe


RECIPES = {
    "digits": Embedded(lambda _: datasets.digits(), Recipe(epochs=60, batch=64, peak=0.05, pad=1)),
    "mnist": Embedded(datasets.mnist, Recipe(epochs=20, peak=0.05, pad=2)),
    "mnist:logistic": Embedded(datasets.mnist, Recipe(epochs=10, peak=0.05, decay=1e-4)),
    "cifar10": Embedded(datasets.cifar10, Recipe(epochs=34, peak=0.2, pad=4, mirror=True, small=(0.35, 24))),
}
"""How each network is trained, by its target's name."""
