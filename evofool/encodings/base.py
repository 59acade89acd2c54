"""What an encoding is: how genomes of one kind are made, varied, decoded and saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from ..rng import Rng

Indices = NDArray[np.int64]


class Batch(Protocol):
    """Genomes as a struct of arrays: row i of every array belongs to genome i."""

    def __len__(self) -> int: ...

    def take(self, rows: Indices) -> Self:
        """A new batch with copies of these rows, in this order."""
        ...

    def put(self, rows: Indices, genomes: Self) -> None:
        """Overwrite ``rows`` with ``genomes``, in place."""
        ...

    def sizes(self) -> NDArray[np.int64]:
        """(N,) how large each genome is: genes of a direct one, connections of a CPPN."""
        ...


class Encoding(Protocol):
    """How genomes of one kind are made, varied, decoded to images and saved."""

    name: str
    image_shape: tuple[int, int, int]
    """(C, H, W)"""
    crossover_rate: float
    """share of the children that :meth:`mate` is applied to before mutation"""

    def random(self, n: int, rng: Rng) -> Any:
        """``n`` first genomes."""
        ...

    def mate(self, parents: Any, partners: Any, rng: Rng) -> Any:
        """Children of ``parents`` crossed with ``partners``, row by row."""
        ...

    def mutate(self, parents: Any, rng: Rng) -> Any:
        """Mutated copies of ``parents``."""
        ...

    def decode(self, genomes: Any) -> Tensor:
        """(N, C, H, W) uint8 images on the encoding's device; the same genome gives the same bytes always."""
        ...

    def dump(self, genomes: Any) -> dict[str, np.ndarray]:
        """The batch as named arrays, for a checkpoint."""
        ...

    def load(self, arrays: dict[str, np.ndarray]) -> Any:
        """The batch that :meth:`dump` gave.

        Raises:
            GenomeError: arrays are missing or don't fit each other.
        """
        ...

    def settings(self) -> dict[str, Any]:
        """All settings as plain JSON values, for the run's config."""
        ...
