"""The renderer of CPPNs alone: many genomes in a batch beside one after the other, node by node."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor

from evofool import encodings
from evofool.config.budget import Budget
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, INPUTS, CPPNBatch
from evofool.encodings.cppn.coordinates import pixel_coordinates
from evofool.encodings.cppn.encoding import CPPN
from evofool.encodings.cppn.functions import ACTIVATIONS, COLOURS, to_bytes
from evofool.rng import Rng
from evofool.search.evolution import Evolution

from .common import Row, plain_options, tiny_target

REPEATS = 5
GENOMES, SINGLE_GENOMES, MIN_NODES = 400, 40, 20
"""Genomes in the batch, of these rendered one by one, and their mean number of nodes at least."""

EVALUATIONS = 100_000
"""Evaluations of the evolution whose elites are the genomes' parents."""


def renderer() -> list[Row]:
    """Return a row about genomes of a long evolution at 224²."""
    encoding, genomes = _grown()
    coordinates = pixel_coordinates((224, 224), (224, 224), "unit", torch.device("cpu"))
    batched, single = [], []
    for _ in range(REPEATS):
        started = time.perf_counter()
        images = encoding.decode(genomes)
        batched.append(GENOMES / (time.perf_counter() - started))
        started = time.perf_counter()
        expected = [render_one(genomes, row, coordinates, "hsl").view(3, 224, 224) for row in range(SINGLE_GENOMES)]
        single.append(SINGLE_GENOMES / (time.perf_counter() - started))
    apart = (images[:SINGLE_GENOMES].int() - torch.stack(expected).int()).abs()
    speed, reference = statistics.median(batched), statistics.median(single)
    return [
        {
            "what": f"renderer, {GENOMES} genomes at 224²",
            "nodes": round(float((genomes.activation >= 0).sum(1).mean()), 1),
            "connections": round(float(genomes.sizes().mean()), 1),
            "genomes/s": round(speed, 1),
            "million pixels/s": round(speed * 224**2 / 1e6, 1),
            "one by one, genomes/s": round(reference, 1),
            "times": round(speed / reference, 2),
            "values apart by more than 1": float((apart > 1).float().mean()),
        }
    ]


def render_one(genomes: CPPNBatch, row: int, coordinates: Tensor, colour: str) -> Tensor:
    """Return the picture (C, P) uint8 of one genome the plain way: node after node, each a sum of tensors."""
    values = dict(enumerate(coordinates))
    edges_into: dict[int, list[tuple[int, float]]] = {}
    edges = zip(genomes.source[row].tolist(), genomes.sink[row].tolist(), genomes.weight[row].tolist(), strict=True)
    for source, sink, weight in edges:
        if source >= 0:
            edges_into.setdefault(sink, []).append((source, weight))

    def value(node: int) -> Tensor:
        if node not in values:
            total = torch.zeros(coordinates.shape[1])
            for source, weight in edges_into.get(node, []):
                total = total + weight * value(source)
            ACTIVATIONS[ACTIVATION_NAMES[genomes.activation[row, node]]](total, total)
            values[node] = total
        return values[node]

    outputs = torch.stack([value(len(INPUTS) + k) for k in range(3)])
    image = torch.empty((1, 3, coordinates.shape[1]), dtype=torch.uint8)
    to_bytes(COLOURS[colour](outputs[None]), image)
    return image[0]


def _grown() -> tuple[CPPN, CPPNBatch]:
    """Return children of the elites of a long evolution, and their encoding at 224²."""
    target = tiny_target(50)
    small = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, target.device)
    encoding = encodings.build("cppn", encodings.preset("cppn", "default"), (3, 224, 224), "cpu")
    assert isinstance(encoding, CPPN)
    evolution = Evolution(target, small, plain_options(200))
    for _ in evolution.run(Budget(evaluations=EVALUATIONS)):
        pass
    rng = Rng(0, torch.device("cpu"))
    genomes = encoding.mutate(evolution.archive.genomes.take(rng.host.integers(50, size=GENOMES)), rng)
    while float((genomes.activation >= 0).sum(1).mean()) < MIN_NODES:
        genomes = encoding.mutate(genomes, rng)
    return encoding, genomes
