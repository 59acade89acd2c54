"""Variation of direct genomes on the CPU, by compiled loops that take one picture after the other.

``batched`` does the same with torch, for accelerators. tests/encodings/test_direct.py and
tests/encodings/test_strokes.py hold both to the same properties.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...kernels import strokes
from ...kernels.constants import OPERATORS
from ...kernels.threads import in_parts
from ...rng import Rng
from .settings import DirectSettings


def mutate(genes: Tensor, settings: DirectSettings, rng: Rng) -> Tensor:
    """Return (N, C, H, W) uint8 copies, each changed by one or two of the settings' operators."""
    children = torch.empty_like(genes)
    parents, mutated, seeds = genes.numpy(), children.numpy(), rng.seeds(len(genes))
    operators = np.array([OPERATORS.index(name) for name in settings.operators])
    again, rate, spread, eta = map(float, (settings.again, settings.rate, settings.spread, settings.eta))

    def part(first: int, last: int) -> None:
        rows = slice(first, last)
        strokes.mutate(parents[rows], operators, again, rate, spread, eta, seeds[rows], mutated[rows])

    in_parts(part, np.arange(len(genes) + 1) * genes[0].numel())
    return children


def paste(genes: Tensor, partners: Tensor, rng: Rng) -> Tensor:
    """Return (N, C, H, W) uint8 copies with a rectangle of each partner pasted in."""
    children = torch.empty_like(genes)
    strokes.mate(genes.numpy(), partners.numpy(), rng.seeds(len(genes)), children.numpy())
    return children
