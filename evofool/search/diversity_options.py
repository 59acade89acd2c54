"""Checks of the options that ask for several images per class. They need no torch."""

from __future__ import annotations

from ..config.evolve import EvolveOptions
from ..errors import ConfigError, suggestion
from .descriptors import known_descriptors

SPACES = ("pixels", "features")
"""The spaces in which ``novelty`` can compare images."""


def check_diversity(options: EvolveOptions, channels: int) -> None:
    """Check that the options for several images per class go together.

    Args:
        options: The options.
        channels: The number of channels of the target's images.

    Raises:
        ConfigError: They don't, or a descriptor or space is unknown.
    """
    descriptors, novelty = options.descriptors, options.novelty
    if descriptors is not None and novelty is not None:
        raise ConfigError("`descriptors` and `novelty` are two ways to several images per class; choose one")
    if options.islands > 1 and novelty is not None:
        raise ConfigError(
            "`islands` keep the best of each niche, and with `novelty` a niche is no place of its own; leave one out, "
            "or take `descriptors`"
        )
    if options.apart is not None and novelty is None:
        raise ConfigError("`apart` is the smallest distance with `novelty`; add `novelty=pixels` or `novelty=features`")
    if descriptors is not None:
        known_descriptors(descriptors, channels, options.encoding)
    elif novelty is not None:
        if novelty not in SPACES:
            raise ConfigError(
                f'`novelty` must be {" or ".join(SPACES)}, got "{novelty[:40]}"{suggestion(novelty, SPACES)}'
            )
    elif options.bins is not None:
        raise ConfigError("`bins` needs `descriptors=colour,complexity`, say, or `novelty=pixels`")
