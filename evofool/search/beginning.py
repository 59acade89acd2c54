"""The genomes that an evolution begins with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..config.evolve import EvolveOptions
from ..encodings.banks import FOUNDERS, FOUNDERS_EDGE, RANDOM
from ..encodings.cppn.zoom import zoomed_out
from ..encodings.initial import initial_genomes
from ..io.arrays import digest_of


def beginning(options: EvolveOptions, encoding: Any) -> tuple[Any, str | None]:
    """Return the genomes that ``init`` names, as one batch of the encoding, and the SHA-256 of all that are there.

    The founders' order depends on the seed. In images larger than theirs they are zoomed out, so that patterns keep
    their size in pixels (docs/SEARCH.md). Both are None without ``init``, and where it says ``random``.

    Raises:
        GenomeError: Nothing is there, or a genome does not fit the encoding.
    """
    if options.init in (None, RANDOM):
        return None, None
    genomes = initial_genomes(options.init, encoding)
    digest = digest_of(encoding.dump(genomes)).tobytes().hex()
    if options.init == FOUNDERS:
        genomes = genomes.take(np.random.default_rng(options.seed).permutation(len(genomes)))
        genomes = zoomed_out(genomes, max(1.0, min(encoding.image_shape[1:]) / FOUNDERS_EDGE))
    return genomes, digest
