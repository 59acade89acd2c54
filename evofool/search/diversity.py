"""Diversity: what tells several images of one class apart, and the archive that keeps them."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from ..config.evolve import EvolveOptions
from ..encodings.base import Encoding, Indices
from ..engines.base import Engine
from ..errors import ConfigError
from ..rng import Rng
from ..targets.protocols import Target
from .archive import Archive
from .descriptors import known_descriptors
from .diversity_options import check_diversity
from .grid_archive import Grid
from .kept_scores import bytes_per_elite
from .novelty_archive import Novelty

MAX_NICHES = 200_000
"""Largest number of niches of an archive with several per class."""

MAX_BYTES = 2_000_000_000
"""Largest size of such an archive in bytes; a checkpoint takes as much again."""


class Diversity(Protocol):
    """How the images of one class differ: by a :class:`Grid` of descriptors, or by :class:`Novelty`."""

    @property
    def niches_per_class(self) -> int:
        """The number of niches of every class."""
        ...

    def measure(self, target: Target, images: Tensor, genomes: Any) -> Tensor:
        """Return the measures (B, D) float32 of (B, C, H, W) uint8 images and their genomes."""
        ...

    def archive(self, class_indices: Indices, engine: Engine) -> Archive:
        """Return an empty archive for some classes (M,)."""
        ...

    def places(self, archive: Archive, niches: Indices) -> list[dict[str, Any]]:
        """Return what a record says of each of some niches (n,) beside its class: its ``cell``, and more."""
        ...


def diversity_of(options: EvolveOptions, channels: int) -> Diversity | None:
    """Return what resolved options say of several images per class, None for one image per class.

    Args:
        options: The options, with ``bins`` and ``apart`` filled in.
        channels: The number of channels of the target's images.

    Raises:
        ConfigError: The options don't go together, or a descriptor or space is unknown.
    """
    check_diversity(options, channels)
    if options.descriptors is not None:
        assert options.bins is not None
        return Grid(known_descriptors(options.descriptors, channels, options.encoding), options.bins)
    if options.novelty is not None:
        assert options.bins is not None
        assert options.apart is not None
        return Novelty(options.novelty, options.bins, options.apart)
    return None


def check_size(
    encoding: Encoding,
    class_count: int,
    target_classes: int,
    diversity: Diversity | None,
    device: torch.device | str = "cpu",
) -> None:
    """Refuse an archive with several niches per class that memory would not take.

    Args:
        encoding: The encoding of the genomes.
        class_count: How many classes have niches.
        target_classes: How many classes the target has.
        diversity: What tells images of a class apart.
        device: Where genomes are.

    Raises:
        ConfigError: The archive would have more than ``MAX_NICHES`` niches or ``MAX_BYTES`` bytes.
    """
    if diversity is None:
        return
    genome = sum(array.nbytes for array in vars(encoding.random(1, Rng(0, device))).values())
    niches = class_count * diversity.niches_per_class
    size = niches * (genome + bytes_per_elite(target_classes))
    if niches > MAX_NICHES or size > MAX_BYTES:
        raise ConfigError(
            f"{class_count:,} classes × {diversity.niches_per_class:,} are {niches:,} niches, which would take "
            f"{size / 1e9:,.1f} GB; at most {MAX_NICHES:,} and {MAX_BYTES / 1e9:.0f} GB are possible: take fewer "
            "`classes`, `bins` or `descriptors`"
        )
