"""Variation of direct genomes by calls of torch on whole batches, for accelerators.

``loops`` does the same with compiled loops on the CPU. tests/encodings/test_direct.py and
tests/encodings/test_strokes.py hold both to the same properties.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...rng import Rng
from . import strokes
from .gaps import bernoulli_places
from .settings import DirectSettings


def mutate(genes: Tensor, settings: DirectSettings, rng: Rng) -> Tensor:
    """Return (N, C, H, W) uint8 copies, each changed by one or two of the settings' operators."""
    if settings.operators == ("pixels",) and not settings.again:
        return mutate_pixels(genes, settings, rng)
    pictures = genes.float()
    operators = rng.host.integers(len(settings.operators), size=(2, len(genes)))
    operators[1, rng.host.random(len(genes)) >= settings.again] = len(settings.operators)  # These get no second one.
    for turn in operators:
        for index, name in enumerate(settings.operators):
            if len(selected := np.flatnonzero(turn == index)):
                rows = torch.from_numpy(selected).to(genes.device)
                if name == "pixels":
                    pictures[rows] = mutate_pixels(pictures[rows], settings, rng)
                else:
                    pictures[rows] = strokes.STROKES[name](pictures[rows], rng)
        pictures.clamp_(0, 255)
    return to_bytes(pictures)


def mutate_pixels(genes: Tensor, settings: DirectSettings, rng: Rng) -> Tensor:
    """Change a random subset of the genes, which may be uint8 or float, by polynomial mutation."""
    rates = np.minimum(settings.rate * settings.spread ** rng.host.uniform(-1, 1, len(genes)), 1.0)
    places = bernoulli_places(rates, genes[0].numel(), rng)
    turn = torch.rand(len(places), device=genes.device, generator=rng.tensors).mul_(2).sub_(1)
    size = (1 - turn.abs()).pow_(1 / (settings.eta + 1)).neg_().add_(1)
    steps = torch.copysign(size, turn).mul_(255).round_()
    flat = torch.cat([genes.flatten(), genes.new_zeros(1)])  # The last place stands for no gene.
    flat[places] = steps.add_(flat[places]).clamp_(0, 255).to(flat.dtype)
    return flat[:-1].view(genes.shape)


def cross(genes: Tensor, partners: Tensor, eta: float, rng: Rng) -> Tensor:
    """Return one child per pair by simulated binary crossover (Deb & Agrawal 1995); equal genes stay as they are."""
    a, b = genes.float(), partners.float()
    u = torch.rand(a.shape, device=a.device, generator=rng.tensors)
    power = 1 / (eta + 1)
    spread = torch.where(u <= 0.5, (2 * u) ** power, (1 / (2 - 2 * u).clamp(min=1e-7)) ** power)
    return to_bytes(0.5 * ((1 + spread) * a + (1 - spread) * b))


def paste(genes: Tensor, partners: Tensor, rng: Rng) -> Tensor:
    """Return (N, C, H, W) uint8 copies with a rectangle of each partner pasted in."""
    return to_bytes(strokes.paste(genes.float(), partners.float(), rng))


def to_bytes(pictures: Tensor) -> Tensor:
    """Return float pictures rounded and clamped to 8 bits; ``pictures`` changes."""
    return pictures.round_().clamp_(0, 255).to(torch.uint8)
