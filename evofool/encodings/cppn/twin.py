"""The renderer's differentiable twin: how the pixels of CPPNs' pictures depend on the weights of their connections.

Its pictures come from the loop that renders genomes on the CPU, before rounding to 8 bits (``kernels/slopes.py``).
tests/encodings/test_twin.py holds them to the renderer's, and the gradients to differences of the slow reference.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...kernels.flat import flatten_genomes
from ...kernels.slopes import compute_outputs, compute_slopes
from ...kernels.threads import in_parts
from .batch import INPUTS, CPPNBatch
from .functions import COLOURS

TILE = 512
"""Number of pixels of a tile, whose values and gradients stay in the nearest caches."""


class Twin:
    """N genomes whose weights may change, and their graphs don't.

    Args:
        batch: At least one genome; less than 2²⁴ slots for connections in all.
        colour: A name in ``functions.COLOURS``.
        coordinates: (4, P) float32, the values of ``INPUTS`` at each pixel.
    """

    def __init__(self, batch: CPPNBatch, colour: str, coordinates: Tensor) -> None:
        self._colour, self._shape = COLOURS[colour], batch.weight.shape
        self._coordinates = np.ascontiguousarray(coordinates.numpy(force=True))
        outputs = 1 if colour == "grey" else 3
        numbers = np.arange(batch.weight.size, dtype=np.float32).reshape(self._shape)
        numbered = replace(batch, weight=numbers)  # the loop sorts connections, and their numbers tell how
        self._genomes, *nodes, places, self._outputs = flatten_genomes(*numbered.graphs(), len(INPUTS), outputs)
        self._nodes, self._places = tuple(nodes), places.astype(np.int64)

    def pictures(self, weights: Tensor) -> Tensor:
        """Return pictures (N, C, P) in [0, 1], or a rounding error above, with gradients.

        Args:
            weights: (N, E) float, on any device.
        """
        outputs: Tensor = _Outputs.apply(weights, self)
        return self._colour(outputs)

    def outputs(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values (N, C, P) of all outputs in [−1, 1] for weights (N, E)."""
        values = np.empty((*self._outputs.shape, self._coordinates.shape[1]), np.float32)
        nodes = (*self._nodes, weights.reshape(-1)[self._places])

        def part(first: int, last: int) -> None:
            compute_outputs(self._coordinates, self._genomes, nodes, self._outputs, TILE, (first, last), values)

        in_parts(part, self._genomes * values.shape[2])
        return values

    def slopes(self, weights: NDArray[np.float32], gradient: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the gradient (N, E) with respect to the weights, 0 for those that no output depends on.

        Args:
            weights: (N, E).
            gradient: (N, C, P) that with respect to the outputs.
        """
        slopes = np.zeros(len(self._places))
        nodes = (*self._nodes, weights.reshape(-1)[self._places])

        def part(first: int, last: int) -> None:
            compute_slopes(
                self._coordinates, self._genomes, nodes, self._outputs, TILE, (first, last), gradient, slopes
            )

        in_parts(part, self._genomes * gradient.shape[2])
        every = np.zeros(self._shape)
        every.reshape(-1)[self._places] = slopes
        return every


class _Outputs(torch.autograd.Function):
    """The outputs of a :class:`Twin` as a function of its weights."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, weights: Tensor, twin: Twin) -> Tensor:
        context.twin, context.weights = twin, weights.detach().float().numpy(force=True)  # type: ignore[attr-defined]
        return torch.from_numpy(twin.outputs(context.weights)).to(weights)  # type: ignore[attr-defined]

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        at = np.ascontiguousarray(gradient.float().numpy(force=True))
        slopes = context.twin.slopes(context.weights, at)  # type: ignore[attr-defined]
        return torch.from_numpy(slopes).to(gradient), None
