"""The CPPN encoding as a whole: first genomes, mutation, rates, presets, slots."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from graphs import BIAS, DISTANCE, Graph, X, Y, to_batch
from hypothesis import given, settings
from hypothesis import strategies as st
from support import build, global_random_untouched

from evofool import encodings
from evofool.encodings import preset
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, CPPNBatch
from evofool.errors import GenomeError
from evofool.kernels.constants import EMPTY
from evofool.rng import Rng

STILL = {
    "weight_rate": 0.0,
    "activation_rate": 0.0,
    "add_connection": 0.0,
    "delete_connection": 0.0,
    "add_node": 0.0,
    "delete_node": 0.0,
}


def test_nguyen2015_is_the_paper_s() -> None:
    """Nguyen, Yosinski, Clune 2015 and their code; see REFERENCES.md."""
    expected = {
        "coordinates": "pixels",
        "colour": "hsl",
        "functions": ("sin", "sigmoid", "gauss", "linear"),
        "limit": 10.0,
        "start": 10.0,
        "step": "polynomial",
        "weight_rate": 0.1,
        "eta": 15.0,
        "activation_rate": 0.1,
        "add_connection": 0.5,
        "delete_connection": 0.3,
        "add_node": 0.5,
        "delete_node": 0.2,
    }
    assert expected.items() <= preset("cppn", "nguyen2015").items()
    assert build("cppn", "nguyen2015").crossover_rate == 0


@pytest.mark.parametrize("outputs", [1, 3])
def test_first_genomes_connect_all_inputs_to_all_outputs(outputs: int) -> None:
    encoding = build("cppn", "nguyen2015", (outputs, 8, 8))
    genomes = encoding.random(3000, Rng(0))
    genomes.check(outputs)
    assert (genomes.sizes() == 4 * outputs).all()
    assert ((genomes.activation != EMPTY).sum(1) == 4 + outputs).all()
    pairs = {tuple(pair) for pair in np.stack([genomes.source[5], genomes.sink[5]], 1).tolist() if pair[0] >= 0}
    assert pairs == {(a, 4 + b) for a in range(4) for b in range(outputs)}
    weights = genomes.weight[genomes.source != EMPTY]
    assert -10 <= weights.min() < -9.9
    assert 9.9 < weights.max() <= 10
    assert weights.std() == pytest.approx(10 / np.sqrt(3), rel=0.03)  # Uniform.
    shares = np.bincount(genomes.activation[:, 4], minlength=len(ACTIVATION_NAMES)) / 3000
    np.testing.assert_allclose(
        shares[[ACTIVATION_NAMES.index(n) for n in ("sin", "sigmoid", "gauss", "linear")]], 0.25, atol=0.04
    )
    assert shares[[ACTIVATION_NAMES.index("cos"), ACTIVATION_NAMES.index("wedge")]].tolist() == [0, 0]


def test_the_default_preset_starts_with_normal_weights_inside_the_limits() -> None:
    encoding = build("cppn", "default", start=4.0, limit=5.0)
    weights = encoding.random(3000, Rng(0)).weight[:, :12]
    assert np.abs(weights).max() == 5.0
    inside = np.abs(weights) < 5
    assert inside.mean() == pytest.approx(0.7887, abs=0.01)  # P(|N(0, 4)| < 5)


@pytest.mark.parametrize("name", ["default", "nguyen2015"])
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), nodes=st.integers(7, 14), connections=st.integers(12, 24))
def test_many_mutations_leave_good_graphs(name: str, seed: int, nodes: int, connections: int) -> None:
    """Few slots, so that genomes run full; frequent additions and deletions."""
    busy = {"add_connection": 0.8, "delete_connection": 0.4, "add_node": 0.8, "delete_node": 0.5}
    encoding = build("cppn", name, max_nodes=nodes, max_connections=connections, **busy)
    rng = Rng(seed)
    genomes = encoding.random(6, rng)
    inputs = genomes.activation[:, :4].copy(), genomes.position[:, :4].copy()
    for _ in range(20):
        parents = encoding.dump(genomes.take(np.arange(6)))
        children = encoding.mutate(genomes, rng)
        for field, value in encoding.dump(genomes).items():  # The parents are not touched.
            np.testing.assert_array_equal(value, parents[field])
        genomes = children
        genomes.check(3)
        assert genomes.activation.shape == (6, nodes)
        assert genomes.source.shape == (6, connections)
        assert np.abs(genomes.weight).max() <= encoding.settings()["limit"]
        assert (genomes.weight[genomes.source == EMPTY] == 0).all()
        assert (genomes.position[:, 4:7] == 1).all()
        np.testing.assert_array_equal(genomes.activation[:, :4], inputs[0])
        np.testing.assert_array_equal(genomes.position[:, :4], inputs[1])
        for row in range(6):
            pairs = [p for p in zip(genomes.source[row].tolist(), genomes.sink[row].tolist(), strict=True) if p[0] >= 0]
            assert len(set(pairs)) == len(pairs)


def test_genomes_grow_into_hidden_nodes_and_lose_them_again() -> None:
    encoding, rng = build("cppn", "nguyen2015"), Rng(1)
    genomes = encoding.random(50, rng)
    for _ in range(30):
        genomes = encoding.mutate(genomes, rng)
    hidden = (genomes.activation[:, 7:] != EMPTY).sum(1)
    assert 5 < hidden.mean() < 25
    shrink = build("cppn", "nguyen2015", **STILL | {"delete_node": 1.0})
    assert ((shrink.mutate(genomes, rng).activation[:, 7:] != EMPTY).sum(1) == np.maximum(hidden - 1, 0)).all()


def mutated_once(**rates: float) -> tuple[CPPNBatch, CPPNBatch]:
    """Return 4,000 parents (two hidden nodes, four connections) and their children by some operators alone."""
    encoding = build("cppn", "nguyen2015", (1, 8, 8), max_nodes=20, max_connections=40, **STILL | rates)
    edges = ((X, 5, 1.0), (5, 6, 2.0), (6, 4, 3.0), (Y, 4, -4.0))
    parents = encoding.resized(to_batch([Graph(("sin",), ("sin", "sin"), edges)])).take(np.zeros(4000, np.int64))
    return parents, encoding.mutate(parents, Rng(0))


def four_deviations(rate: float, n: int) -> float:
    return 4 * float(np.sqrt(rate * (1 - rate) / n))


def test_no_rates_no_change() -> None:
    parents, children = mutated_once()
    for field in ("activation", "position", "source", "sink", "weight"):
        np.testing.assert_array_equal(getattr(children, field), getattr(parents, field))


@pytest.mark.parametrize(
    ("operator", "rate", "change"),
    [("add_node", 0.5, 1), ("add_node", 0.05, 1), ("delete_connection", 0.3, -1)],
)
def test_structure_changes_at_the_rate_asked_for(operator: str, rate: float, change: int) -> None:
    parents, children = mutated_once(**{operator: rate})
    grown = children.sizes() - parents.sizes()
    assert set(grown.tolist()) == {0, change}
    assert (grown == change).mean() == pytest.approx(rate, abs=four_deviations(rate, 4000))


def test_nodes_are_deleted_at_the_rate_asked_for() -> None:
    _, children = mutated_once(delete_node=0.2)
    lost = 2 - (children.activation[:, 5:] != EMPTY).sum(1)
    assert lost.mean() == pytest.approx(0.2, abs=four_deviations(0.2, 4000))


def test_connections_are_added_at_the_rate_asked_for_where_pairs_are_free() -> None:
    """Of 7 × 3 draws (first, second node), 9 are free pairs drawn forwards, 4 more backwards; 4 attempts."""
    parents, children = mutated_once(add_connection=0.5)
    nodes, sinks = range(7), (4, 5, 6)
    order = {0: 0, 1: 0, 2: 0, 3: 0, 5: 1, 6: 2, 4: 3}
    taken = {(X, 5), (5, 6), (6, 4), (Y, 4)}
    draws = [(a, b) if order[a] < order[b] else (b, a) for a in nodes for b in sinks if order[a] != order[b]]
    hit = sum(pair not in taken for pair in draws) / 21
    expected = 0.5 * (1 - (1 - hit) ** 4)
    grown = children.sizes() - parents.sizes()
    assert grown.mean() == pytest.approx(expected, abs=four_deviations(expected, 4000))


@pytest.mark.parametrize("rate", [0.1, 0.6])
def test_weights_change_at_the_rate_asked_for(rate: float) -> None:
    parents, children = mutated_once(weight_rate=rate)
    changed = (children.weight != parents.weight)[:, :4].mean()
    assert changed == pytest.approx(rate, abs=four_deviations(rate, 16_000))


@pytest.mark.parametrize("rate", [0.1, 0.6])
def test_activations_are_drawn_anew_at_the_rate_asked_for(rate: float) -> None:
    """One draw in four is the old function again."""
    parents, children = mutated_once(activation_rate=rate)
    changed = (children.activation != parents.activation)[:, 4:7].mean()
    assert changed == pytest.approx(0.75 * rate, abs=four_deviations(0.75 * rate, 12_000))


@pytest.mark.parametrize("connections", [4, 60])
def test_slight_mutation_changes_as_much_of_a_large_genome_as_of_a_small_one(connections: int) -> None:
    """Four weights on average (of four: each), an activation in every fifth child, the graph in every fifth."""
    encoding = build("cppn", "default", (1, 8, 8))
    hidden = connections // 4 - 1
    edges = tuple((source, 5 + node, 1.0) for node in range(hidden) for source in (X, Y, DISTANCE, BIAS))
    ends = tuple((source, 4, 1.0) for source in (X, Y, DISTANCE, BIAS))
    graph = Graph(("sin",), ("gauss",) * hidden, edges + ends)
    parents = to_batch([graph] * 4000, 96, 256)
    with global_random_untouched():
        children = encoding.mutate_slightly(parents, Rng(1))
    children.check(1)
    same = (children.source == parents.source).all(1) & (children.sink == parents.sink).all(1)
    assert same.mean() == pytest.approx(0.8 + 0.2 * (1 - 0.2) ** 3 * (1 - 0.4) ** 3, abs=0.03)
    changed = (children.weight != parents.weight)[same].sum(1)
    assert changed.mean() == pytest.approx(4.0, abs=0.15)
    redrawn = (children.activation != parents.activation)[same].sum(1)
    assert redrawn.mean() == pytest.approx(0.2 * 0.75, abs=0.03)


@pytest.mark.parametrize("preset", ["default", "nguyen2015"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_many_slight_mutations_leave_good_graphs(preset: str, outputs: int) -> None:
    encoding, rng = build("cppn", preset, (outputs, 8, 8), max_nodes=12, max_connections=24), Rng(3)
    genomes = encoding.random(60, rng)
    for _ in range(40):
        genomes = encoding.mutate_slightly(genomes, rng)
        genomes.check(outputs)
    assert len(encoding.decode(genomes).flatten(1).unique(dim=0)) > 20


def test_slight_mutation_leaves_the_parents_and_what_has_no_connections_alone() -> None:
    encoding = build("cppn", "default", (1, 8, 8), **(STILL | {"rounds": 1}))
    parents = to_batch([Graph(("sin",), (), ())] * 50, 12, 20)
    before = encoding.dump(parents)
    children = encoding.mutate_slightly(parents, Rng(0))
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(parents, name), array)
    assert (children.sizes() == 0).all()


def test_genomes_fit_more_slots_and_look_the_same() -> None:
    small = build("cppn", "default", max_nodes=12, max_connections=20)
    large = build("cppn", "default", max_nodes=40, max_connections=60)
    rng = Rng(5)
    genomes = small.mutate(small.mutate(small.random(10, rng), rng), rng)
    grown = large.resized(genomes)
    assert grown.activation.shape == (10, 40)
    assert grown.source.shape == (10, 60)
    assert (large.decode(grown) == small.decode(genomes)).all()


def test_genomes_that_fit_fewer_slots_are_moved_there_and_look_the_same() -> None:
    """Which slots a genome happens to use does not count, only how many."""
    edges = ((X, 5, 1.5), (DISTANCE, 5, -2.0), (5, 6, 3.0), (BIAS, 4, 0.4), (6, 4, 1.0))
    genomes = to_batch([Graph(("sin",), ("cos", "gauss"), edges)], 30, 30)
    spread = genomes.take(np.array([0]))
    moved_to = np.arange(-1, 30)  # Indexed by slot + 1, so that EMPTY stays EMPTY.
    moved_to[[5 + 1, 6 + 1]] = 21, 29
    for name in ("activation", "position"):
        values = getattr(spread, name)[0]
        values[[21, 29]] = values[[5, 6]]
    spread.activation[0, [5, 6]] = EMPTY
    for name in ("source", "sink"):
        getattr(spread, name)[0] = np.roll(moved_to[getattr(genomes, name)[0] + 1], 17)
    spread.weight[0] = np.roll(genomes.weight[0], 17)
    spread.check(1)

    encoding = build("cppn", "default", (1, 8, 8), max_nodes=7, max_connections=5)
    moved = encoding.resized(spread)
    moved.check(1)
    assert moved.activation.shape == (1, 7)
    assert moved.source.shape == (1, 5)
    assert (encoding.decode(moved) == encoding.decode(spread)).all()
    assert (encoding.decode(moved) == encoding.decode(genomes)).all()


@pytest.mark.parametrize(("nodes", "connections"), [(6, 40), (20, 4)])
def test_genomes_that_do_not_fit_are_refused(nodes: int, connections: int) -> None:
    edges = ((X, 5, 1.0), (5, 6, 2.0), (6, 4, 3.0), (Y, 4, -4.0), (BIAS, 4, 5.0))
    genomes = to_batch([Graph(("sin",), ("sin", "sin"), edges)], 20, 40)
    encoding = build("cppn", "default", (1, 8, 8), max_nodes=nodes, max_connections=connections)
    with pytest.raises(GenomeError, match=f"has 7 nodes and 5 connections.*at most {nodes} and {connections}"):
        encoding.resized(genomes)


def test_pictures_for_apple_s_gpu_are_drawn_on_the_processor() -> None:
    assert encodings.build("cppn", preset("cppn", "default"), (3, 8, 8), "mps").device == torch.device("cpu")
