"""Descriptors: numbers that tell images of one class apart, for a grid of niches (Mouret & Clune 2015).

To add a descriptor, write a function in ``measures.py``, name it in ``MEASURES`` there, and give the name a range in
``DESCRIPTORS``. Pages call its two ends by the words in ``ENDS`` of ``gallery/cells.py``. The names stand apart from
the functions, so that options are checked without torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ConfigError, parse_names, suggestion


@dataclass(frozen=True)
class Descriptor:
    """How a grid divides one number of an image or its genome.

    Attributes:
        low: Where the first bin begins. Values below it belong to the first bin.
        high: Where the last bin ends. Values above it belong to the last bin.
        colour: Whether only colour images have it.
        cppn: Whether only CPPNs have it.
    """

    low: float
    high: float
    colour: bool = False
    cppn: bool = False


DESCRIPTORS = {
    "brightness": Descriptor(0.0, 1.0),
    "colour": Descriptor(0.0, 0.5, colour=True),
    "complexity": Descriptor(0.0, 0.2),
    "hue": Descriptor(0.0, 1.0, colour=True),
    "size": Descriptor(0.0, 150.0, cppn=True),
    "slope": Descriptor(-3.0, -1.0),
    "symmetry": Descriptor(0.0, 1.0),
}
"""The descriptors by name. Where a measure has no natural ends, the range covers about what
the elites of 1,000 classes on SqueezeNet span."""


def known_descriptors(names: str | Iterable[str], channels: int, encoding: str) -> tuple[str, ...]:
    """Check names of descriptors.

    Args:
        names: The names, as ``"colour,complexity"`` or as a list.
        channels: The number of channels of the images.
        encoding: The name of the genomes' encoding.

    Returns:
        The names as a tuple.

    Raises:
        ConfigError: A name is unknown or given twice, or such images or genomes don't have the descriptor.
    """
    listed = parse_names(names, "descriptors", DESCRIPTORS)
    for name in listed:
        if name not in DESCRIPTORS:
            near = suggestion(name, DESCRIPTORS)
            raise ConfigError(f'unknown descriptor "{name[:40]}"{near}; choose from {", ".join(DESCRIPTORS)}')
        if DESCRIPTORS[name].colour and channels == 1:
            others = ", ".join(other for other, descriptor in DESCRIPTORS.items() if not descriptor.colour)
            raise ConfigError(f"the target sees grey images, which have no {name}; choose from {others}")
        if DESCRIPTORS[name].cppn and encoding != "cppn":
            raise ConfigError(f"all {encoding} genomes have one {name}; leave {name} out of `descriptors`")
    if repeated := [name for index, name in enumerate(listed) if name in listed[:index]]:
        raise ConfigError(f"`descriptors` names {repeated[0]} twice")
    return listed
