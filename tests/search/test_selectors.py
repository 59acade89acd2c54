"""Selectors: who becomes a parent, how often."""

from __future__ import annotations

import numpy as np
import pytest
from support import global_random_untouched

from evofool.errors import ConfigError
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.selectors import (
    SELECTORS,
    UNIFORM_SHARE,
    UNSURE_UNIFORM_SHARE,
    WEAKEST_SHARE,
    selector_named,
    sure_level,
)

DRAWS = 100_000


def archive(confidence: list[float], generation: list[int]) -> Archive:
    made = Archive(np.arange(len(confidence)), len(confidence))
    made.confidence[:] = confidence
    made.generation[:] = made.evaluation_id[:] = generation
    return made


def shares(name: str, elites: Archive, at_once: int) -> np.ndarray:
    """How often each niche is a parent, of many draws with ``at_once`` children a generation."""
    rng = Rng(0)
    drawn = [selector_named(name)(elites, at_once, rng) for _ in range(DRAWS // at_once)]
    assert all(niches.shape == (at_once,) and niches.dtype == np.int64 for niches in drawn)
    return np.bincount(np.concatenate(drawn), minlength=len(elites)) / (DRAWS // at_once * at_once)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    deviation = np.sqrt(expected * (1 - expected) / DRAWS)
    assert (np.abs(found - expected) <= 5 * deviation + 1e-9).all(), (found, expected)


def test_uniform_draws_every_niche_alike() -> None:
    close(shares("uniform", archive([0.1, 0.9, 1.0, 0.2], [9, 1, 3, 4]), 10), np.full(4, 0.25))


@pytest.mark.parametrize("at_once", [1, 2, 4, 50])
def test_fresh_draws_new_elites(at_once: int) -> None:
    """A chance of exp(−age · children / niches), or of exp(−age) where there are fewer niches than children."""
    ages = np.array([0, 1, 5, 40])
    weights = np.exp(-ages * min(1.0, at_once / 4))
    close(
        shares("fresh", archive([0.5] * 4, (50 - ages).tolist()), at_once),
        (1 - UNIFORM_SHARE) * weights / weights.sum() + UNIFORM_SHARE / 4,
    )


def test_weak_draws_niches_that_are_not_sure() -> None:
    expected = np.array([0.5, 0.0, 0.0, 0.5]) * (1 - UNIFORM_SHARE) + UNIFORM_SHARE / 4
    close(shares("weak", archive([0.1, 0.99, 1.0, 0.98], [1] * 4), 10), expected)


@pytest.mark.parametrize("name", ["unsure", "weak"])
def test_all_are_drawn_alike_once_none_is_weak(name: str) -> None:
    close(shares(name, archive([0.999999, 1.0], [1, 2]), 10), np.full(2, 0.5))


@pytest.mark.parametrize(
    ("confidence", "level"),
    [
        ([0.2, 1.0], 0.99),
        ([0.98, 0.995], 0.99),
        ([-1.0, 1.0], 0.99),
        ([0.99, 1.0], 0.999),
        ([0.9999, 0.999], 0.9999),
        ([0.99999, 1.0], 0.999999),
        ([1.0, 1.0], 0.999999),
    ],
)
def test_sure_is_the_first_nine_that_not_all_have(confidence: list[float], level: float) -> None:
    assert sure_level(np.array(confidence, np.float32)) == np.float32(level)


@pytest.mark.parametrize("name", ["unsure", "weak"])
def test_with_several_niches_a_class_every_one_counts(name: str) -> None:
    """Both classes have one at 99 %, and 99.5 % is done while there is a weaker one."""
    made = Archive(np.arange(2), 2, niches_per_class=2)
    made.confidence[:] = [0.1, 0.995, 0.9991, -1.0]
    made.evaluation_id[:], made.generation[:] = [1, 1, 1, -1], 1
    least = {"unsure": UNSURE_UNIFORM_SHARE, "weak": UNIFORM_SHARE}[name] / 3
    close(shares(name, made, 10), np.array([1 - 2 * least, least, least, 0.0]))


@pytest.mark.parametrize("name", ["unsure", "weak"])
def test_once_all_are_sure_those_short_of_the_next_nine_are_drawn(name: str) -> None:
    least = {"unsure": UNSURE_UNIFORM_SHARE, "weak": UNIFORM_SHARE}[name] / 3
    close(shares(name, archive([0.999, 0.9925, 0.9999], [1] * 3), 10), np.array([least, 1 - 2 * least, least]))


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_unsure_draws_the_new_and_any_of_the_niches_that_are_not_sure(at_once: int) -> None:
    """Half by age: exp(−age · children / niches below 99 %), exp(−age) where there are fewer of them than children.
    The weakest has a share of its own."""
    ages = np.array([3, 0, 5, 0, 4])
    unsure = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    young = unsure * np.exp(-ages * min(1.0, at_once / 3))
    found = shares("unsure", archive([0.4, 0.99, 0.1, 1.0, 0.9899], (50 - ages).tolist()), at_once)
    usual = (unsure / 3 + young / young.sum()) / 2
    close(
        found,
        (1 - UNSURE_UNIFORM_SHARE) * ((1 - WEAKEST_SHARE) * usual + WEAKEST_SHARE * (np.arange(5) == 2))
        + UNSURE_UNIFORM_SHARE / 5,
    )


def test_the_weakest_fiftieth_has_a_share_of_its_own() -> None:
    confidence = np.concatenate((np.linspace(0.9, 0.1, 150), np.ones(50)))
    expected = np.where(np.arange(200) < 150, (1 - WEAKEST_SHARE) / 150, 0.0)
    expected[147:150] += WEAKEST_SHARE / 3
    close(
        shares("unsure", archive(confidence.tolist(), [7] * 200), 50),
        (1 - UNSURE_UNIFORM_SHARE) * expected + UNSURE_UNIFORM_SHARE / 200,
    )


@pytest.mark.parametrize(
    ("name", "anyone", "more"), [("unsure", UNSURE_UNIFORM_SHARE, WEAKEST_SHARE), ("weak", UNIFORM_SHARE, 0.0)]
)
def test_old_niches_below_99_per_cent_are_drawn_where_all_sure_ones_are_new(
    name: str, anyone: float, more: float
) -> None:
    """Their chances by age alone are too small for a number."""
    found = shares(name, archive([0.99, 0.2, 0.3], [10**6, 3, 3]), 50)
    close(found, (1 - anyone) * np.array([0.0, (1 + more) / 2, (1 - more) / 2]) + anyone / 3)


@pytest.mark.parametrize("name", SELECTORS)
def test_no_niche_is_given_up(name: str) -> None:
    least = {"uniform": 1.0, "unsure": UNSURE_UNIFORM_SHARE}.get(name, UNIFORM_SHARE)
    assert shares(name, archive([0.0, 1.0, 1.0], [10_000, 1, 5_000]), 50).min() > 0.8 * least / 3


@pytest.mark.parametrize("name", SELECTORS)
def test_empty_niches_are_nobodys_parents(name: str) -> None:
    elites = archive([0.2, -1.0, 0.995, -1.0, 0.3], [5, 0, 4, 0, 1])
    elites.evaluation_id[[1, 3]] = -1
    found = shares(name, elites, 20)
    assert found[[1, 3]].tolist() == [0, 0]
    assert found[[0, 2, 4]].min() > 0.01


@pytest.mark.parametrize("name", SELECTORS)
def test_the_same_generator_draws_the_same(name: str) -> None:
    elites = archive([0.3, 0.99, 0.2], [3, 2, 1])
    with global_random_untouched():
        assert np.array_equal(selector_named(name)(elites, 20, Rng(4)), selector_named(name)(elites, 20, Rng(4)))


def test_fresh_keeps_to_the_newest_while_nothing_wins() -> None:
    found = shares("fresh", archive([0.5] * 10, [400] + [100] * 9), 50)
    close(found, np.array([1 - UNIFORM_SHARE + UNIFORM_SHARE / 10] + [UNIFORM_SHARE / 10] * 9))


def test_an_unknown_name_is_told_with_what_there_is() -> None:
    with pytest.raises(
        ConfigError, match=r'unknown selector "frehs" .*"fresh".*; choose from fresh, uniform, unsure, weak'
    ):
        selector_named("frehs")
