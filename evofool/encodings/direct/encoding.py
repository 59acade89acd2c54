"""Direct genomes as an encoding: a gene is an 8-bit pixel value of the image itself.

Nguyen, Yosinski, Clune 2015, section 2.4 ("directly encoded images").
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from ...errors import GenomeError
from ...rng import Rng
from . import batched, loops
from .batch import DirectBatch
from .settings import DirectSettings
from .strokes import grating

LOOP_DEVICES = {"cpu"}
"""Types of devices on which compiled loops vary genomes; on all others torch does."""


class Direct:
    """The direct encoding for images of one shape.

    Args:
        image_shape: (C, H, W).
        device: Where the genes are.
        settings: How genomes vary.
    """

    name = "direct"

    def __init__(self, image_shape: tuple[int, int, int], device: torch.device | str, settings: DirectSettings) -> None:
        self.image_shape, self.device, self._settings = image_shape, torch.device(device), settings
        self.crossover_rate = settings.crossover

    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = msgspec.to_builtins(self._settings)
        return settings

    def random(self, n: int, rng: Rng) -> DirectBatch:
        shape = (n, *self.image_shape)
        if self._settings.start == "noise":
            genes = torch.randint(0, 256, shape, dtype=torch.uint8, device=self.device, generator=rng.tensors)
            return DirectBatch(genes)
        pictures = torch.full(shape, 128.0, device=self.device)
        for _ in range(3):
            pictures = grating(pictures, rng)
        return DirectBatch(batched.to_bytes(pictures))

    def mutate(self, parents: DirectBatch, rng: Rng) -> DirectBatch:
        """Return copies, each changed by one of the operators, or by two, and rounded to 8 bits."""
        if not len(parents):
            return DirectBatch(parents.genes.clone())
        variation = loops if self.device.type in LOOP_DEVICES else batched
        return DirectBatch(variation.mutate(parents.genes, self._settings, rng))

    def mate(self, parents: DirectBatch, partners: DirectBatch, rng: Rng) -> DirectBatch:
        """Return one child per pair, by simulated binary crossover or with a rectangle of the partner pasted in."""
        if self._settings.crossing == "sbx":
            return DirectBatch(batched.cross(parents.genes, partners.genes, self._settings.crossover_eta, rng))
        variation = loops if self.device.type in LOOP_DEVICES else batched
        return DirectBatch(variation.paste(parents.genes, partners.genes, rng))

    def decode(self, genomes: DirectBatch) -> Tensor:
        return genomes.genes

    def dump(self, genomes: DirectBatch) -> dict[str, np.ndarray]:
        return {"genes": genomes.genes.numpy(force=True).copy()}

    def load(self, arrays: dict[str, np.ndarray]) -> DirectBatch:
        genes = arrays.get("genes")
        if genes is None or genes.dtype != np.uint8 or genes.shape[1:] != self.image_shape:
            given = "none" if genes is None else f"{genes.dtype} {genes.shape}"
            raise GenomeError(f"direct genomes must be uint8 (N, {self.image_shape}), got {given}")
        return DirectBatch(torch.from_numpy(genes.copy()).to(self.device))
