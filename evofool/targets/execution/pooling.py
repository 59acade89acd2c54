"""Max pooling in bfloat16 on a CPU, without the positions that torch's layer notes for a backward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHUNK_BYTES = 2**20
"""Bytes of images that are pooled at once: what is between the two directions stays in a core's cache."""


class MaxPooling(nn.Module):
    """Pools the largest value of every square, (B, C, H, W) bfloat16 -> (B, C, H', W'): first along H, then along W.

    It returns what torch's layer does, bit for bit but for the sign of zeros.

    Args:
        edge: Pixels along an edge of a square.
        stride: Pixels from one square to the next.
        padding: Pixels by which the first square begins outside; these count for nothing.
        size: H' and W'.
        positive: Whether no value is below zero. Then bits compare as whole numbers do, many at a time.
    """

    def __init__(self, edge: int, stride: int, padding: int, size: tuple[int, int], positive: bool) -> None:
        super().__init__()
        self.edge, self.stride, self.padding, self.size, self.positive = edge, stride, padding, size, positive

    def forward(self, images: Tensor) -> Tensor:
        """Return the pooled images, in the memory format of the images."""
        last = images.is_contiguous(memory_format=torch.channels_last)
        memory_format = torch.channels_last if last else torch.contiguous_format
        pooled = torch.empty((*images.shape[:2], *self.size), dtype=images.dtype, memory_format=memory_format)
        given, written = (part.view(torch.int16) if self.positive else part for part in (images, pooled))
        rows = max(1, CHUNK_BYTES // (images[:1].numel() * images.element_size()))
        for part, of in zip(torch.split(given, rows), torch.split(written, rows), strict=True):
            of.copy_(self._along(3, self._along(2, part)))
        return pooled

    def _along(self, dim: int, values: Tensor) -> Tensor:
        """Pool along one direction."""
        count = self.size[dim - 2]
        taken = [found for offset in range(self.edge) if (found := self._taken(dim, values, offset))]
        whole = [part for _, part in taken if part.shape[dim] == count]
        largest = torch.maximum(whole[0], whole[-1])
        for part in whole[1:-1]:
            torch.maximum(largest, part, out=largest)
        for first, part in taken:
            if part.shape[dim] < count:
                within = largest.narrow(dim, first, part.shape[dim])
                torch.maximum(within, part, out=within)
        return largest

    def _taken(self, dim: int, values: Tensor, offset: int) -> tuple[int, Tensor] | None:
        """Return the first square that has a pixel at an offset, and each one's from there on; None where none has."""
        start, last = offset - self.padding, values.shape[dim] - 1
        first = max(0, -(start // self.stride))
        count = min(self.size[dim - 2], (last - start) // self.stride + 1) - first
        if count < 1:
            return None
        part = values.narrow(dim, first * self.stride + start, (count - 1) * self.stride + 1)
        return first, part[(slice(None),) * dim + (slice(None, None, self.stride),)]
