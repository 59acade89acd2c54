"""Differential evolution: its operators against plain loops, and one-to-one selection."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from deap.base import Toolbox
from hypothesis import given
from hypothesis import strategies as st
from searching import Shape, problem, rugged, run

from evofool.attacks.searches import presets
from evofool.attacks.searches.base import Feedback, Problem
from evofool.attacks.searches.differential_evolution import (
    DESettings,
    DifferentialEvolution,
    best1,
    binomial,
    clipped,
    distinct_others,
    latin_hypercube,
    no_worse,
    normal_colours,
    rand1,
    uniform,
    upper_bounds,
)
from evofool.attacks.searches.registry import STRATEGIES
from evofool.encodings.pixels import Pixels

PLAIN = DESettings(population=12, mutation="rand1", weight=(0.5, 0.5), crossover=1.0)
SPACE = Pixels((3, 6, 9), 2)
seeds = st.integers(0, 2**32 - 1)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def problem_for(settings: DESettings, shape: Shape = (3, 6, 9), k: int = 2, seed: int = 0) -> Problem:
    """Return what an evolution with these settings is given."""
    usual = problem("rand1", shape, k, seed)
    toolbox = Toolbox()
    settings.wire(toolbox, usual.space)
    return replace(usual, toolbox=toolbox)


def evolution(settings: DESettings, *arguments: Any, **options: Any) -> DifferentialEvolution:
    return DifferentialEvolution(problem_for(settings, *arguments, **options), settings)


@given(st.integers(4, 30), st.integers(1, 3), seeds)
def test_others_are_distinct_from_each_other_and_from_the_row(n: int, count: int, seed: int) -> None:
    picked = distinct_others(n, count, generator(seed))
    assert len(picked) == count
    for row in range(n):
        indices = [int(column[row]) for column in picked]
        assert len({row, *indices}) == count + 1
        assert all(0 <= index < n for index in indices)


def test_all_others_are_as_likely() -> None:
    rng, rounds = generator(), 2_000
    drawn = Counter(
        (row, *(int(column[row]) for column in picked))
        for picked in (distinct_others(4, 3, rng) for _ in range(rounds))
        for row in range(4)
    )
    assert len(drawn) == 24  # each row has 3! orders of the other three
    share = rounds / 6
    assert max(abs(count - share) for count in drawn.values()) < 5 * np.sqrt(share)


def put_inside(value: float, top: float) -> float:
    return min(max(value, 0.0), float(np.nextafter(top, 0)))


@given(seeds)
def test_rand1_is_the_plain_loop(seed: int) -> None:
    genes = uniform(12, generator(seed), space=SPACE)
    mutants = rand1(genes, 5, generator(seed + 1), space=SPACE, settings=PLAIN)
    a, b, c = distinct_others(12, 3, generator(seed + 1))
    top = [9, 6, 256, 256, 256]
    for row in range(12):
        for slot in range(2):
            for gene in range(5):
                value = genes[a[row], slot, gene] + 0.5 * (genes[b[row], slot, gene] - genes[c[row], slot, gene])
                assert mutants[row, slot, gene] == pytest.approx(put_inside(value, top[gene]), rel=1e-12)


@given(seeds, st.integers(0, 11))
def test_best1_is_the_plain_loop_with_one_weight_a_generation(seed: int, best: int) -> None:
    settings = replace(PLAIN, mutation="best1", weight=(0.5, 1.0))
    genes = uniform(12, generator(seed), space=SPACE)
    mutants = best1(genes, best, generator(seed + 1), space=SPACE, settings=settings)
    rng = generator(seed + 1)
    b, c = distinct_others(12, 2, rng)
    weight = rng.uniform(0.5, 1.0)
    top = [9, 6, 256, 256, 256]
    for row in range(12):
        for slot in range(2):
            for gene in range(5):
                value = genes[best, slot, gene] + weight * (genes[b[row], slot, gene] - genes[c[row], slot, gene])
                assert mutants[row, slot, gene] == pytest.approx(put_inside(value, top[gene]), rel=1e-12)


def test_the_weight_is_drawn_anew_between_its_bounds() -> None:
    settings = replace(PLAIN, mutation="best1", weight=(0.5, 1.0))
    genes = np.full((4, 1, 5), 2.0)
    genes[:, 0, 2] = [100, 101, 102, 103]
    space, weights, rng = Pixels((3, 6, 9), 1), set(), generator()
    for _ in range(200):
        mutants = best1(genes, 0, rng, space=space, settings=settings)[:, 0, 2] - 100
        steps = np.abs(mutants)  # F times 1, 2 or 3
        drawn = {round(float(step / whole), 9) for step in steps for whole in (1, 2, 3) if 0.5 <= step / whole <= 1}
        weights |= drawn
        assert ((steps >= 0.5) & (steps <= 3)).all()
    assert len(weights) > 100


@given(seeds, st.sampled_from(["rand1", "best1"]))
def test_redrawing_keeps_what_is_inside_and_draws_the_rest(seed: int, mutation: Any) -> None:
    operator = {"rand1": rand1, "best1": best1}[mutation]
    settings = replace(PLAIN, mutation=mutation, weight=(0.9, 0.9), outside="redraw")
    genes = uniform(12, generator(seed), space=SPACE)
    mutants = operator(genes, 3, generator(seed + 1), space=SPACE, settings=settings)
    picked = distinct_others(12, 3 if mutation == "rand1" else 2, generator(seed + 1))
    base = genes[picked[0]] if mutation == "rand1" else genes[3]
    raw = base + 0.9 * (genes[picked[-2]] - genes[picked[-1]])
    inside = (raw >= 0) & (raw < upper_bounds(SPACE))
    np.testing.assert_allclose(mutants[inside], raw[inside])
    assert (mutants >= 0).all()
    assert (mutants < upper_bounds(SPACE)).all()
    redrawn = mutants[~inside]
    assert len(set(redrawn.tolist())) == len(redrawn)  # each anew, none on a bound


def test_redrawn_genes_are_uniform() -> None:
    settings = replace(PLAIN, weight=(2.0, 2.0), outside="redraw")
    space, shares = Pixels((1, 4, 4), 1), []
    genes = np.zeros((40, 1, 3))
    genes[::2] = upper_bounds(space) - 1e-9
    for seed in range(40):
        mutants = rand1(genes, 0, generator(seed), space=space, settings=settings)
        shares.append((mutants / upper_bounds(space)).ravel())
    drawn = np.concatenate(shares)
    drawn = drawn[(drawn > 1e-6) & (drawn < 1 - 1e-6)]
    assert len(drawn) > 1_000
    assert np.abs(np.histogram(drawn, 4, (0, 1))[0] / len(drawn) - 0.25).max() < 0.05


@given(st.tuples(st.sampled_from([1, 3]), st.integers(1, 50), st.integers(1, 50)))
def test_clipping_reaches_the_last_row_column_and_255_and_no_more(shape: Shape) -> None:
    space = Pixels(shape, 1)
    channels, height, width = shape
    genes = np.array(
        [[[-1e9] * space.genes], [[1e9] * space.genes], [upper_bounds(space)], [upper_bounds(space) - 0.5]]
    )
    whole = np.floor(clipped(genes, space))[:, 0].astype(int).tolist()
    last = [width - 1, height - 1, *[255] * channels]
    assert whole == [[0] * space.genes, last, last, last]


@pytest.mark.parametrize("start", [uniform, normal_colours, latin_hypercube])
def test_every_value_is_reached_from_the_start(start: Any) -> None:
    space = Pixels((3, 5, 7), 2)
    genes = start(4_000, generator(), space=space)
    assert genes.shape == (4_000, 2, 5)
    whole = np.floor(genes).astype(int)
    for gene, top in enumerate((7, 5, 256, 256, 256)):
        for slot in range(2):
            assert set(whole[:, slot, gene].tolist()) == set(range(top))
    positions = np.bincount((whole[..., 1] * 7 + whole[..., 0]).ravel(), minlength=35)
    assert positions.min() > 0.7 * positions.mean()


def test_normal_colours_are_those_of_su_et_al() -> None:
    colours = np.floor(normal_colours(20_000, generator(), space=Pixels((1, 8, 8), 1))[..., 2])
    assert np.mean(colours == 0) == pytest.approx(0.158, abs=0.012)  # P(N(128, 127) < 1), cut off at the bounds
    assert np.mean(colours == 255) == pytest.approx(0.159, abs=0.012)
    assert np.mean(np.abs(colours - 128) < 127) == pytest.approx(0.68, abs=0.02)
    assert np.median(colours) == pytest.approx(128, abs=3)


@given(st.integers(2, 60), seeds)
def test_a_latin_hypercube_has_one_genome_in_each_stratum(n: int, seed: int) -> None:
    genes = latin_hypercube(n, generator(seed), space=SPACE)
    strata = np.floor(genes / upper_bounds(SPACE) * n + 1e-9).astype(int).reshape(n, -1)
    for gene in range(strata.shape[1]):
        assert sorted(strata[:, gene].tolist()) == list(range(n))
    if n > 20:
        assert len({tuple(column) for column in strata.T.tolist()}) == strata.shape[1]  # each gene shuffled by itself


@given(seeds, st.floats(1e-12, 1.0))
def test_binomial_crossover_takes_one_gene_of_the_mutant_at_least(seed: int, rate: float) -> None:
    genes, mutants = np.zeros((30, 2, 5)), np.ones((30, 2, 5))
    children = binomial(genes, mutants, generator(seed), rate=rate)
    taken = children.reshape(30, -1).sum(1)
    assert taken.min() >= 1
    if rate == 1:
        assert taken.min() == 10
    if rate < 1e-6:
        assert taken.max() == 1
    assert (genes == 0).all()
    assert (mutants == 1).all()


def test_binomial_crossover_takes_its_share_of_every_gene() -> None:
    children = binomial(np.zeros((8_000, 2, 5)), np.ones((8_000, 2, 5)), generator(), rate=0.3)
    shares = children.mean(0)  # 0.3 by chance, and one in ten of the rest always
    np.testing.assert_allclose(shares, 0.3 + 0.7 / 10, atol=0.03)


def test_no_worse_takes_ties() -> None:
    old, new = np.array([1, 1, 1], np.float32), np.array([0, 1, 2], np.float32)
    assert no_worse(old, new).tolist() == [True, True, False]


SETTINGS = {
    "rand1": PLAIN,
    "best1": replace(PLAIN, mutation="best1", weight=(0.5, 1.0), crossover=0.6),
    "redraw": replace(PLAIN, start="latin", outside="redraw"),
    "normal": replace(PLAIN, start="normal", objective="fitness"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_trial_competes_with_the_parent_of_its_index(name: str) -> None:
    search, rng = evolution(SETTINGS[name]), generator(7)
    population: list[np.ndarray] = []
    values: list[float] = []
    for turn in range(25):
        edits = search.ask()
        trials = search.trials.copy()
        np.testing.assert_array_equal(np.floor(trials), edits)  # what is scored is the genome
        margin, fitness = rng.integers(0, 6, (2, 12)).astype(np.float32)
        search.tell(edits, Feedback(margin, fitness))
        scores = fitness if name == "normal" else margin
        if turn == 0:
            population, values = list(trials), scores.tolist()
        for row in range(12):
            if scores[row] <= values[row]:
                population[row], values[row] = trials[row], float(scores[row])
        assert search.genes is not None
        np.testing.assert_array_equal(search.genes, np.stack(population))
        assert search.values.tolist() == values


def test_the_feedback_s_arrays_are_left_alone() -> None:
    search = evolution(PLAIN)
    first = np.arange(12, dtype=np.float32)
    edits = search.ask()
    search.tell(edits, Feedback(first, first))
    search.tell(search.ask(), Feedback(first - 5, first - 5))
    assert first.tolist() == list(range(12))


def test_the_best_so_far_leads() -> None:
    given = problem_for(replace(PLAIN, mutation="best1"))
    led: list[int] = []

    def watched(genes: np.ndarray, best: int, rng: np.random.Generator) -> np.ndarray:
        led.append(best)
        return genes

    given.toolbox.register("mutate", watched)
    search = DifferentialEvolution(given, PLAIN)
    lowest, expected = np.full(12, np.inf), []
    for edits, values in run(search, lambda edits: generator(len(expected)).random(len(edits)).astype(np.float32), 20):
        assert len(edits) == 12
        lowest = np.minimum(lowest, values)
        expected.append(int(lowest.argmin()))
    assert led == expected[:-1]
    assert len(set(led)) > 1


@pytest.mark.parametrize("name", ["random", "mutate", "mate", "select"])
def test_every_operator_is_the_toolbox_s(name: str) -> None:
    given = problem_for(PLAIN)
    usual, called = getattr(given.toolbox, name), []

    def watched(*arguments: Any) -> Any:
        called.append(name)
        return usual(*arguments)

    given.toolbox.register(name, watched)
    for _ in run(DifferentialEvolution(given, PLAIN), rugged, generations=4):
        pass
    assert len(called) == (1 if name == "random" else 3)


@pytest.mark.parametrize("k", [2, 5, 8])
def test_a_position_that_was_moved_is_the_genome_s(k: int) -> None:
    search = evolution(PLAIN, (1, 3, 3), k)
    for edits, _ in run(search, rugged, generations=15):
        np.testing.assert_array_equal(np.floor(search.trials), edits)
        assert (search.trials >= 0).all()
        assert (search.trials < upper_bounds(search.space)).all()
        for genome in edits.tolist():
            assert len({(x, y) for x, y, _ in genome}) == k


@pytest.mark.parametrize("generations", [0, 1, 3])
def test_it_ends_after_its_generations(generations: int) -> None:
    search = evolution(replace(PLAIN, generations=generations))
    assert len(list(run(search, rugged))) == generations + 1
    assert search.ask().shape == (0, 2, 5)
    assert search.ask().dtype == np.int16


def test_without_a_limit_it_goes_on() -> None:
    assert len(list(run(evolution(PLAIN), rugged, generations=300))) == 300


def test_su2019_is_what_its_publication_says() -> None:
    expected = DESettings(
        population=400,
        mutation="rand1",
        weight=(0.5, 0.5),
        crossover=1.0,
        start="normal",
        outside="clip",
        objective="fitness",
        generations=100,
    )
    assert expected == presets.SU2019
    assert STRATEGIES["su2019"].stop_fitness == 0.1


def test_hyperparticle_is_what_its_publication_says() -> None:
    expected = DESettings(
        population=400,
        mutation="best1",
        weight=(0.5, 1.0),
        crossover=1.0,
        start="latin",
        outside="redraw",
        objective="fitness",
        generations=75,
    )
    assert expected == presets.HYPERPARTICLE
    assert STRATEGIES["hyperparticle"].stop_fitness is None


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("rand1", presets.RAND1),
        ("best1bin", presets.BEST1BIN),
        ("su2019", presets.SU2019),
        ("hyperparticle", presets.HYPERPARTICLE),
    ],
)
def test_a_strategy_runs_with_its_settings(name: str, settings: DESettings) -> None:
    search = STRATEGIES[name].search(problem(name))
    assert isinstance(search, DifferentialEvolution)
    assert search.settings == settings
