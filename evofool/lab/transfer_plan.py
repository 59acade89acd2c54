"""What ``transfer`` does: the parts of its work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..config.experiments import ExperimentConfig
from ..config.fooling import ENCODINGS
from ..config.transfer import TransferOptions
from ..errors import ConfigError
from .fooling_plan import kinds_of
from .image_experiment import chosen_images


class Piece(NamedTuple):
    """A part of the work."""

    kind: str | None
    """The kind of images that it makes; None where it takes some that are there."""
    maker: int | None
    """The network that they are made to fool; None where the images say so themselves."""
    number: int
    """Which run, batch of labelled images, or source it is."""


def check_networks(options: TransferOptions) -> None:
    """Check that there are networks to compare.

    Raises:
        ConfigError: There is one network.
    """
    if len(options.names) < 2:
        raise ConfigError(f"`target` must be two or more networks, got {options.names[0]} alone; give another one too")


def pieces(config: ExperimentConfig) -> list[Piece]:
    """Return the parts of the work, in order."""
    options: TransferOptions = config.options
    found = [Piece(None, None, number) for number in range(len(options.sources))]
    for kind in kinds_of(options, config.target.image_shape[0]):
        count = options.runs if kind in ENCODINGS else math.ceil(chosen_images(config) / options.batch)
        found += [Piece(kind, maker, number) for maker in range(len(config.targets)) for number in range(count)]
    return found


def order_of(classes: Sequence[str], others: Sequence[int] | None) -> Mapping[int, int]:
    """Return the number that the first network has for each of another one's classes.

    Args:
        classes: The class names.
        others: The other network's number of each of the first one's classes; None where they are the same.
    """
    return {other: index for index, other in enumerate(range(len(classes)) if others is None else others)}
