"""An evolution end to end: the same bytes again, exact resumption, precision, progress, budgets."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from evolving import advance, contents, every, evolution
from support import assert_same_arrays, build, frozen, genomes_of, global_random_untouched, tiny_target

from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.engines.population import Population
from evofool.errors import ConfigError
from evofool.rng import Rng
from evofool.search.evolution import Evolution


@every
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(encoding: str, preset: str) -> None:
    ours, theirs, others = (evolution(encoding, preset, seed=seed) for seed in (3, 3, 4))
    for run in (ours, theirs, others):
        advance(run, 6)
    assert_same_arrays(contents(ours), contents(theirs))
    assert not np.array_equal(ours.archive.kept.values, others.archive.kept.values)


@every
def test_no_global_generator_is_touched(encoding: str, preset: str) -> None:
    with global_random_untouched():
        advance(evolution(encoding, preset), 3)


@every
def test_confidences_rise_and_never_fall(encoding: str, preset: str) -> None:
    run = evolution(encoding, preset)
    lowest = []
    for _ in range(12):
        before = run.archive.confidence.copy()
        lowest.append(run.step().median)
        assert (run.archive.confidence >= before).all()
    assert lowest[-1] > lowest[0]


@every
def test_recorded_scores_are_those_of_the_decoded_elites(encoding: str, preset: str) -> None:
    run = evolution(encoding, preset)
    advance(run, 5)
    scores = run.target.confirm(run.encoding.decode(genomes_of(run.archive)))
    np.testing.assert_allclose(run.archive.kept.values, scores, atol=1e-6)
    np.testing.assert_allclose(run.archive.confidence, scores.diagonal(), atol=1e-6)


@every
@pytest.mark.parametrize(("precision", "at"), [("float32", 0), ("float32", 4), ("bfloat16", 4)])
def test_a_restored_run_ends_with_the_same_bytes(encoding: str, preset: str, precision: str, at: int) -> None:
    undisturbed = evolution(encoding, preset, precision=precision)
    advance(undisturbed, at)
    saved = frozen(undisturbed.state())
    advance(undisturbed, 7 - at)
    resumed = evolution(encoding, preset, precision=precision, seed=99)
    resumed.restore(saved)
    assert resumed.search.generation == at
    advance(resumed, 7 - at)
    assert_same_arrays(contents(resumed), contents(undisturbed))


@every
def test_a_state_stays_as_it_was_when_the_run_goes_on(encoding: str, preset: str) -> None:
    """It may be written by another thread while the next generations run."""
    run = evolution(encoding, preset)
    advance(run, 2)
    state = run.state()
    saved = frozen(state)
    advance(run, 4)
    assert_same_arrays(state, saved)


@every
def test_a_state_is_arrays_that_npz_holds_without_pickle(encoding: str, preset: str, tmp_path: Any) -> None:
    run = evolution(encoding, preset)
    advance(run, 3)
    state = run.state()
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as archive:
        read = dict(archive)
    assert_same_arrays(read, frozen(state))
    again = evolution(encoding, preset, seed=99)
    again.restore(read)
    assert again.seconds == run.seconds > 0
    advance(run, 3)
    advance(again, 3)
    assert_same_arrays(contents(again), contents(run))


def test_a_run_saved_before_its_first_generation_keeps_its_given_genomes() -> None:
    run = evolution(initial=build("direct", "default").random(5, Rng(77)))
    resumed = evolution(seed=99)
    resumed.restore(frozen(run.state()))
    advance(run, 2)
    advance(resumed, 2)
    assert_same_arrays(contents(resumed), contents(run))


@every
def test_bfloat16_searches_and_float32_confirms(encoding: str, preset: str) -> None:
    run = evolution(encoding, preset, precision="bfloat16")
    confirmed: list[int] = []
    confirm = run.toolbox.confirm

    def counting(population: Population) -> torch.Tensor:
        confirmed.append(len(population))
        result: torch.Tensor = confirm(population)
        return result

    run.toolbox.register("confirm", counting)
    last = advance(run, 8)[-1]
    exact = run.target.confirm(run.encoding.decode(genomes_of(run.archive)))
    np.testing.assert_allclose(run.archive.kept.values, exact, atol=1e-6)
    assert last.confirmations == run.search.confirmations == sum(confirmed)
    assert 1 <= confirmed[0] <= 4  # the best child of each class
    assert last.confirmations < run.search.evaluations == last.evaluations == 128


def test_a_generation_that_most_children_enter_is_scored_in_float32_and_nothing_again() -> None:
    run = evolution(precision="bfloat16", batch=4)
    advance(run, 1)
    exact = run.target.confirm(run.encoding.decode(genomes_of(run.archive)))
    np.testing.assert_allclose(run.archive.kept.values, exact, atol=1e-6)
    assert run.search.confirmations == 4  # the elites, to see that the target says the same again


def test_what_is_confirmed_is_not_decoded_again() -> None:
    run = evolution(precision="bfloat16")
    decoded: list[int] = []
    decode = run.toolbox.decode

    def counting(genomes: Any) -> torch.Tensor:
        decoded.append(len(genomes))
        result: torch.Tensor = decode(genomes)
        return result

    run.toolbox.register("decode", counting)
    advance(run, 4)
    assert decoded == [16, 4, 16, 4, 16, 16, 4]  # also the four elites that are scored again in generations 1, 2 and 4
    assert run.search.confirmations > 16


def test_float32_needs_no_confirmation_but_elites_are_scored_again_and_counted() -> None:
    run = evolution()
    evaluated: list[int] = []
    scores = run.engine.scores

    def counting(images: torch.Tensor) -> torch.Tensor:
        evaluated.append(len(images))
        return scores(images)

    run.engine.scores = counting  # type: ignore[method-assign]
    last = advance(run, 4)[-1]
    assert last.confirmations == 3 * 4  # the four elites, in generations 1, 2 and 4
    assert last.evaluations + last.confirmations == sum(evaluated)


def test_a_subset_of_classes_gets_niches_of_its_own() -> None:
    run = evolution(classes=(3, 1))
    advance(run, 5)
    assert len(run.archive) == 2
    scores = run.target.confirm(run.encoding.decode(genomes_of(run.archive)))
    np.testing.assert_allclose(run.archive.confidence, [scores[0, 1], scores[1, 3]], atol=1e-6)
    assert run.archive.kept.values.shape == (2, 4)


def test_progress_tells_what_the_archive_holds() -> None:
    run = evolution("cppn")
    for number, progress in enumerate(advance(run, 5), 1):
        assert progress.generation == number
        assert progress.evaluations == 16 * number
    confidence = run.archive.confidence.astype(np.float64)
    assert progress.median == pytest.approx(np.median(confidence))
    assert progress.mean == pytest.approx(confidence.mean())
    assert progress.min == pytest.approx(confidence.min())
    assert progress.max == pytest.approx(confidence.max())
    assert progress.at_99 == (confidence >= 0.99).sum()
    assert progress.size == pytest.approx(run.archive.genomes.sizes().mean())
    assert progress.improved == (run.archive.generation == 5).sum()
    assert progress.seconds == run.seconds > 0
    assert run.logbook.select("gen") == [1, 2, 3, 4, 5]
    assert run.logbook.chapters["confidence"].select("median")[-1] == pytest.approx(progress.median)
    assert json.loads(json.dumps(vars(progress))) == vars(progress)  # plain numbers


@pytest.mark.parametrize(
    ("budget", "generations"),
    [(Budget(generations=3), 3), (Budget(evaluations=50), 4), (Budget(until=1e-6, generations=9), 1)],
)
def test_a_run_ends_with_its_budget(budget: Budget, generations: int) -> None:
    run = evolution()
    assert len(list(run.run(budget))) == generations
    assert run.spent(budget)
    assert list(run.run(budget)) == []


def test_options_are_kept_with_nothing_left_open() -> None:
    run = Evolution(tiny_target(), build("direct", "default", crossover=0.0), EvolveOptions(seed=5))
    assert (run.options.encoding, run.options.selector, run.options.batch) == ("direct", "unsure", 100)
    assert run.options.emitters == ("vary",)
    assert run.options.settings == run.encoding.settings()
    again = Evolution(run.target, run.encoding, run.options)
    advance(run, 3)
    advance(again, 3)
    assert_same_arrays(contents(run), contents(again))


def test_an_encoding_of_ones_own_evolves_by_variation() -> None:
    encoding = build("direct", "default")
    encoding.name = "mine"
    run = Evolution(tiny_target(), encoding, EvolveOptions(batch=16))
    advance(run, 3)
    assert (run.options.encoding, run.options.emitters) == ("mine", ("vary",))


def test_an_archive_that_memory_would_not_take_is_refused() -> None:
    with pytest.raises(ConfigError, match="279,936 are 1,119,744 niches, which would take"):
        evolution(
            "cppn", descriptors=("hue", "size", "slope", "symmetry", "colour", "brightness", "complexity"), bins=6
        )
