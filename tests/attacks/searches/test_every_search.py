"""What every search for pixel edits promises, over the whole registry."""

from __future__ import annotations

import re
import time
import tracemalloc

import numpy as np
import pytest
from searching import Margins, Shape, best, equal, planted, problem, rugged, run, search
from support import global_random_untouched

from evofool.attacks.searches.registry import DEFAULT, PRESETS, STRATEGIES, find_strategy
from evofool.encodings.pixels import Pixels
from evofool.errors import ConfigError

SHAPES = [(3, 8, 8), (1, 8, 8), (3, 4, 9), (1, 9, 4)]
DRAWS_NOTHING = ("local", "corners")
BLIND = [("corners", 1), ("sparse-rs", 1)]
KS = (1, 2, 5)


def contests(*ks: int) -> list[tuple[str, int]]:
    """Every strategy with every number of pixels that it takes."""
    return [(name, k) for name in STRATEGIES for k in ks if name != "corners" or k == 1]


def assert_valid(edits: np.ndarray, space: Pixels) -> None:
    """(N, k, 2 + C) int16 in range, with distinct positions."""
    assert edits.dtype == np.int16
    assert edits.shape == (len(edits), space.k, 2 + space.channels)
    assert edits.min(initial=0) >= 0
    assert edits[..., 0].max(initial=0) < space.width
    assert edits[..., 1].max(initial=0) < space.height
    assert edits[..., 2:].max(initial=0) < 256
    positions = np.sort(edits[..., 1].astype(int) * space.width + edits[..., 0], axis=1)
    assert (np.diff(positions, axis=1) > 0).all()


@pytest.mark.parametrize("margins", [rugged, equal])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "k"), contests(*KS))
def test_candidates_are_edits_in_range_at_distinct_positions(name: str, k: int, shape: Shape, margins: Margins) -> None:
    space, generations = Pixels(shape, k), 0
    given = problem(name, shape, k)
    image = given.image.copy()
    with global_random_untouched():
        for edits, _ in run(STRATEGIES[name].search(given), margins, generations=12):
            assert_valid(edits, space)
            generations += 1
    assert generations > 0
    np.testing.assert_array_equal(given.image, image)


@pytest.mark.parametrize(("name", "k"), contests(*KS))
def test_the_same_seed_and_scores_are_the_same_candidates(name: str, k: int) -> None:
    first, second, other = (
        [edits for edits, _ in run(search(name, (3, 6, 7), k, seed), rugged, generations=15)] for seed in (4, 4, 5)
    )
    assert len(first) == len(second)
    for before, after in zip(first, second, strict=True):
        np.testing.assert_array_equal(before, after)
    same = len(first) == len(other) and all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert same == (k == 1 and name in DRAWS_NOTHING)


@pytest.mark.parametrize(
    ("name", "k"), [(name, k) for name, k in contests(1, 2) if name != "random" and (name, k) not in BLIND]
)
def test_scores_lead_the_search(name: str, k: int) -> None:
    def against(edits: np.ndarray) -> np.ndarray:
        return -rugged(edits)

    first, second = (
        np.concatenate([edits for edits, _ in run(search(name, (3, 8, 8), k), margins, generations=12)])
        for margins in (rugged, against)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("name", "k"), [(name, 1) for name in STRATEGIES] + [("local", 2)])
def test_a_single_pixel_picture_or_two_are_no_trouble(name: str, k: int) -> None:
    space = Pixels((1, 1, k), k)
    for edits, _ in run(search(name, (1, 1, k), k), equal, generations=60):
        assert_valid(edits, space)


@pytest.mark.parametrize(("name", "k"), contests(11, 12))
def test_nearly_all_pixels_may_be_edited(name: str, k: int) -> None:
    space = Pixels((1, 3, 4), k)
    for edits, _ in run(search(name, (1, 3, 4), k), rugged, generations=25):
        assert_valid(edits, space)


@pytest.mark.parametrize(("name", "k"), contests(1, 5))
def test_a_large_picture_costs_little(name: str, k: int) -> None:
    shape = (3, 224, 224)
    tracemalloc.start()
    begun = time.perf_counter()
    for _ in run(search(name, shape, k), equal, generations=4):
        pass
    took = time.perf_counter() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 5
    assert peak < 100 * 2**20


PLANTS = np.array([[13, 2, 255, 0, 255], [4, 9, 0, 255, 0], [8, 15, 255, 255, 0]])
SHAPE = (3, 16, 16)


@pytest.mark.parametrize(
    ("name", "k", "queries", "within"),
    [
        ("local", 1, 400, 0.0),
        ("rand1", 1, 3_000, 1.0),
        ("best1bin", 1, 2_000, 0.0),
        ("corners", 1, 2_048, 0.0),
        ("sparse-rs", 1, 2_000, 0.6),
        ("su2019", 1, 4_000, 1.0),
        ("hyperparticle", 1, 4_000, 0.6),
        ("local", 3, 1_500, 0.2),
        ("rand1", 3, 3_000, 1.5),
        ("best1bin", 3, 3_000, 1.1),
        ("sparse-rs", 3, 2_000, 0.6),
        ("su2019", 3, 6_000, 1.8),
        ("hyperparticle", 3, 8_000, 2.2),
    ],
)
def test_what_is_planted_is_found_and_not_by_chance(name: str, k: int, queries: int, within: float) -> None:
    margins = planted(SHAPE, PLANTS[:k])
    lowest = [best(search(name, SHAPE, k, seed, budget=queries), margins, queries) for seed in range(3)]
    chance = [best(search("random", SHAPE, k, seed), margins, queries) for seed in range(3)]
    assert np.median(lowest) <= within
    assert max(lowest) < min(chance)


def test_evolution_finds_a_colour_within_the_cube_too() -> None:
    margins = planted(SHAPE, np.array([[3, 11, 200, 70, 31]]))
    assert best(search("best1bin", SHAPE), margins, 3_000) < 0.1
    assert best(search("rand1", SHAPE), margins, 6_000) < 0.3


def test_random_edits_are_the_space_s_own() -> None:
    given = problem("random", SHAPE, 3, seed=8)
    edits = STRATEGIES["random"].search(given).ask()
    np.testing.assert_array_equal(edits, given.space.random(len(edits), np.random.default_rng(8)))


def test_an_operator_that_was_swapped_is_used() -> None:
    given = problem("random", SHAPE, 1)
    given.toolbox.register("random", lambda n, rng: np.full((n, 1, 5), 7, np.int16))
    assert (STRATEGIES["random"].search(given).ask() == 7).all()


def test_strategies_are_found_under_their_names() -> None:
    assert all(name == strategy.name for name, strategy in STRATEGIES.items())
    assert DEFAULT in STRATEGIES
    assert set(PRESETS) < set(STRATEGIES)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_is_found_by_its_name(name: str) -> None:
    assert find_strategy(name) is STRATEGIES[name]


def test_de_is_best1bin() -> None:
    assert find_strategy("de") is STRATEGIES["best1bin"]


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("lokal", "local"),
        ("best1", "best1bin"),
        ("corner", "corners"),
        ("sparsers", "sparse-rs"),
        ("SU2019", "su2019"),
        ("rnd1", "rand1"),
    ],
)
def test_a_misspelt_strategy_gets_a_suggestion(misspelt: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=rf'unknown strategy "{misspelt}" \(did you mean .*"{meant}"'):
        find_strategy(misspelt)


@pytest.mark.parametrize("name", ["", "simulated annealing"])
def test_an_unknown_strategy_lists_all(name: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f'unknown strategy "{name}"; choose de, local, ')) as raised:
        find_strategy(name)
    assert all(choice in str(raised.value) for choice in STRATEGIES)


@pytest.mark.parametrize(
    ("name", "shape", "queries"),
    [
        ("corners", (3, 32, 32), 8_192),
        ("corners", (1, 28, 20), 1_120),
        ("su2019", (3, 32, 32), 40_400),
        ("hyperparticle", (1, 8, 8), 30_400),
        ("local", (3, 32, 32), 2_000),
        ("best1bin", (3, 32, 32), 10_000),
        ("sparse-rs", (3, 32, 32), 10_000),
        ("random", (3, 32, 32), 10_000),
    ],
)
def test_the_budget_is_what_is_documented(name: str, shape: Shape, queries: int) -> None:
    assert STRATEGIES[name].budget(Pixels(shape, 1)) == queries


@pytest.mark.parametrize("name", ["corners", "su2019", "hyperparticle"])
def test_a_strategy_that_ends_by_itself_asks_for_its_whole_budget(name: str) -> None:
    strategy, space = STRATEGIES[name], Pixels((1, 9, 7), 1)
    used = search(name, (1, 9, 7))
    assert sum(len(edits) for edits, _ in run(used, rugged)) == strategy.budget(space)
    assert_valid(used.ask(), space)
    assert len(used.ask()) == 0
