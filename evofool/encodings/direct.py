"""Direct pixel genomes: a gene is an 8-bit pixel value of the image itself.

Nguyen, Yosinski, Clune 2015, section 2.4 ("directly encoded images"), after their code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError, GenomeError
from ..rng import Rng
from .base import Rows
from .gaps import bernoulli_places


@dataclass(frozen=True)
class DirectSettings:
    """How direct genomes vary."""

    rate: float = 0.1
    """probability that a gene mutates, (0, 1]"""
    eta: float = 15.0
    """index of polynomial mutation (Deb & Agrawal 1999): larger is finer"""
    crossover: float = 0.0
    """share of children that come from simulated binary crossover, [0, 1]"""
    crossover_eta: float = 10.0
    """index of the crossover"""
    spread: float = 1.0
    """how far mutation rates of siblings spread: each child's rate is ``rate`` · spread^u, u ~ U(−1, 1); at
    1 all siblings share one rate"""

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1 or not 0 <= self.crossover <= 1:
            raise ConfigError(f"direct settings: rate must be in (0, 1] and crossover in [0, 1], got {self}")
        if not (self.eta > 0 and self.crossover_eta > 0 and self.spread >= 1):
            raise ConfigError(f"direct settings: eta and crossover_eta must be above 0, spread at least 1, got {self}")


PRESETS = {
    "default": DirectSettings(),
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
        return len(self.genes)

    def take(self, rows: Rows) -> DirectBatch:
        return DirectBatch(self.genes[self._index(rows)])

    def put(self, rows: Rows, genomes: DirectBatch) -> None:
        self.genes[self._index(rows)] = genomes.genes

    def sizes(self) -> NDArray[np.int64]:
        return np.full(len(self), self.genes[0].numel() if len(self) else 0, np.int64)

    def _index(self, rows: Rows) -> Tensor:
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
        return DirectBatch(torch.randint(0, 256, shape, dtype=torch.uint8, device=self.device, generator=rng.tensors))

    def mutate(self, parents: DirectBatch, rng: Rng) -> DirectBatch:
        """Polynomial mutation of a random subset of the genes, rounded to 8 bits and clamped to 0…255."""
        genes, s = parents.genes, self._settings
        if not len(genes):
            return DirectBatch(genes.clone())
        rates = np.minimum(s.rate * s.spread ** rng.host.uniform(-1, 1, len(parents)), 1.0)
        places = bernoulli_places(rates, genes[0].numel(), rng)
        turn = torch.rand(len(places), device=self.device, generator=rng.tensors).mul_(2).sub_(1)
        size = (1 - turn.abs()).pow_(1 / (s.eta + 1)).neg_().add_(1)
        steps = torch.copysign(size, turn).mul_(255).round_()
        flat = torch.cat([genes.flatten(), genes.new_zeros(1)])  # the last stands for no gene
        flat[places] = steps.add_(flat[places]).clamp_(0, 255).to(torch.uint8)
        return DirectBatch(flat[:-1].view(genes.shape))

    def mate(self, parents: DirectBatch, partners: DirectBatch, rng: Rng) -> DirectBatch:
        """Simulated binary crossover (Deb & Agrawal 1995), one child a pair; equal genes stay as they are."""
        a, b = parents.genes.float(), partners.genes.float()
        u = torch.rand(a.shape, device=self.device, generator=rng.tensors)
        power = 1 / (self._settings.crossover_eta + 1)
        spread = torch.where(u <= 0.5, (2 * u) ** power, (1 / (2 - 2 * u).clamp(min=1e-7)) ** power)
        child = 0.5 * ((1 + spread) * a + (1 - spread) * b)
        return DirectBatch(child.round().clamp(0, 255).to(torch.uint8))

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
