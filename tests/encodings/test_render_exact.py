"""The same genome gives the same bytes: in any batch, order, tile, and number of threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from graphs import BIAS, DISTANCE, Graph, X, Y, graphs, to_batch
from hypothesis import given
from hypothesis import strategies as st
from support import build

from evofool.encodings.cppn import fused, levels
from evofool.encodings.cppn import render as renderer
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, CPPNBatch
from evofool.encodings.cppn.coordinates import pixel_coordinates
from evofool.rng import Rng

pytestmark = pytest.mark.usefixtures("rendered_both_ways")

CPU = torch.device("cpu")
SIZES = [(8, 8), (7, 9), (17, 13), (3, 1)]  # Most are no multiple of a vector register.


def draw(genomes: CPPNBatch, colour: str, size: tuple[int, int]) -> torch.Tensor:
    return renderer.render(genomes, pixel_coordinates(size, size, "unit", CPU), colour, size)


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def amplifier(activation: str) -> Graph:
    """One node of an activation, then eight that each stretch differences tenfold.

    A single bit that the first node gets wrong becomes another picture.
    """
    hidden = (activation, *("sin",) * 8)
    first = 5
    edges = [(X, first, 1.7), (Y, first, -0.9), (DISTANCE, first, 0.6), (BIAS, first, 0.3)]
    edges += [(first + k, first + k + 1, 10.0) for k in range(8)]
    return Graph(("sin",), hidden, (*edges, (first + 8, 4, 10.0)))


@given(st.lists(graphs(3), min_size=2, max_size=5), st.randoms(use_true_random=False), st.sampled_from(SIZES))
def test_a_picture_is_its_genomes_alone(drawn: list[Graph], random: object, size: tuple[int, int]) -> None:
    genomes = to_batch(drawn, 16, 20)
    together = draw(genomes, "hsl", size)
    order = np.array(random.sample(range(len(drawn)), len(drawn)))  # type: ignore[attr-defined]
    assert torch.equal(draw(genomes.take(order), "hsl", size), together[order])
    for row in range(len(drawn)):
        assert torch.equal(draw(genomes.take(rows(row)), "hsl", size)[0], together[row])


@given(graphs(3), graphs(3), st.sampled_from([*SIZES, (1, 30), (30, 1)]), st.integers(1, 40))
def test_a_picture_does_not_depend_on_tiles(first: Graph, second: Graph, size: tuple[int, int], tile: int) -> None:
    """Parts of lines, whole lines, several; nodes of x or y alone, of nothing, of both."""
    genomes = to_batch([first, second, first], 16, 20)
    whole = draw(genomes, "hsl", size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "TILE", tile)
        patch.setitem(levels.TILE_VALUES, "cpu", tile)
        assert torch.equal(draw(genomes, "hsl", size), whole)


@pytest.mark.parametrize("size", [(301, 403), (7, 20_001), (20_001, 7)])
def test_a_large_picture_does_not_depend_on_threads(threads: Callable[[int], None], size: tuple[int, int]) -> None:
    """It is one genome, whose lines are shared out."""
    edges = [(X, 7, 3.0), (Y, 8, 3.0), (7, 9, 2.0), (8, 9, -2.0), (DISTANCE, 9, 1.0), (BIAS, 10, 0.3)]
    edges += [(9, 4, 1.0), (7, 5, 1.0), (8, 5, 1.0), (8, 6, 1.0), (10, 6, 1.0)]
    genomes = to_batch([Graph(("sin", "sin", "sin"), ("cos", "gauss", "sin", "sigmoid"), tuple(edges))])
    threads(1)
    single = draw(genomes, "rgb", size)
    for count in (2, 5):
        threads(count)
        assert torch.equal(draw(genomes, "rgb", size), single)


def test_nodes_of_x_alone_and_of_y_alone_are_where_they_belong() -> None:
    """Red is a function of x, green of y, blue of neither; then all three of both."""
    edges = ((X, 7, 3.0), (7, 4, 2.0), (Y, 8, 3.0), (BIAS, 8, 0.4), (8, 5, 2.0), (BIAS, 6, 0.7))
    alone = Graph(("sin", "sin", "sin"), ("cos", "gauss"), edges)
    picture = draw(to_batch([alone]), "rgb", (40, 60))[0]
    assert (picture[0] == picture[0, :1]).all()
    assert (picture[1] == picture[1, :, :1]).all()
    assert len(picture[2].unique()) == 1
    assert min(len(picture[0].unique()), len(picture[1].unique())) > 10
    crossed = Graph(alone.outputs, alone.hidden, (*edges, (7, 5, 1.0), (8, 4, 1.0), (7, 6, 1.0), (8, 6, 1.0)))
    wide = draw(to_batch([crossed]), "rgb", (40, 60))
    assert all(len(channel.unique(dim=0)) > 10 and len(channel.unique(dim=1)) > 10 for channel in wide[0])
    turned = draw(to_batch([crossed]), "rgb", (60, 40))
    assert not torch.equal(turned[0, :, :40], wide[0, :, :, :40])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_not_a_bit_of_an_activation_depends_on_the_batch(activation: str, size: tuple[int, int]) -> None:
    graph = amplifier(activation)
    others = [amplifier(name) for name in ACTIVATION_NAMES]
    alone = draw(to_batch([graph]), "grey", size)[0]
    for batch in ([graph, graph], [*others, graph], [graph, *others] * 7):
        images = draw(to_batch(batch), "grey", size)
        for row, member in enumerate(batch):
            if member is graph:
                assert torch.equal(images[row], alone)


@pytest.mark.parametrize("values", [1, 9999, 12345])
@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_not_a_bit_of_an_activation_depends_on_the_tiles(
    monkeypatch: pytest.MonkeyPatch, activation: str, values: int
) -> None:
    """Images of more than one tile, and a last tile that is smaller."""
    genomes = to_batch([amplifier(activation), amplifier("gauss"), amplifier("cos")])
    whole = draw(genomes, "grey", (40, 41))
    monkeypatch.setitem(levels.TILE_VALUES, "cpu", values)
    monkeypatch.setattr(fused, "TILE", 1 + values // 37)
    assert torch.equal(draw(genomes, "grey", (40, 41)), whole)


@pytest.mark.parametrize("activation", ["sin", "sigmoid", "gauss"])
def test_not_a_bit_of_an_activation_depends_on_the_threads(threads: None, activation: str) -> None:
    genomes = to_batch([amplifier(activation)] * 3)
    for size in ((191, 173), (179, 185)):  # Enough pixels to split.
        torch.set_num_threads(1)
        single = draw(genomes, "grey", size)
        torch.set_num_threads(2)
        assert torch.equal(draw(genomes, "grey", size), single)


@pytest.mark.parametrize("preset", ["default", "nguyen2015"])
def test_an_evolved_population_in_slices_gives_the_same_bytes(preset: str) -> None:
    encoding = build("cppn", preset, (3, 13, 11))
    rng = Rng(2)
    genomes = encoding.random(40, rng)
    for _ in range(30):
        genomes = encoding.mutate(genomes, rng)
    together = encoding.decode(genomes)
    assert len(together.flatten(1).unique(dim=0)) > 20  # They do look different.
    for part in np.array_split(np.arange(40), 7):
        assert torch.equal(encoding.decode(genomes.take(part)), together[part])
    order = np.random.default_rng(0).permutation(40)
    assert torch.equal(encoding.decode(genomes.take(order)), together[order])


@given(graphs(1, most_edges=20), st.randoms(use_true_random=False))
def test_the_order_of_connections_in_a_genome_does_not_matter(graph: Graph, random: object) -> None:
    """A genome that is saved and read again may list them in another order."""
    shuffled = list(graph.edges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    genomes = to_batch([graph])
    reordered = to_batch([Graph(graph.outputs, graph.hidden, tuple(shuffled))], 20, 40)
    assert torch.equal(draw(reordered, "grey", (7, 9)), draw(genomes, "grey", (7, 9)))


def test_rendering_leaves_the_genomes_alone() -> None:
    encoding = build("cppn", "default")
    genomes = encoding.random(5, Rng(0))
    copy = genomes.take(np.arange(5))
    encoding.decode(genomes)
    for name, value in encoding.dump(genomes).items():
        np.testing.assert_array_equal(value, encoding.dump(copy)[name])
