"""The batched renderer against the slow one, and against itself in other batches and tiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
import torch
from graphs import BIAS, DISTANCE, Graph, X, Y, chain, graphs, to_batch
from hypothesis import given, settings
from hypothesis import strategies as st
from support import build

from evofool.encodings.cppn import render as renderer
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, CPPNBatch
from evofool.encodings.cppn.coordinates import pixel_coordinates
from evofool.rng import Rng

pytestmark = pytest.mark.usefixtures("rendered_both_ways")

CPU = torch.device("cpu")
SIZES = [(6, 6), (5, 9), (9, 4), (1, 7), (1, 1)]


def draw(
    genomes: CPPNBatch, colour: str, size: tuple[int, int], system: str = "unit", native: tuple[int, int] | None = None
) -> torch.Tensor:
    return renderer.render(genomes, pixel_coordinates(size, native or size, system, CPU), colour, size)


def assert_agrees(genomes: CPPNBatch, colour: str, size: tuple[int, int], system: str) -> float:
    """Every byte is what the slow renderer gives, as far as float32 can tell; returns the share it can."""
    images = draw(genomes, colour, size, system)
    assert images.shape == (len(genomes), 1 if colour == "grey" else 3, *size)
    assert images.dtype == torch.uint8
    sharp = []
    for row in range(len(genomes)):
        expected = reference.picture(genomes, row, colour, size, size, system)
        off = np.abs(images[row].double().numpy() - expected.value)
        assert (off <= 0.5 + expected.bound).all(), f"genome {row}: off by {off.max():.2f}"
        sharp.append((expected.bound < 0.05).mean())
    return float(np.mean(sharp))


@settings(max_examples=80)
@given(st.data(), st.sampled_from(["grey", "hsl", "rgb"]), st.sampled_from(["unit", "pixels"]), st.sampled_from(SIZES))
def test_any_graphs_look_as_the_slow_renderer_draws_them(
    data: st.DataObject, colour: str, system: str, size: tuple[int, int]
) -> None:
    count = 1 if colour == "grey" else 3
    drawn = data.draw(st.lists(graphs(count), min_size=1, max_size=4))
    assert_agrees(to_batch(drawn), colour, size, system)


MILD = {"limit": 10.0, "start": 2.0, "sigma": 0.8, "spread": 1.0}


@pytest.mark.parametrize(
    ("preset", "changes", "sharp"), [("default", MILD, 0.75), ("nguyen2015", {}, 0.2), ("default", {}, 0.1)]
)
@pytest.mark.parametrize("colour", ["grey", "hsl", "rgb"])
def test_evolved_populations_look_as_the_slow_renderer_draws_them(
    preset: str, changes: dict[str, float], sharp: float, colour: str
) -> None:
    """Real genomes; and the comparison is sharp on enough pixels to be able to fail.

    Fewer are sharp where weights are large: they turn sin many times over.
    """
    shape = (1 if colour == "grey" else 3, 10, 12)
    tones = {} if colour == "grey" else {"colour": colour}
    encoding = build("cppn", preset, shape, functions=ACTIVATION_NAMES, **tones, **changes)
    rng = Rng(4)
    genomes = encoding.random(24, rng)
    for _ in range(20 // encoding.settings()["rounds"]):
        genomes = encoding.mutate(genomes, rng)
    system = encoding.settings()["coordinates"]
    assert assert_agrees(genomes, colour, (10, 12), system) > sharp
    assert torch.equal(encoding.decode(genomes), draw(genomes, colour, (10, 12), system))


BY_HAND = {
    "sin": lambda p: math.sin(p),
    "cos": lambda p: math.cos(p),
    "sigmoid": lambda p: math.tanh(p / 2),  # 2(σ(p) − 0.5)
    "gauss": lambda p: math.exp(-p * p),
    "linear": lambda p: max(-3.0, min(3.0, p)) / 3,
    "wedge": lambda p: min(abs(p), 3.0) / 1.5 - 1,
}


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
@pytest.mark.parametrize("p", [-10.0, -3.1, -3.0, -1.27, -0.2, 0.0, 0.2, 0.72, 1.5, 2.9, 3.0, 3.1, 10.0])
def test_each_activation_is_its_formula(name: str, p: float) -> None:
    genomes = to_batch([Graph((name,), (), ((BIAS, 4, p),))])
    value = BY_HAND[name](p)
    assert draw(genomes, "grey", (2, 2)).unique().tolist() == [math.floor(abs(value) * 255 + 0.5)]
    genomes = to_batch([Graph((name,) * 3, (), tuple((BIAS, 4 + k, p) for k in range(3)))])
    assert draw(genomes, "rgb", (2, 2)).unique().tolist() == [math.floor((value + 1) / 2 * 255 + 0.5)]


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_an_output_without_connections_is_its_activation_of_zero(name: str) -> None:
    brightness = {"sin": 0, "sigmoid": 0, "linear": 0, "gauss": 255, "cos": 255, "wedge": 255}[name]
    assert draw(to_batch([Graph((name,))]), "grey", (3, 2)).unique().tolist() == [brightness]


@pytest.mark.parametrize(
    ("hue", "saturation", "lightness", "pixel"),
    [
        (0.0, 1.0, 0.5, (255, 0, 0)),
        (1.0, 1.0, 0.5, (255, 0, 0)),  # The wheel closes.
        (1 / 3, 1.0, 0.5, (0, 255, 0)),
        (2 / 3, 1.0, 0.5, (0, 0, 255)),
        (1 / 6, 1.0, 0.5, (255, 255, 0)),
        (0.4, 0.0, 0.6, (153, 153, 153)),
        (0.4, 1.0, 1.0, (255, 255, 255)),
        (0.4, 1.0, 0.0, (0, 0, 0)),
        (0.0, 0.5, 0.25, (96, 32, 32)),
        (-1 / 3, -1.0, -0.5, (0, 255, 0)),  # Outputs count by their size.
    ],
)
def test_hsl_colours(hue: float, saturation: float, lightness: float, pixel: tuple[int, int, int]) -> None:
    edges = tuple((BIAS, 4 + k, 3 * v) for k, v in enumerate((hue, saturation, lightness)))
    image = draw(to_batch([Graph(("linear",) * 3, (), edges)]), "hsl", (1, 1))
    np.testing.assert_allclose(image.flatten(), pixel, atol=1)


@pytest.mark.parametrize("length", [1, 2, 40, 88])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_chain_of_nodes_is_followed_to_its_end(length: int, outputs: int) -> None:
    genomes = to_batch([chain(length, outputs, "linear", 3.0)])
    image = draw(genomes, "grey" if outputs == 1 else "rgb", (1, 8))[0, 0, 0]
    x = (np.arange(8) + 0.5) / 8 * 16 - 8  # Unit coordinates of a 1×8 image; clamp(3x) / 3 at every node.
    clamped = np.clip(x, -1, 1)
    expected = np.abs(clamped) if outputs == 1 else (clamped + 1) / 2
    np.testing.assert_array_equal(image.numpy(), np.floor(expected * 255 + 0.5))


def test_parallel_paths_add_up() -> None:
    """The input x reaches the output over two nodes and directly: sin(2·sin(x) + 3·sin(x) − x)."""
    edges = ((X, 5, 1.0), (X, 6, 1.0), (5, 4, 2.0), (6, 4, 3.0), (X, 4, -1.0))
    image = draw(to_batch([Graph(("sin",), ("sin", "sin"), edges)]), "grey", (8, 8))[0, 0]
    x = (np.arange(8) + 0.5) / 4 - 1
    expected = np.abs(np.sin(5 * np.sin(x) - x)) * 255
    np.testing.assert_allclose(image, np.broadcast_to(expected, (8, 8)), atol=0.51)


def test_a_level_is_the_longest_path_to_a_node() -> None:
    """The output takes node 6 early (from 5) and late (5 → 7 → 6 would be backwards): positions decide."""
    edges = ((X, 5, 1.0), (5, 6, 1.0), (6, 7, 1.0), (5, 7, 1.0), (7, 4, 1.0), (Y, 6, 1.0), (DISTANCE, 4, 0.5))
    assert assert_agrees(to_batch([Graph(("sin",), ("sin", "cos", "gauss"), edges)]), "grey", (9, 9), "unit") == 1


def test_nodes_that_reach_no_output_do_not_matter() -> None:
    used = ((X, 5, 2.0), (5, 4, 1.0), (Y, 4, 1.0))
    dead = ((X, 6, 9.0), (5, 6, 9.0), (6, 7, 9.0), (BIAS, 7, 9.0))
    without = draw(to_batch([Graph(("sin",), ("cos",), used)]), "grey", (7, 7))
    with_dead = to_batch([Graph(("sin",), ("cos", "sin", "sin"), used + dead)], 12, 20)
    assert torch.equal(draw(with_dead, "grey", (7, 7)), without)


def test_no_genome_gives_no_image() -> None:
    empty = to_batch([Graph(("sin",) * 3)]).take(np.empty(0, np.int64))
    assert draw(empty, "hsl", (4, 5)).shape == (0, 3, 4, 5)
