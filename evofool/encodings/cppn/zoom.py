"""CPPNs whose pictures show more of the plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .batch import INPUTS, CPPNBatch

_PLACE = [INPUTS.index(name) for name in ("x", "y", "distance")]
"""The inputs that tell where a pixel is."""


def zoomed_out(genomes: CPPNBatch, factor: float) -> CPPNBatch:
    """Return CPPNs that show so many times as much of the plane along each side.

    In an image that is larger by that factor, patterns have as many pixels as before.
    """
    weight = genomes.weight.copy()
    weight[np.isin(genomes.source, _PLACE)] *= factor
    return replace(genomes, weight=weight)
