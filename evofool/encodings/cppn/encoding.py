"""Compositional pattern-producing networks (Stanley 2007) as an encoding of images.

A CPPN computes every pixel from its coordinates, and its graph is what evolves. Settings and operators follow Nguyen,
Yosinski, Clune 2015 (section 2.4 and their code).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from typing import Any, Literal

import msgspec
import numpy as np
import torch
from torch import Tensor

from ...errors import ConfigError
from ...kernels import graph
from ...kernels.constants import EMPTY
from ...rng import Rng
from .batch import ACTIVATION_NAMES, INPUTS, CPPNBatch
from .coordinates import pixel_coordinates
from .render import Renderer, render
from .settings import FEW_ACTIVATIONS, FEW_WEIGHTS, GRAPH_KEPT, CPPNSettings
from .twin import Twin

Colour = Literal["grey", "hsl", "rgb"]


class CPPN:
    """The CPPN encoding for images of one shape.

    Args:
        image_shape: (C, H, W).
        device: Where genomes are rendered.
        settings: How they are made, varied and coloured.

    Raises:
        ConfigError: Genomes with so few slots have no room for their inputs and outputs.
    """

    name = "cppn"
    crossover_rate = 0.0

    def __init__(self, image_shape: tuple[int, int, int], device: torch.device | str, settings: CPPNSettings) -> None:
        self.image_shape, self.device, self._settings = image_shape, torch.device(device), settings
        if self.device.type == "mps":  # Only later versions of torch have embedding bags there.
            self.device = torch.device("cpu")
        self.outputs, self.coordinates = image_shape[0], settings.coordinates
        self.colour: Colour = "grey" if self.outputs == 1 else settings.colour
        fixed = len(INPUTS) + self.outputs
        if settings.max_nodes < fixed or settings.max_connections < len(INPUTS) * self.outputs:
            raise ConfigError(
                f"CPPN settings: max_nodes must be at least {fixed} and max_connections {len(INPUTS) * self.outputs} "
                f"for {self.outputs} outputs"
            )
        self._functions = np.array([ACTIVATION_NAMES.index(name) for name in settings.functions], np.int8)

    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = msgspec.to_builtins(self._settings)
        return settings

    def random(self, n: int, rng: Rng) -> CPPNBatch:
        """Connect all inputs to all outputs, without hidden nodes, with random weights and activations."""
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
        """Return mutated copies: first the structure changes, then weights and activations."""
        s, n = self._settings, len(parents)
        return self._mutated(
            parents, np.full(n, s.rounds), np.full(n, s.weight_rate), np.full(n, s.activation_rate), rng
        )

    def mutate_slightly(self, parents: CPPNBatch, rng: Rng) -> CPPNBatch:
        """Return copies with few changes, however large the genomes are.

        On average ``FEW_WEIGHTS`` weights change and ``FEW_ACTIVATIONS`` activations are drawn anew, while
        :meth:`mutate` changes a share of them. The graphs of all but a share ``GRAPH_KEPT`` change, in the settings'
        rounds.
        """
        nodes = np.count_nonzero(parents.activation != EMPTY, axis=1) - len(INPUTS)
        return self._mutated(
            parents,
            np.where(rng.host.random(len(parents)) < GRAPH_KEPT, 0, self._settings.rounds),
            np.minimum(1.0, FEW_WEIGHTS / np.maximum(1, parents.sizes())),
            np.minimum(1.0, FEW_ACTIVATIONS / nodes),
            rng,
        )

    def mate(self, parents: CPPNBatch, partners: CPPNBatch, rng: Rng) -> CPPNBatch:
        """Return copies of ``parents``: CPPNs are not crossed, as in the original."""
        return parents.take(np.arange(len(parents)))

    def decode(self, genomes: CPPNBatch) -> Tensor:
        return render(genomes, self._native, self.colour, self.image_shape[1:])

    def twin(self, genomes: CPPNBatch) -> Twin:
        """Return genomes whose pictures have gradients with respect to their weights."""
        return Twin(genomes, self.colour, self._native)

    def decode_at(self, genomes: CPPNBatch, size: tuple[int, int]) -> Tensor:
        """Return (N, C, H, W) uint8 pictures of another size (H, W): the same patterns, sampled anew."""
        coordinates = pixel_coordinates(size, self.image_shape[1:], self._settings.coordinates, self.device)
        return render(genomes, coordinates, self.colour, size)

    def decode_rows(self, genomes: CPPNBatch, size: tuple[int, int]) -> Callable[[int, int], Tensor]:
        """Return a function that renders some rows of what :meth:`decode_at` returns.

        It takes ``start`` and ``stop`` and returns (N, C, stop − start, W) uint8, for pictures that don't fit into
        memory.
        """
        renderer = Renderer(genomes, self.colour, self.device)

        def rows(start: int, stop: int) -> Tensor:
            native, system = self.image_shape[1:], self._settings.coordinates
            coordinates = pixel_coordinates(size, native, system, self.device, (start, stop))
            return renderer.at(coordinates, size[1]).view(len(genomes), self.outputs, stop - start, size[1])

        return rows

    def dump(self, genomes: CPPNBatch) -> dict[str, np.ndarray]:
        return {f.name: getattr(genomes, f.name).copy() for f in fields(genomes)}

    def load(self, arrays: dict[str, np.ndarray]) -> CPPNBatch:
        batch = CPPNBatch.from_arrays(arrays)
        batch.check(self.outputs)
        return batch.take(np.arange(len(batch)))

    def resized(self, genomes: CPPNBatch) -> CPPNBatch:
        """Return the same genomes with as many slots as this encoding's genomes have.

        Raises:
            GenomeError: A genome has more than ``max_nodes`` nodes or ``max_connections`` connections.
        """
        s = self._settings
        batch = CPPNBatch.empty(len(genomes), s.max_nodes, s.max_connections)
        for row in range(len(genomes)):
            nodes = np.flatnonzero(genomes.activation[row] != EMPTY)
            edges = np.flatnonzero(genomes.source[row] != EMPTY)
            s.check_room(len(nodes), len(edges))
            slot = np.full(genomes.activation.shape[1], EMPTY, np.int16)
            slot[nodes] = np.arange(len(nodes))
            batch.activation[row, : len(nodes)] = genomes.activation[row, nodes]
            batch.position[row, : len(nodes)] = genomes.position[row, nodes]
            batch.source[row, : len(edges)] = slot[genomes.source[row, edges]]
            batch.sink[row, : len(edges)] = slot[genomes.sink[row, edges]]
            batch.weight[row, : len(edges)] = genomes.weight[row, edges]
        return batch

    @cached_property
    def _native(self) -> Tensor:
        """What genomes read at every pixel of the encoding's images."""
        size = self.image_shape[1:]
        return pixel_coordinates(size, size, self._settings.coordinates, self.device)

    def _mutated(
        self, parents: CPPNBatch, rounds: np.ndarray, weight_rates: np.ndarray, activation_rates: np.ndarray, rng: Rng
    ) -> CPPNBatch:
        """Return copies, each mutated with its own (N,) number of rounds and its own rates."""
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
