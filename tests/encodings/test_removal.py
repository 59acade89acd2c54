"""CPPNs without some of their nodes, and without repeats; held to the slow renderer of the tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from graphs import BIAS, DISTANCE, Graph, X, Y, to_batch

from evofool.encodings.cppn.batch import CPPNBatch
from evofool.encodings.cppn.coordinates import pixel_coordinates
from evofool.encodings.cppn.removal import (
    arguments,
    needed_nodes,
    repeating_nodes,
    with_one_period,
    without_nodes,
)
from evofool.encodings.cppn.render import render

SIZE = (24, 24)
COORDINATES = pixel_coordinates(SIZE, SIZE, "unit", torch.device("cpu"))

OUT, FIRST, SECOND, IDLE = 4, 5, 6, 7
GREY = Graph(
    ("linear",),
    ("gauss", "sin", "cos"),
    ((X, FIRST, 2.0), (Y, SECOND, 9.0), (FIRST, OUT, 1.5), (SECOND, OUT, -0.8), (BIAS, OUT, 0.4), (X, IDLE, 1.0)),
)
"""|linear(1.5 gauss(2x) − 0.8 sin(9y) + 0.4)|, and a node that nothing reads."""


def drawn(batch: CPPNBatch, colour: str = "grey") -> np.ndarray:
    return render(batch, COORDINATES, colour, SIZE).numpy()


def bytes_of(values: np.ndarray) -> np.ndarray:
    """What grey outputs become."""
    return (np.abs(values) * 255).round().reshape(SIZE)


def linear(v: np.ndarray) -> np.ndarray:
    return np.clip(v, -3, 3) / 3


x, y, distance, bias = (row.numpy().astype(np.float64) for row in COORDINATES)


def test_nodes_that_reach_no_output_are_left_alone() -> None:
    assert needed_nodes(to_batch([GREY]), 1) == [X, Y, BIAS, OUT, FIRST, SECOND]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], linear(1.5 * np.exp(-((2 * x) ** 2)) - 0.8 * np.sin(9 * y) + 0.4)),
        ([FIRST], linear(-0.8 * np.sin(9 * y) + 0.4)),
        ([SECOND, BIAS], linear(1.5 * np.exp(-((2 * x) ** 2)))),
        ([X], linear(1.5 * np.ones_like(x) - 0.8 * np.sin(9 * y) + 0.4)),  # gauss(0) is 1
        ([FIRST, SECOND], linear(0.4 * np.ones_like(x))),
        ([OUT], np.zeros_like(x)),
        ([IDLE, DISTANCE], linear(1.5 * np.exp(-((2 * x) ** 2)) - 0.8 * np.sin(9 * y) + 0.4)),
    ],
)
def test_a_node_that_is_removed_gives_nothing(nodes: list[int], expected: np.ndarray) -> None:
    batch = without_nodes(to_batch([GREY]), 1, [[FIRST], nodes])
    assert np.abs(drawn(batch)[1, 0].astype(float) - bytes_of(expected)).max() <= 1


def test_an_output_that_is_removed_is_a_channel_of_nothing_whatever_its_activation() -> None:
    colours = Graph(("cos", "wedge", "gauss"), (), ((X, 4, 1.0), (Y, 5, 1.0), (DISTANCE, 6, 1.0)))
    genome = to_batch([colours])
    whole = drawn(genome, "rgb")[0]
    for output, picture in zip((4, 5, 6), drawn(without_nodes(genome, 3, [[4], [5], [6]]), "rgb"), strict=True):
        assert (picture[output - 4] == 128).all()  # (0 + 1) / 2
        others = [channel for channel in range(3) if channel != output - 4]
        assert (picture[others] == whole[others]).all()


def test_the_genome_itself_stays_as_it_is() -> None:
    genome, before = to_batch([GREY]), to_batch([GREY])
    without_nodes(genome, 1, [[FIRST], [OUT]])
    with_one_period(genome, [{SECOND: 0.0}])
    assert all((one == other).all() for one, other in zip(genome.graphs(), before.graphs(), strict=True))


def test_arguments_are_what_activations_are_given() -> None:
    sums = arguments(to_batch([GREY]), COORDINATES)
    np.testing.assert_allclose(sums[FIRST], 2 * x, atol=1e-5)
    np.testing.assert_allclose(sums[SECOND], 9 * y, atol=1e-5)
    np.testing.assert_allclose(sums[OUT], 1.5 * np.exp(-((2 * x) ** 2)) - 0.8 * np.sin(9 * y) + 0.4, atol=1e-5)


def test_only_periodic_nodes_that_go_through_more_than_a_period_repeat() -> None:
    several = Graph(
        ("linear",),
        ("sin", "cos", "gauss", "sin", "sin"),
        (
            (X, 5, 9.0), (Y, 6, 2.0), (X, 7, 30.0), (X, 8, 30.0), (Y, 9, 7.0),
            *((node, OUT, 0.2) for node in (5, 6, 7, 9)),  # Nothing reads 8.
        ),
    )  # fmt: skip
    genome = to_batch([several])
    found = repeating_nodes(genome, 1, arguments(genome, COORDINATES))
    span = float(np.ptp(x))
    assert found == {5: pytest.approx(9 * span / (2 * math.pi)), 9: pytest.approx(7 * span / (2 * math.pi))}


@pytest.mark.parametrize(("activation", "function"), [("sin", np.sin), ("cos", np.cos)])
@pytest.mark.parametrize("centre", [0.0, 2.5, -7.0])
def test_one_period_stays_and_is_the_same_as_before(activation: str, function: object, centre: float) -> None:
    graph = Graph(("linear",), (activation,), ((X, FIRST, 14.0), (BIAS, FIRST, 0.7), (FIRST, OUT, 2.0)))
    genome = to_batch([graph])
    whole, alone = drawn(genome)[0, 0], drawn(with_one_period(genome, [{FIRST: centre}]))[0, 0]
    argument = 14 * x + 0.7
    kept = (np.abs(argument - centre) < math.pi).reshape(SIZE)
    assert np.abs(whole[kept].astype(int) - alone[kept]).max(initial=0) <= 1
    clamped = centre + np.clip(argument - centre, -math.pi, math.pi)
    assert np.abs(alone - bytes_of(linear(2 * function(clamped)))).max() <= 1  # type: ignore[operator]


def test_an_output_that_repeats_and_several_nodes_at_once_keep_one_period_each() -> None:
    graph = Graph(("sin",), ("cos",), ((X, FIRST, 12.0), (FIRST, OUT, 1.5), (Y, OUT, 11.0)))
    genome = to_batch([graph])
    both = with_one_period(genome, [{OUT: 0.0}, {FIRST: 1.0, OUT: 0.5}])
    inner = np.cos(1.0 + np.clip(12 * x - 1.0, -math.pi, math.pi))
    outer = np.sin(0.5 + np.clip(1.5 * inner + 11 * y - 0.5, -math.pi, math.pi))
    assert np.abs(drawn(both)[1, 0] - bytes_of(outer)).max() <= 1
