"""Small evolutions for the small RGB network of four classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import PRESETS, build, frozen, tiny_target

from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution
from evofool.search.progress import Progress

every = pytest.mark.parametrize(("encoding", "preset"), PRESETS)


def evolution(
    encoding: str = "direct", preset: str = "default", seed: int = 0, batch: int = 16, **options: Any
) -> Evolution:
    """An evolution as Nguyen et al. 2015 have it, unless options say otherwise."""
    target = options.pop("target", None) or tiny_target(precision=options.pop("precision", "float32"))
    initial = options.pop("initial", None)
    searched = EvolveOptions(**{"selector": "uniform", "emitters": ("vary",), "batch": batch, "seed": seed, **options})
    return Evolution(target, build(encoding, preset), searched, initial=initial)


def contents(run: Evolution) -> dict[str, np.ndarray]:
    """All of the state but the seconds."""
    return {name: value for name, value in frozen(run.state()).items() if name != "seconds"}


def advance(run: Evolution, generations: int) -> list[Progress]:
    return [run.step() for _ in range(generations)]
