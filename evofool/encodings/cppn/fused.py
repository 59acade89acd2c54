"""Rendering CPPNs on the CPU: one compiled loop over genomes and nodes, a tile of pixels at a time.

A genome's values at a tile stay in the processor's nearest caches from its inputs to its bytes. The loop's operations
are the same on every machine, one rounding after the other (``kernels/rendering.py``), so a picture is the same, bit
for bit, wherever this code renders it. Connections are summed in the order of the nodes they come from and pixels don't
interact, so it depends neither on the batch that a genome is in, nor on tiles and threads.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ...kernels.flat import flatten_genomes
from ...kernels.rendering import COLOURS, render_genomes
from ...kernels.threads import in_parts, threads
from .batch import INPUTS, CPPNBatch

TILE = 512
"""Approximate number of pixels of a tile; fifty nodes' values at so many fill 100 KB."""


class Fused:
    """N genomes, ready to be rendered at lines of pictures of any size.

    Args:
        batch: At least one genome.
        colour: A name in ``functions.COLOURS``.
        outputs: The number of each genome's outputs.
    """

    def __init__(self, batch: CPPNBatch, colour: str, outputs: int) -> None:
        self._genomes, *nodes, self._outputs = flatten_genomes(*batch.graphs(), len(INPUTS), outputs)
        self._nodes, self._colour = tuple(nodes), COLOURS.index(colour)

    def fill(self, coordinates: Tensor, images: Tensor, width: int) -> None:
        """Render pictures, or some lines of them.

        Args:
            coordinates: (4, H · W) float32, the values of ``INPUTS`` at each pixel, line by line: x depends on the
                column alone, y on the line alone, the bias on neither.
            images: (N, C, H · W) uint8, overwritten.
            width: W.
        """
        inputs, pixels = np.ascontiguousarray(coordinates.numpy()), images.numpy()
        n, height = len(pixels), inputs.shape[1] // width

        def part(genomes: tuple[int, int], window: tuple[int, int]) -> None:
            render_genomes(
                inputs, width, self._genomes, self._nodes, self._outputs, self._colour, TILE, genomes, window, pixels
            )

        if n >= threads():
            in_parts(lambda first, last: part((first, last), (0, height)), self._genomes * inputs.shape[1])
        else:  # Few pictures, which may be large, are shared out by lines.
            work = width * int(self._genomes[-1])
            in_parts(lambda first, last: part((0, n), (first, last)), np.arange(height + 1) * work)
