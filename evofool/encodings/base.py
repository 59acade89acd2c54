"""The protocols of a batch of genomes and of an encoding, which makes, varies, decodes and saves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from ..rng import Rng

Indices = NDArray[np.int64]
"""Indices into an array, such as rows of a batch."""


class Batch(Protocol):
    """Genomes as a struct of arrays: row i of every array belongs to genome i."""

    def __len__(self) -> int: ...

    def take(self, rows: Indices) -> Self:
        """Return a new batch with copies of these rows, in this order."""
        ...

    def put(self, rows: Indices, genomes: Self) -> None:
        """Overwrite ``rows`` with ``genomes``, in place."""
        ...

    def sizes(self) -> NDArray[np.int64]:
        """Return (N,) how large each genome is: the genes of a direct one, the connections of a CPPN."""
        ...


class Encoding(Protocol):
    """How genomes of one kind are made, varied, decoded to images and saved."""

    name: str
    image_shape: tuple[int, int, int]
    """(C, H, W) of the decoded images."""
    crossover_rate: float
    """Share of the children that :meth:`mate` makes before they are mutated."""

    def random(self, n: int, rng: Rng) -> Batch:
        """Return ``n`` random genomes to start from."""
        ...

    def mate(self, parents: Any, partners: Any, rng: Rng) -> Batch:
        """Return children of ``parents`` crossed with ``partners``, row by row."""
        ...

    def mutate(self, parents: Any, rng: Rng) -> Batch:
        """Return mutated copies of ``parents``."""
        ...

    def decode(self, genomes: Any) -> Tensor:
        """Return (N, C, H, W) uint8 images on the encoding's device; the same genome always gives the same bytes."""
        ...

    def dump(self, genomes: Any) -> dict[str, np.ndarray]:
        """Return a batch as named arrays, for a checkpoint."""
        ...

    def load(self, arrays: dict[str, np.ndarray]) -> Any:
        """Return the batch that :meth:`dump` returned as arrays.

        Raises:
            GenomeError: Arrays are missing or don't fit each other.
        """
        ...

    def settings(self) -> dict[str, Any]:
        """Return all settings as plain JSON values, for the job's config."""
        ...
