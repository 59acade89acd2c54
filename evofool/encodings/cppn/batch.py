"""CPPN genomes as a struct of padded arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ...errors import GenomeError
from ...kernels.constants import EMPTY
from ..base import Indices

INPUTS = ("x", "y", "distance", "bias")
"""What every CPPN reads at a pixel: the first node slots of a genome. Then come the outputs, then hidden nodes."""

ACTIVATION_NAMES = ("sin", "sigmoid", "gauss", "linear", "cos", "wedge")
"""The activations. Genome files have their names, batches their indices; ``functions.ACTIVATIONS`` computes them."""

MAX_NODES, MAX_CONNECTIONS = 1024, 4096
"""Most slots of a genome, free ones included. The presets need a tenth, and each costs rendering time."""

MAX_WEIGHT = 1e30
"""Largest absolute weight of a connection: no sum of ``MAX_CONNECTIONS`` such values overflows float32."""


@dataclass
class CPPNBatch:
    """N acyclic graphs of V node slots and E connection slots each; free slots hold ``EMPTY``.

    Every connection goes from a smaller to a larger position, so that no graph can have a cycle.
    """

    activation: NDArray[np.int8]
    """(N, V) indices in ``ACTIVATION_NAMES``; 0 for inputs."""
    position: NDArray[np.float64]
    """(N, V) order in which nodes are computed: 0 for inputs, 1 for outputs, between them for hidden nodes."""
    source: NDArray[np.int16]
    """(N, E) node slots that connections start from."""
    sink: NDArray[np.int16]
    """(N, E) node slots that connections end in."""
    weight: NDArray[np.float32]
    """(N, E) weights of connections; 0 in free slots."""

    def __len__(self) -> int:
        return len(self.activation)

    def take(self, rows: Indices) -> CPPNBatch:
        return CPPNBatch(*(getattr(self, f.name)[rows] for f in fields(self)))

    def put(self, rows: Indices, genomes: CPPNBatch) -> None:
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(genomes, f.name)

    def graphs(self) -> tuple[np.ndarray, ...]:
        """Return all arrays in the order that compiled loops take them."""
        return self.activation, self.position, self.source, self.sink, self.weight

    def sizes(self) -> NDArray[np.int64]:
        return np.asarray(np.count_nonzero(self.source != EMPTY, axis=1), np.int64)

    def numbers(self, row: int) -> list[float]:
        """Return the weights of a genome's connections."""
        weights: list[float] = self.weight[row, self.source[row] != EMPTY].tolist()
        return weights

    def set_numbers(self, row: int, numbers: NDArray[np.float64]) -> None:
        """Set the weights of a genome's connections, none beyond ±``MAX_WEIGHT``."""
        self.weight[row, self.source[row] != EMPTY] = np.clip(numbers, -MAX_WEIGHT, MAX_WEIGHT)

    @classmethod
    def empty(cls, n: int, nodes: int, edges: int) -> CPPNBatch:
        """Return ``n`` genomes without any node or connection."""
        return cls(
            activation=np.full((n, nodes), EMPTY, np.int8),
            position=np.zeros((n, nodes), np.float64),
            source=np.full((n, edges), EMPTY, np.int16),
            sink=np.full((n, edges), EMPTY, np.int16),
            weight=np.zeros((n, edges), np.float32),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> CPPNBatch:
        """Return a batch of these arrays, by name, without copying them; see :meth:`check`.

        Raises:
            GenomeError: An array is missing or has another type.
        """
        empty = cls.empty(0, 0, 0)
        for f in fields(empty):
            if f.name not in arrays or arrays[f.name].dtype != getattr(empty, f.name).dtype:
                raise GenomeError(f"CPPN arrays lack {f.name}, or it has another type")
        return cls(*(arrays[f.name] for f in fields(empty)))

    def check(self, outputs: int) -> None:
        """Check that the arrays are graphs with this number of outputs that can be rendered.

        Raises:
            GenomeError: Shapes don't fit each other, there are too many nodes or connections, a connection ends nowhere
                or runs backwards, a weight is not a finite number, or an activation is unknown.
        """
        if any(getattr(self, f.name).ndim != 2 for f in fields(self)):
            raise GenomeError("CPPN arrays don't fit each other: each must have two dimensions")
        n, nodes = self.activation.shape
        shapes = {f.name: getattr(self, f.name).shape for f in fields(self)}
        if shapes["position"] != (n, nodes) or not (
            shapes["source"] == shapes["sink"] == shapes["weight"] and shapes["source"][0] == n
        ):
            raise GenomeError(f"CPPN arrays don't fit each other: {shapes}")
        if nodes > MAX_NODES or shapes["source"][1] > MAX_CONNECTIONS:
            raise GenomeError(
                f"a CPPN has {nodes:,} nodes and {shapes['source'][1]:,} connections; at most {MAX_NODES:,} and "
                f"{MAX_CONNECTIONS:,} are read"
            )
        fixed = len(INPUTS) + outputs
        if nodes < fixed or (self.activation[:, :fixed] == EMPTY).any():
            raise GenomeError(f"a CPPN needs {len(INPUTS)} inputs and {outputs} outputs in its first node slots")
        if (self.activation < EMPTY).any() or (self.activation >= len(ACTIVATION_NAMES)).any():
            raise GenomeError(f"a CPPN has an unknown activation; it must be one of {', '.join(ACTIVATION_NAMES)}")
        if not np.isfinite(self.weight).all() or not np.isfinite(self.position).all():
            raise GenomeError("a CPPN has a weight or position that is not a finite number")
        if self.weight.size and np.abs(self.weight).max() > MAX_WEIGHT:
            raise GenomeError(f"a CPPN has a weight beyond ±{MAX_WEIGHT:g}")
        alive = self.source != EMPTY
        rows = np.nonzero(alive)[0]
        source, sink = self.source[alive], self.sink[alive]
        if (source < 0).any() or (sink < len(INPUTS)).any() or (source >= nodes).any() or (sink >= nodes).any():
            raise GenomeError("a CPPN has a connection from or to a node that isn't there")
        if (self.activation[rows, source] == EMPTY).any() or (self.activation[rows, sink] == EMPTY).any():
            raise GenomeError("a CPPN has a connection from or to a node that isn't there")
        if (self.position[rows, source] >= self.position[rows, sink]).any():
            raise GenomeError("a CPPN has a connection that runs backwards; its graph must be acyclic")
