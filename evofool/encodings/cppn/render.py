"""The batched CPPN renderer: nodes that reach no output are left out, the rest is computed for the whole batch.

On the CPU by one compiled loop (``fused``), elsewhere by few large calls of torch (``levels``). Either way connections
are summed in order and pixels don't meet, so that a genome's picture does not depend on the batch it is rendered in.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .batch import CPPNBatch
from .fused import Fused
from .levels import Levels


class Renderer:
    """A batch that is compiled once and rendered at lines of pictures of any size.

    Args:
        batch: N genomes.
        colour: a name in ``functions.COLOURS``.
        device: to render on.
    """

    def __init__(self, batch: CPPNBatch, colour: str, device: torch.device) -> None:
        self.count, self.device = len(batch), device
        self.channels = 1 if colour == "grey" else 3
        if self.count:
            self._program = _compile(batch, colour, self.channels, device)

    def at(self, coordinates: Tensor, width: int) -> Tensor:
        """(N, C, H · W) uint8, on the device.

        Args:
            coordinates: (4, H · W) float32 on the device, the values of ``INPUTS`` at each pixel, line by line: x
                depends on the column alone, y on the line alone, the bias on neither.
            width: W.
        """
        shape = (self.count, self.channels, coordinates.shape[1])
        images = torch.empty(shape, dtype=torch.uint8, device=self.device)
        if images.numel():
            self._program.fill(coordinates, images, width)
        return images


def _compile(batch: CPPNBatch, colour: str, outputs: int, device: torch.device) -> Fused | Levels:
    if device.type == "cpu":
        return Fused(batch, colour, outputs)
    return Levels(batch, colour, outputs, device)


def render(batch: CPPNBatch, coordinates: Tensor, colour: str, size: tuple[int, int]) -> Tensor:
    """Decode a batch to images.

    Args:
        batch: N genomes.
        coordinates: (4, H · W) float32 on the device to render on, as :meth:`Renderer.at` takes them.
        colour: a name in ``functions.COLOURS``.
        size: (H, W).

    Returns:
        (N, C, H, W) uint8 on the same device.
    """
    images = Renderer(batch, colour, coordinates.device).at(coordinates, size[1])
    return images.view(*images.shape[:2], *size)
