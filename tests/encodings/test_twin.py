"""The renderer's differentiable twin: its pictures against the renderer's, its gradients against slow differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import reference
import torch
from graphs import BIAS, DISTANCE, Graph, X, Y, to_batch
from numpy.typing import NDArray
from support import build

from evofool.encodings.banks import find_genomes
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, CPPNBatch
from evofool.encodings.cppn.coordinates import pixel_coordinates
from evofool.encodings.cppn.render import render
from evofool.encodings.cppn.twin import Twin
from evofool.encodings.genome_lines import read_genomes
from evofool.rng import Rng

CPU, SIZE, STEP = torch.device("cpu"), (5, 7), 1e-6

DEEP = Graph(
    ("sin", "cos", "gauss"),
    ("sigmoid", "linear", "wedge", "gauss"),
    ((X, 7, 0.7), (Y, 7, -0.4), (DISTANCE, 8, 1.3), (7, 8, 0.9), (8, 9, -1.1), (BIAS, 9, 0.45), (7, 10, 0.8),
     (9, 10, 0.6), (10, 4, 1.2), (9, 4, 0.5), (8, 5, 1.7), (10, 5, -0.3), (7, 6, 0.9), (X, 6, 0.6)),
)  # fmt: skip
"""A graph with every activation, in several layers, that all outputs read."""


def twin(genomes: CPPNBatch, colour: str, size: tuple[int, int] = SIZE) -> Twin:
    return Twin(genomes, colour, pixel_coordinates(size, size, "unit", CPU))


def slopes(genomes: CPPNBatch, colour: str, pixel_weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gradient of a weighted sum of all pixels."""
    weights = torch.from_numpy(genomes.weight).requires_grad_()
    pictures = twin(genomes, colour).pictures(weights)
    (pictures * torch.from_numpy(pixel_weights).float().flatten(1)).sum().backward()
    assert weights.grad is not None
    return weights.grad.double().numpy()


def differences(genomes: CPPNBatch, value: Callable[[CPPNBatch, int], float]) -> NDArray[np.float64]:
    """Central differences of a value of each genome's, in float64, with respect to its weights."""
    found = np.zeros(genomes.weight.shape)
    for row, edge in np.ndindex(found.shape):
        sides = []
        for step in (STEP, -STEP):
            moved = CPPNBatch(**{**vars(genomes), "weight": genomes.weight.astype(np.float64)})
            moved.weight[row, edge] += step
            sides.append(value(moved, row))
        found[row, edge] = (sides[0] - sides[1]) / (2 * STEP)
    return found


@pytest.mark.parametrize(("bank", "every"), [("cifar10-cppn", 1), ("mnist-cppn", 1), ("imagenet-cppn", 9)])
def test_its_pictures_agree_with_the_renderers_within_one_level_of_255_on_every_bank(bank: str, every: int) -> None:
    place = find_genomes(bank)
    assert place is not None
    for path, genome in read_genomes(place)[::every]:
        size = genome.image_shape[1:]
        coordinates = pixel_coordinates(size, size, genome.coordinates, CPU)
        pictures = Twin(genome.genomes, genome.colour, coordinates).pictures(torch.from_numpy(genome.genomes.weight))
        real = render(genome.genomes, coordinates, genome.colour, size).flatten(2)
        assert float((pictures * 255 - real.float()).abs().max()) <= 1, path


@pytest.mark.parametrize("colour", ["hsl", "rgb"])
def test_its_gradients_are_differences_of_the_slow_renderer_in_float64(colour: str) -> None:
    genomes, picked = to_batch([DEEP]), np.random.default_rng(0).normal(size=(3, *SIZE))

    def value(moved: CPPNBatch, row: int) -> float:
        return float((reference.picture(moved, row, colour, SIZE, SIZE, "unit").value / 255 * picked).sum())

    np.testing.assert_allclose(slopes(genomes, colour, picked), differences(genomes, value), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_every_activation_has_its_derivative(activation: str) -> None:
    graph = Graph((activation,), (activation,), ((X, 5, 1.9), (Y, 5, -0.8), (BIAS, 5, 0.3), (5, 4, 1.6), (BIAS, 4, 1)))
    genomes, picked = to_batch([graph]), np.random.default_rng(1).normal(size=(1, *SIZE))

    def value(moved: CPPNBatch, row: int) -> float:
        return float((reference.picture(moved, row, "grey", SIZE, SIZE, "unit").value / 255 * picked).sum())

    np.testing.assert_allclose(slopes(genomes, "grey", picked), differences(genomes, value), rtol=2e-3, atol=2e-4)


def test_a_genomes_gradient_depends_neither_on_its_batch_nor_on_threads() -> None:
    encoding = build("cppn", "default", (3, 40, 40))
    genomes, rng = encoding.random(30, Rng(0)), Rng(1)
    for _ in range(5):
        genomes = encoding.mutate(genomes, rng)
    picked = torch.randn((30, 3, 1600), generator=torch.Generator().manual_seed(0))

    def gradient(rows: NDArray[np.int64]) -> torch.Tensor:
        weights = torch.from_numpy(genomes.weight[rows]).requires_grad_()
        (encoding.twin(genomes.take(rows)).pictures(weights) * picked[rows]).sum().backward()
        assert weights.grad is not None
        return weights.grad

    every = gradient(np.arange(30))
    assert float(every.abs().max()) > 0
    for rows in (np.array([3]), np.array([29, 0, 7])):
        assert torch.equal(gradient(rows), every[rows])


def test_weights_that_no_output_reads_have_no_gradient() -> None:
    graph = Graph(("sin",), ("sin", "cos"), ((X, 5, 1.0), (5, 4, 1.0), (Y, 6, 2.0)))
    found = slopes(to_batch([graph]), "grey", np.ones((1, *SIZE)))
    assert found[0, 2] == 0
    assert (found[0, :2] != 0).all()
