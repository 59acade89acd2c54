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
"""What every CPPN reads at a pixel; slots 0…3 of a genome. Then come the outputs, then hidden nodes."""

ACTIVATION_NAMES = ("sin", "sigmoid", "gauss", "linear", "cos", "wedge")
"""the activations; a genome file names them, a batch holds their index (``functions.ACTIVATIONS`` computes them)"""

MAX_NODES, MAX_CONNECTIONS = 1024, 4096
"""of a genome, free slots included: the presets need a tenth, and rendering costs time with each"""


MAX_WEIGHT = 1e30
"""of a connection: sums of so many can't overflow"""


@dataclass
class CPPNBatch:
    """N acyclic graphs. V node slots and E connection slots a genome; free slots hold ``EMPTY``.

    Every connection goes from a smaller to a larger position, so that no graph can have a cycle.
    """

    activation: NDArray[np.int8]
    """(N, V) index into ``ACTIVATION_NAMES``; 0 for inputs"""
    position: NDArray[np.float64]
    """(N, V) inputs 0, outputs 1, hidden nodes between"""
    source: NDArray[np.int16]
    """(N, E) node slot a connection starts from"""
    sink: NDArray[np.int16]
    """(N, E) node slot a connection ends in"""
    weight: NDArray[np.float32]
    """(N, E)"""

    def __len__(self) -> int:
        return len(self.activation)

    def take(self, rows: Indices) -> CPPNBatch:
        return CPPNBatch(*(getattr(self, f.name)[rows] for f in fields(self)))

    def put(self, rows: Indices, genomes: CPPNBatch) -> None:
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(genomes, f.name)

    def graphs(self) -> tuple[np.ndarray, ...]:
        """The arrays, in the order of ``kernels``."""
        return self.activation, self.position, self.source, self.sink, self.weight

    def sizes(self) -> NDArray[np.int64]:
        return np.asarray(np.count_nonzero(self.source != EMPTY, axis=1), np.int64)

    @classmethod
    def empty(cls, n: int, nodes: int, edges: int) -> CPPNBatch:
        """``n`` genomes without any node or connection."""
        return cls(
            activation=np.full((n, nodes), EMPTY, np.int8),
            position=np.zeros((n, nodes), np.float64),
            source=np.full((n, edges), EMPTY, np.int16),
            sink=np.full((n, edges), EMPTY, np.int16),
            weight=np.zeros((n, edges), np.float32),
        )

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> CPPNBatch:
        """The batch that these arrays by name are.

        Raises:
            GenomeError: one is missing, or of another type.
        """
        wanted = cls.empty(0, 0, 0)
        for f in fields(wanted):
            if f.name not in arrays or arrays[f.name].dtype != getattr(wanted, f.name).dtype:
                raise GenomeError(f"CPPN arrays lack {f.name}, or it has another type")
        return cls(*(arrays[f.name] for f in fields(wanted)))

    def check(self, outputs: int) -> None:
        """See that the arrays are graphs that can be rendered.

        Raises:
            GenomeError: shapes don't fit each other, there are too many nodes or connections, one of these ends nowhere
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
            raise GenomeError(f"a CPPN has an unknown activation; known are {', '.join(ACTIVATION_NAMES)}")
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
