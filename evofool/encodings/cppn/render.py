"""Rendering a batch of CPPNs: nodes that reach no output are left out, the rest is computed for the whole batch.

One compiled loop does it on the CPU (``fused``), few large calls of torch elsewhere (``levels``). Both sum connections
in order and don't let pixels interact, so that a genome's picture does not depend on the batch it is rendered in.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .batch import CPPNBatch
from .fused import Fused
from .levels import Levels

LOOP_DEVICES = {"cpu"}
"""Types of devices on which the compiled loop renders."""


class Renderer:
    """A batch that is prepared once and rendered at lines of pictures of any size.

    Args:
        batch: N genomes.
        colour: A name in ``functions.COLOURS``.
        device: Where to render.
    """

    def __init__(self, batch: CPPNBatch, colour: str, device: torch.device) -> None:
        self.count, self.device = len(batch), device
        self.channels = 1 if colour == "grey" else 3
        self._program: Fused | Levels | None = None
        if self.count and device.type in LOOP_DEVICES:
            self._program = Fused(batch, colour, self.channels)
        elif self.count:
            self._program = Levels(batch, colour, self.channels, device)

    def at(self, coordinates: Tensor, width: int) -> Tensor:
        """Return (N, C, H · W) uint8 pictures, on the device.

        Args:
            coordinates: (4, H · W) float32 on the device, the values of ``INPUTS`` at each pixel, line by line: x
                depends on the column alone, y on the line alone, the bias on neither.
            width: W.
        """
        shape = (self.count, self.channels, coordinates.shape[1])
        images = torch.empty(shape, dtype=torch.uint8, device=self.device)
        if self._program is not None and images.numel():
            self._program.fill(coordinates, images, width)
        return images


def render(batch: CPPNBatch, coordinates: Tensor, colour: str, size: tuple[int, int]) -> Tensor:
    """Decode a batch to images.

    Args:
        batch: N genomes.
        coordinates: (4, H · W) float32 on the device to render on, as :meth:`Renderer.at` takes them.
        colour: A name in ``functions.COLOURS``.
        size: (H, W).

    Returns:
        (N, C, H, W) uint8 on the same device.
    """
    images = Renderer(batch, colour, coordinates.device).at(coordinates, size[1])
    return images.view(*images.shape[:2], *size)
