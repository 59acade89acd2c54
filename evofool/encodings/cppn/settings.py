"""How CPPNs are made, varied and coloured, with presets."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...errors import ConfigError, GenomeError
from .batch import ACTIVATION_NAMES, MAX_CONNECTIONS, MAX_NODES

ORIGINAL_FUNCTIONS = ("sin", "sigmoid", "gauss", "linear")
"""The activations of Nguyen, Yosinski, Clune 2015."""

FEW_WEIGHTS = 4.0
"""Mean number of weights that ``CPPN.mutate_slightly`` changes in a child (docs/SEARCH.md)."""

FEW_ACTIVATIONS = 0.2
"""Mean number of activations that ``CPPN.mutate_slightly`` draws anew in a child."""

GRAPH_KEPT = 0.8
"""Share of the children of ``CPPN.mutate_slightly`` whose graph stays as it is."""

MAX_ROUNDS = 100
"""Most rounds of operators on a child's graph."""

_PROBABILITIES = (
    "weight_rate", "activation_rate", "add_connection", "delete_connection", "add_node", "delete_node",
)  # fmt: skip


class CPPNSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How CPPNs are made, varied and coloured.

    Rates are probabilities per child. Those of the operators on the graph are probabilities per round.

    Raises:
        ConfigError: A value makes no sense.
    """

    coordinates: Literal["unit", "pixels"] = "unit"
    """``unit``: x and y run over [−1, 1] on the shorter side. ``pixels``: they count native pixels from 0."""
    colour: Literal["hsl", "rgb"] = "hsl"
    """How three outputs become a colour. A grey target has one output, whose absolute value is the brightness."""
    functions: tuple[str, ...] = ORIGINAL_FUNCTIONS
    """Activations that nodes can have."""
    limit: float = 10.0
    """Largest absolute weight, above 0."""
    start: float = 10.0
    """Range of first and new weights, above 0: U(−start, start) if ``step`` is polynomial, else N(0, start)."""
    step: Literal["polynomial", "gaussian"] = "polynomial"
    """How a weight mutates."""
    weight_rate: float = 0.1
    """Probability that a weight changes."""
    eta: float = 15.0
    """Index of polynomial mutation, above 0; larger means finer steps."""
    sigma: float = 1.0
    """Standard deviation of Gaussian mutation, above 0."""
    spread: float = 1.0
    """Ratio by which siblings' standard deviations differ, at least 1: they are sigma · spread^u, u ~ U(−1, 1)."""
    activation_rate: float = 0.1
    """Probability that a node's activation is drawn anew."""
    rounds: int = 1
    """How often the four operators on the graph are tried, 1 to ``MAX_ROUNDS``."""
    add_connection: float = 0.5
    """Probability that a round adds a connection."""
    delete_connection: float = 0.3
    """Probability that a round deletes a connection."""
    add_node: float = 0.5
    """Probability that a round adds a node."""
    delete_node: float = 0.2
    """Probability that a round deletes a node."""
    max_nodes: int = 96
    """Node slots of a genome, inputs and outputs included, at most ``MAX_NODES``."""
    max_connections: int = 256
    """Connection slots of a genome, at most ``MAX_CONNECTIONS``."""

    def __post_init__(self) -> None:
        if not self.functions or not set(self.functions) <= set(ACTIVATION_NAMES):
            raise ConfigError(
                f"CPPN settings: functions must be some of {', '.join(ACTIVATION_NAMES)}, "
                f"got {str(self.functions)[:60]}"
            )
        if (
            self.max_nodes > MAX_NODES
            or self.max_connections > MAX_CONNECTIONS
            or len(self.functions) > len(ACTIVATION_NAMES)
        ):
            raise ConfigError(
                f"CPPN settings: at most {MAX_NODES:,} nodes, {MAX_CONNECTIONS:,} connections, "
                f"{len(ACTIVATION_NAMES)} functions"
            )
        if not 1 <= self.rounds <= MAX_ROUNDS:
            raise ConfigError(f"CPPN settings: rounds is a whole number from 1 to {MAX_ROUNDS}, got {self.rounds!r}")
        for name in _PROBABILITIES:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"CPPN settings: {name} is a probability, got {getattr(self, name)}")
        if not (self.limit > 0 and self.start > 0 and self.eta > 0 and self.sigma > 0 and self.spread >= 1):
            raise ConfigError(
                "CPPN settings: limit, start, eta, sigma must be above 0, spread at least 1, "
                f"got {self.limit}, {self.start}, {self.eta}, {self.sigma} and {self.spread}"
            )

    def check_room(self, nodes: int, connections: int) -> None:
        """Check that a genome with so many nodes and connections fits.

        Raises:
            GenomeError: It has more than ``max_nodes`` or ``max_connections``.
        """
        if nodes > self.max_nodes or connections > self.max_connections:
            raise GenomeError(
                f"a genome has {nodes} nodes and {connections} connections, this preset takes at most "
                f"{self.max_nodes} and {self.max_connections}"
            )


PRESETS = {
    "default": CPPNSettings(
        limit=12.0,
        start=4.0,
        step="gaussian",
        sigma=1.5,
        spread=8.0,
        rounds=3,
        add_connection=0.2,
        delete_connection=0.05,
        add_node=0.4,
        delete_node=0.02,
    ),
    "nguyen2015": CPPNSettings(coordinates="pixels"),
}
"""Settings by preset.

``default`` reads x and y in [−1, 1], so that a genome shows the same picture at any size. It mutates weights with steps
from coarse to fine (docs/REPRODUCTION.md compares them). Its graphs grow in rounds and lose little (docs/SEARCH.md).

``nguyen2015`` is the original's: pixel indices as x and y beside a normalised distance, weights in [−10, 10],
polynomial mutation (η = 15), and all inputs connected to all outputs at first. It differs in three points: hue covers
the colour wheel once (OpenCV's 8-bit hue wraps), genomes are limited to ``max_nodes`` and ``max_connections``, and a
new connection never starts from an output.
"""
