"""Compositional pattern-producing networks (Stanley 2007) as an encoding of images.

A CPPN computes every pixel from its coordinates; its graph is what evolves. Settings and operators follow Nguyen,
Yosinski, Clune 2015 (section 2.4 and their code).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ...errors import ConfigError, GenomeError
from ...kernels import graph
from ...kernels.constants import EMPTY
from ...rng import Rng
from .batch import ACTIVATION_NAMES, INPUTS, MAX_CONNECTIONS, MAX_NODES, CPPNBatch
from .render import Renderer, render

Colour = Literal["grey", "hsl", "rgb"]

ORIGINAL_FUNCTIONS = ("sin", "sigmoid", "gauss", "linear")


MAX_ROUNDS = 100
"""of operators on a child's graph"""

FEW_WEIGHTS = 4.0
"""weights that :meth:`CPPN.mutate_slightly` changes in a child on average (docs/SEARCH.md)"""

FEW_ACTIVATIONS = 0.2
"""activations that it draws anew"""

GRAPH_KEPT = 0.8
"""share of its children whose graph stays as it is"""

_CHOICES = {"coordinates": ("unit", "pixels"), "colour": ("hsl", "rgb"), "step": ("polynomial", "gaussian")}
_PROBABILITIES = (
    "weight_rate", "activation_rate", "add_connection", "delete_connection", "add_node", "delete_node",
)  # fmt: skip


@dataclass(frozen=True)
class CPPNSettings:
    """How CPPNs are made, varied and coloured. Probabilities are a child's, of the operators on the graph a round's;
    weights are in [−limit, limit]."""

    coordinates: Literal["unit", "pixels"] = "unit"
    """x and y run over [−1, 1] (the shorter side), or count pixels of the native size from 0"""
    colour: Literal["hsl", "rgb"] = "hsl"
    """how three outputs become a colour; a grey target has one output, |v|"""
    functions: tuple[str, ...] = ORIGINAL_FUNCTIONS
    limit: float = 10.0
    start: float = 10.0
    """first and new weights: uniform in [−start, start] when ``step`` is polynomial, else N(0, start)"""
    step: Literal["polynomial", "gaussian"] = "polynomial"
    weight_rate: float = 0.1
    """probability that a weight changes"""
    eta: float = 15.0
    """index of polynomial mutation: larger is finer"""
    sigma: float = 1.0
    """standard deviation of Gaussian mutation"""
    spread: float = 1.0
    """siblings' standard deviations spread over sigma · spread^[−1, 1]"""
    activation_rate: float = 0.1
    """probability that a node's activation is drawn anew"""
    rounds: int = 1
    """how often the four operators on the graph get their chance, each with the probability below"""
    add_connection: float = 0.5
    delete_connection: float = 0.3
    add_node: float = 0.5
    delete_node: float = 0.2
    max_nodes: int = 96
    """node slots of a genome, inputs and outputs included"""
    max_connections: int = 256

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"CPPN settings: {name} must be {' or '.join(choices)}, got {getattr(self, name)!r}")
        if not self.functions or not set(self.functions) <= set(ACTIVATION_NAMES):
            raise ConfigError(
                f"CPPN settings: functions must be some of {', '.join(ACTIVATION_NAMES)}, got {self.functions}"
            )
        if (
            self.max_nodes > MAX_NODES
            or self.max_connections > MAX_CONNECTIONS
            or len(self.functions) > len(ACTIVATION_NAMES)
        ):
            raise ConfigError(
                f"CPPN settings: at most {MAX_NODES:,} nodes, {MAX_CONNECTIONS:,} connections, {len(ACTIVATION_NAMES)} functions"
            )
        if type(self.rounds) is not int or not 1 <= self.rounds <= MAX_ROUNDS:
            raise ConfigError(f"CPPN settings: rounds is a whole number from 1 to {MAX_ROUNDS}, got {self.rounds!r}")
        for name in _PROBABILITIES:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"CPPN settings: {name} is a probability, got {getattr(self, name)}")
        if not (self.limit > 0 and self.start > 0 and self.eta > 0 and self.sigma > 0 and self.spread >= 1):
            raise ConfigError(f"CPPN settings: limit, start, eta, sigma must be above 0, spread at least 1, got {self}")


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
"""``default`` reads x and y in [−1, 1], so that a picture means the same at any size, and mutates weights with steps
from coarse to fine (docs/REPRODUCTION.md has what they were measured against); its graphs grow in rounds and lose
little (docs/SEARCH.md).

``nguyen2015`` is the original's: pixel indices as x and y beside a normalised distance, weights in [−10, 10],
polynomial mutation (η = 15), all inputs connected to all outputs at first. Differences: hue covers the
colour wheel once (OpenCV's 8-bit hue wraps), genomes are capped at ``max_nodes`` and
``max_connections``, and a new connection never starts from an output."""


class CPPN:
    """The CPPN encoding for images of ``image_shape`` (C, H, W)."""

    name = "cppn"
    crossover_rate = 0.0

    def __init__(self, image_shape: tuple[int, int, int], device: torch.device | str, settings: CPPNSettings) -> None:
        self.image_shape, self.device, self._settings = image_shape, torch.device(device), settings
        if self.device.type == "mps":  # only torch's later versions have the renderer's sums there
            self.device = torch.device("cpu")
        self.outputs, self.coordinates = image_shape[0], settings.coordinates
        self.colour: Colour = "grey" if self.outputs == 1 else settings.colour
        fixed = len(INPUTS) + self.outputs
        if settings.max_nodes < fixed or settings.max_connections < len(INPUTS) * self.outputs:
            raise ConfigError(
                f"CPPN settings: max_nodes must be at least {fixed} and max_connections {len(INPUTS) * self.outputs} "
                f"for {self.outputs} outputs"
            )
        self._coordinates: Tensor | None = None
        self._functions = np.array([ACTIVATION_NAMES.index(name) for name in settings.functions], np.int8)

    def settings(self) -> dict[str, Any]:
        return {**asdict(self._settings), "functions": list(self._settings.functions)}

    def random(self, n: int, rng: Rng) -> CPPNBatch:
        """All inputs connected to all outputs, no hidden nodes, random weights and activations."""
        s, inputs = self._settings, len(INPUTS)
        batch = CPPNBatch.empty(n, s.max_nodes, s.max_connections)
        outputs = slice(inputs, inputs + self.outputs)
        batch.activation[:, :inputs] = 0
        batch.activation[:, outputs] = rng.host.choice(self._functions, (n, self.outputs))
        batch.position[:, outputs] = 1.0
        pairs = np.arange(inputs * self.outputs)
        batch.source[:, pairs] = pairs % inputs
        batch.sink[:, pairs] = inputs + pairs // inputs
        batch.weight[:, pairs] = self._first_weights((n, len(pairs)), rng)
        return batch

    def mutate(self, parents: CPPNBatch, rng: Rng) -> CPPNBatch:
        """Mutated copies: structure first, then weights and activations."""
        s, n = self._settings, len(parents)
        return self._changed(
            parents, np.full(n, s.rounds), np.full(n, s.weight_rate), np.full(n, s.activation_rate), rng
        )

    def mutate_slightly(self, parents: CPPNBatch, rng: Rng) -> CPPNBatch:
        """Copies in which ``FEW_WEIGHTS`` change and ``FEW_ACTIVATIONS`` are drawn anew, however large they are
        (:meth:`mutate` changes a share of a genome, which is much of a large one), and the graph of some: in the
        settings' rounds, but for ``GRAPH_KEPT`` of them."""
        nodes = np.count_nonzero(parents.activation != EMPTY, axis=1) - len(INPUTS)
        return self._changed(
            parents,
            np.where(rng.host.random(len(parents)) < GRAPH_KEPT, 0, self._settings.rounds),
            np.minimum(1.0, FEW_WEIGHTS / np.maximum(1, parents.sizes())),
            np.minimum(1.0, FEW_ACTIVATIONS / nodes),
            rng,
        )

    def mate(self, parents: CPPNBatch, partners: CPPNBatch, rng: Rng) -> CPPNBatch:
        """CPPNs are not crossed (the original doesn't either): copies of ``parents``."""
        return parents.take(np.arange(len(parents)))

    def decode(self, genomes: CPPNBatch) -> Tensor:
        size = self.image_shape[1:]
        if self._coordinates is None:
            self._coordinates = pixel_coordinates(size, size, self._settings.coordinates, self.device)
        return render(genomes, self._coordinates, self.colour, size)

    def decode_at(self, genomes: CPPNBatch, size: tuple[int, int]) -> Tensor:
        """(N, C, H, W) uint8 pictures of another size (H, W): the same patterns, sampled anew."""
        coordinates = pixel_coordinates(size, self.image_shape[1:], self._settings.coordinates, self.device)
        return render(genomes, coordinates, self.colour, size)

    def decode_rows(self, genomes: CPPNBatch, size: tuple[int, int]) -> Callable[[int, int], Tensor]:
        """What gives rows ``start`` to ``stop`` of :meth:`decode_at`'s pictures, (N, C, stop − start, W), for
        pictures that are too large to be had whole."""
        renderer = Renderer(genomes, self.colour, self.device)

        def rows(start: int, stop: int) -> Tensor:
            native, system = self.image_shape[1:], self._settings.coordinates
            coordinates = pixel_coordinates(size, native, system, self.device, (start, stop))
            return renderer.at(coordinates, size[1]).view(len(genomes), self.outputs, stop - start, size[1])

        return rows

    def dump(self, genomes: CPPNBatch) -> dict[str, np.ndarray]:
        return {f.name: getattr(genomes, f.name).copy() for f in fields(genomes)}

    def load(self, arrays: dict[str, np.ndarray]) -> CPPNBatch:
        batch = CPPNBatch.of(arrays)
        batch.check(self.outputs)
        return batch.take(np.arange(len(batch)))

    def resized(self, genomes: CPPNBatch) -> CPPNBatch:
        """The same genomes with this encoding's numbers of slots.

        Raises:
            GenomeError: a genome does not fit ``max_nodes`` or ``max_connections``.
        """
        s = self._settings
        batch = CPPNBatch.empty(len(genomes), s.max_nodes, s.max_connections)
        for row in range(len(genomes)):
            nodes = np.flatnonzero(genomes.activation[row] != EMPTY)
            edges = np.flatnonzero(genomes.source[row] != EMPTY)
            if len(nodes) > s.max_nodes or len(edges) > s.max_connections:
                raise GenomeError(
                    f"a genome has {len(nodes)} nodes and {len(edges)} connections, this preset takes at most "
                    f"{s.max_nodes} and {s.max_connections}"
                )
            slot = np.full(genomes.activation.shape[1], EMPTY, np.int16)
            slot[nodes] = np.arange(len(nodes))
            batch.activation[row, : len(nodes)] = genomes.activation[row, nodes]
            batch.position[row, : len(nodes)] = genomes.position[row, nodes]
            batch.source[row, : len(edges)] = slot[genomes.source[row, edges]]
            batch.sink[row, : len(edges)] = slot[genomes.sink[row, edges]]
            batch.weight[row, : len(edges)] = genomes.weight[row, edges]
        return batch

    def _changed(
        self, parents: CPPNBatch, rounds: np.ndarray, weight_rates: np.ndarray, activation_rates: np.ndarray, rng: Rng
    ) -> CPPNBatch:
        """Copies, the graph changed in so many rounds, each weight and activation with these probabilities."""
        s, children = self._settings, parents.take(np.arange(len(parents)))
        graph.mutate(
            children.graphs(),
            self._functions,
            (len(INPUTS), len(INPUTS) + self.outputs),
            rounds,
            tuple(map(float, (s.add_connection, s.delete_connection, s.add_node, s.delete_node))),
            (s.step == "polynomial", *map(float, (s.start, s.eta, s.sigma, s.spread, s.limit))),
            weight_rates.astype(np.float64),
            activation_rates.astype(np.float64),
            rng.seeds(len(children)),
        )
        return children

    def _first_weights(self, shape: tuple[int, ...], rng: Rng) -> np.ndarray:
        s = self._settings
        if s.step == "polynomial":
            return rng.host.uniform(-s.start, s.start, shape).astype(np.float32)
        return np.clip(rng.host.normal(0, s.start, shape), -s.limit, s.limit).astype(np.float32)


def pixel_coordinates(
    size: tuple[int, int],
    native: tuple[int, int],
    system: str,
    device: torch.device,
    window: tuple[int, int] | None = None,
) -> Tensor:
    """(4, H · W) float32: x, y, distance and bias at the centre of every pixel.

    Args:
        size: (H, W) to render at.
        native: (H, W) of the images the genome was evolved for; rendering at another size samples the same
            pattern.
        system: ``unit``: x and y reach ±1 on the shorter native side. ``pixels``: they count native pixels
            from 0. The distance to the centre is 0 … 1 on the shorter side in both.
        device: where to.
        window: rows ``start`` to ``stop``, where not all of the H are wanted.
    """
    width = size[1]
    first, last = window or (0, size[0])
    y = (torch.arange(first, last, dtype=torch.float64) + 0.5) / size[0] * native[0]
    x = (torch.arange(width, dtype=torch.float64) + 0.5) / width * native[1]
    half = min(native) / 2
    unit_y, unit_x = (y - native[0] / 2) / half, (x - native[1] / 2) / half
    distance = torch.hypot(unit_x[None, :], unit_y[:, None])
    if system == "pixels":
        rows, columns = y - 0.5, x - 0.5
    else:
        rows, columns = unit_y, unit_x
    grid = torch.stack(
        [
            columns.expand(distance.shape),
            rows[:, None].expand(distance.shape),
            distance,
            torch.ones_like(distance),
        ]
    )
    return grid.reshape(len(INPUTS), -1).float().to(device)
