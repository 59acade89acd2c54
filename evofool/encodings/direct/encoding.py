"""Direct pixel genomes: a gene is an 8-bit pixel value of the image itself.

Nguyen, Yosinski, Clune 2015, section 2.4 ("directly encoded images"). Preset ``nguyen2015`` varies them as their code
does; ``default`` in patterns, which need a small part of the evaluations (docs/SEARCH.md).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import ConfigError, GenomeError
from ...kernels import strokes as kernel
from ...kernels.threads import in_parts
from ...rng import Rng
from ..base import Indices
from .gaps import bernoulli_places
from .strokes import STROKES, grating, paste

OPERATORS = kernel.NAMES


@dataclass(frozen=True)
class DirectSettings:
    """How direct genomes vary."""

    rate: float = 0.1
    """probability that a gene mutates where the operator is ``pixels``, (0, 1]"""
    eta: float = 15.0
    """index of polynomial mutation (Deb & Agrawal 1999): larger is finer"""
    crossover: float = 0.0
    """share of children that come from simulated binary crossover, [0, 1]"""
    crossover_eta: float = 10.0
    """index of the crossover"""
    spread: float = 1.0
    """how far mutation rates of siblings spread: each child's rate is ``rate`` · spread^u, u ~ U(−1, 1); at
    1 all siblings share one rate"""

    operators: tuple[str, ...] = ("pixels",)
    """what changes a child, one of them drawn for each: single ``pixels``, or what ``strokes`` has"""
    again: float = 0.0
    """probability that a child is changed by a second one"""
    crossing: Literal["sbx", "paste"] = "sbx"
    """how children are crossed: simulated binary crossover, or a rectangle of another elite"""
    start: Literal["noise", "gratings"] = "noise"
    """first pictures: uniform noise, or three gratings each"""

    def __post_init__(self) -> None:
        if not set(self.operators) <= set(OPERATORS) or not 1 <= len(self.operators) <= 100:
            raise ConfigError(
                f"direct settings: operators must be some of {', '.join(OPERATORS)}, got {self.operators}"
            )
        if self.crossing not in ("sbx", "paste") or self.start not in ("noise", "gratings"):
            raise ConfigError(f"direct settings: crossing is sbx or paste, start noise or gratings, got {self}")
        if not 0 <= self.again <= 1:
            raise ConfigError(f"direct settings: again is a probability, got {self.again}")
        if not 0 < self.rate <= 1 or not 0 <= self.crossover <= 1:
            raise ConfigError(f"direct settings: rate must be in (0, 1] and crossover in [0, 1], got {self}")
        if not (self.eta > 0 and self.crossover_eta > 0 and self.spread >= 1):
            raise ConfigError(f"direct settings: eta and crossover_eta must be above 0, spread at least 1, got {self}")


PRESETS = {
    "default": DirectSettings(
        operators=("pixels", "grating", "colour", "mix", "tile", "shrink"),
        again=0.5,
        crossover=0.2,
        crossing="paste",
        start="gratings",
    ),
    "nguyen2015": DirectSettings(rate=0.1, eta=15.0, crossover=0.5, crossover_eta=10.0),
}
"""``nguyen2015`` is the original's: uniform start, p = 0.1, η = 15, simulated binary crossover with rate 0.5 and
η = 10. Differences: genes are kept in the 8 bits that are scored, and genes equal in both parents stay as
they are (the original resets them to 0.5)."""


class DirectBatch:
    """Direct genomes: ``genes`` (N, C, H, W) uint8 on a device."""

    def __init__(self, genes: Tensor) -> None:
        self.genes = genes

    def __len__(self) -> int:
        return self.genes.shape[0]

    def take(self, rows: Indices) -> DirectBatch:
        return DirectBatch(self.genes.index_select(0, self._index(rows)))

    def put(self, rows: Indices, genomes: DirectBatch) -> None:
        self.genes.index_copy_(0, self._index(rows), genomes.genes)

    def sizes(self) -> NDArray[np.int64]:
        return np.full(len(self), math.prod(self.genes.shape[1:]), np.int64)

    def _index(self, rows: Indices) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows)).to(self.genes.device)


class Direct:
    """The direct encoding for images of ``image_shape`` (C, H, W)."""

    name = "direct"

    def __init__(self, image_shape: tuple[int, int, int], device: torch.device | str, settings: DirectSettings) -> None:
        self.image_shape, self.device, self._settings = image_shape, torch.device(device), settings
        self.crossover_rate = settings.crossover

    def settings(self) -> dict[str, Any]:
        return asdict(self._settings)

    def random(self, n: int, rng: Rng) -> DirectBatch:
        shape = (n, *self.image_shape)
        if self._settings.start == "noise":
            genes = torch.randint(0, 256, shape, dtype=torch.uint8, device=self.device, generator=rng.tensors)
            return DirectBatch(genes)
        pictures = torch.full(shape, 128.0, device=self.device)
        for _ in range(3):
            pictures = grating(pictures, rng)
        return DirectBatch(_bytes(pictures))

    def mutate(self, parents: DirectBatch, rng: Rng) -> DirectBatch:
        """Copies, each changed by one of the operators, or by two, rounded to 8 bits and clamped to 0…255."""
        s = self._settings
        if not len(parents):
            return DirectBatch(parents.genes.clone())
        if _compiled(self.device):
            return DirectBatch(self._changed(parents.genes, rng))
        if s.operators == ("pixels",) and not s.again:
            return DirectBatch(self._pixels(parents.genes, rng))
        pictures = parents.genes.float()
        chosen = rng.host.integers(len(s.operators), size=(2, len(parents)))
        chosen[1, rng.host.random(len(parents)) >= s.again] = len(s.operators)  # none
        for turn in chosen:
            for index, name in enumerate(s.operators):
                if len(rows := np.flatnonzero(turn == index)):
                    at = torch.from_numpy(rows).to(self.device)
                    change = self._pixels if name == "pixels" else STROKES[name]
                    pictures[at] = change(pictures[at], rng)
            pictures.clamp_(0, 255)
        return DirectBatch(_bytes(pictures))

    def mate(self, parents: DirectBatch, partners: DirectBatch, rng: Rng) -> DirectBatch:
        """One child a pair, by simulated binary crossover (Deb & Agrawal 1995; equal genes stay as they are), or by
        a rectangle that is taken from the partner."""
        pasted = self._settings.crossing == "paste"
        if pasted and _compiled(self.device):
            return DirectBatch(_pasted(parents.genes, partners.genes, rng))
        a, b = parents.genes.float(), partners.genes.float()
        if pasted:
            return DirectBatch(_bytes(paste(a, b, rng)))
        u = torch.rand(a.shape, device=self.device, generator=rng.tensors)
        power = 1 / (self._settings.crossover_eta + 1)
        spread = torch.where(u <= 0.5, (2 * u) ** power, (1 / (2 - 2 * u).clamp(min=1e-7)) ** power)
        return DirectBatch(_bytes(0.5 * ((1 + spread) * a + (1 - spread) * b)))

    def _changed(self, genes: Tensor, rng: Rng) -> Tensor:
        """What :meth:`mutate` says, by compiled loops."""
        s, given, children = self._settings, genes.numpy(), torch.empty_like(genes)
        changed, seeds = children.numpy(), rng.seeds(len(genes))
        operators = np.array([kernel.NAMES.index(name) for name in s.operators])
        settings = [float(one) for one in (s.again, s.rate, s.spread, s.eta)]

        def part(first: int, last: int) -> None:
            own = slice(first, last)
            kernel.mutate(given[own], operators, *settings, seeds[own], changed[own])

        in_parts(part, np.arange(len(genes) + 1) * genes[0].numel())
        return children

    def _pixels(self, genes: Tensor, rng: Rng) -> Tensor:
        """Polynomial mutation of a random subset of the genes, which may be uint8 or float."""
        s = self._settings
        rates = np.minimum(s.rate * s.spread ** rng.host.uniform(-1, 1, len(genes)), 1.0)
        places = bernoulli_places(rates, genes[0].numel(), rng)
        turn = torch.rand(len(places), device=self.device, generator=rng.tensors).mul_(2).sub_(1)
        size = (1 - turn.abs()).pow_(1 / (s.eta + 1)).neg_().add_(1)
        steps = torch.copysign(size, turn).mul_(255).round_()
        flat = torch.cat([genes.flatten(), genes.new_zeros(1)])  # the last stands for no gene
        flat[places] = steps.add_(flat[places]).clamp_(0, 255).to(flat.dtype)
        return flat[:-1].view(genes.shape)

    def decode(self, genomes: DirectBatch) -> Tensor:
        return genomes.genes

    def dump(self, genomes: DirectBatch) -> dict[str, np.ndarray]:
        return {"genes": genomes.genes.numpy(force=True).copy()}

    def load(self, arrays: dict[str, np.ndarray]) -> DirectBatch:
        genes = arrays.get("genes")
        if genes is None or genes.dtype != np.uint8 or genes.shape[1:] != self.image_shape:
            found = "none" if genes is None else f"{genes.dtype} {genes.shape}"
            raise GenomeError(f"direct genomes must be uint8 (N, {self.image_shape}), found {found}")
        return DirectBatch(torch.from_numpy(genes.copy()).to(self.device))


def _pasted(genes: Tensor, partners: Tensor, rng: Rng) -> Tensor:
    children = torch.empty_like(genes)
    kernel.mate(genes.numpy(), partners.numpy(), rng.seeds(len(genes)), children.numpy())
    return children


def _compiled(device: torch.device) -> bool:
    """Whether compiled loops vary genomes on this device; elsewhere calls of torch do."""
    return device.type == "cpu"


def _bytes(pictures: Tensor) -> Tensor:
    return pictures.round_().clamp_(0, 255).to(torch.uint8)
