"""An evolution end to end: DEAP's loop and ours, exact resumption, precision, swapped parts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from deap import algorithms, tools
from support import PRESETS, assert_same_arrays, build, frozen, genomes_of, global_random_untouched, tiny_target
from torch.overrides import TorchFunctionMode

from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.encodings.direct import encoding as direct
from evofool.engines.local import LocalEngine
from evofool.engines.population import per_genome
from evofool.errors import ConfigError
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.evolution import Evolution
from evofool.search.progress import Progress
from evofool.targets.protocols import Target

every = pytest.mark.parametrize(("encoding", "preset"), PRESETS)


def evolution(
    encoding: str = "direct", preset: str = "default", seed: int = 0, batch: int = 16, **options: Any
) -> Evolution:
    """An evolution as Nguyen et al. 2015 have it, unless options say otherwise."""
    target, initial = tiny_target(precision=options.pop("precision", "float32")), options.pop("initial", None)
    searched = EvolveOptions(**{"selector": "uniform", "emitters": ("vary",), "batch": batch, "seed": seed, **options})
    return Evolution(target, build(encoding, preset), searched, initial=initial)


def contents(run: Evolution) -> dict[str, np.ndarray]:
    """All of the state but the seconds."""
    return {name: value for name, value in frozen(run.state()).items() if name != "seconds"}


def advance(run: Evolution, generations: int) -> list[Progress]:
    return [run.step() for _ in range(generations)]


@every
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(encoding: str, preset: str) -> None:
    ours, theirs, others = (evolution(encoding, preset, seed=seed) for seed in (3, 3, 4))
    for run in (ours, theirs, others):
        advance(run, 6)
    assert_same_arrays(contents(ours), contents(theirs))
    assert not np.array_equal(ours.archive.scores, others.archive.scores)


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
    np.testing.assert_allclose(run.archive.scores, scores, atol=1e-6)
    np.testing.assert_allclose(run.archive.confidence, scores.diagonal(), atol=1e-6)


@every
def test_deap_s_own_loop_runs_unmodified_and_ends_with_the_same_archive(encoding: str, preset: str) -> None:
    ours, theirs = evolution(encoding, preset), evolution(encoding, preset)
    for _ in ours.run(Budget(generations=8)):
        pass
    statistics = tools.Statistics(lambda individual: individual.fitness.values[0])
    statistics.register("max", max)
    best = tools.HallOfFame(3)
    population, logbook = algorithms.eaGenerateUpdate(
        theirs.toolbox, ngen=8, stats=statistics, halloffame=best, verbose=False
    )
    assert_same_arrays(contents(theirs), contents(ours))
    assert len(population) == 16
    assert logbook.select("nevals") == [16] * 8
    # The archive holds the best ever seen, and so does the hall of fame.
    assert max(logbook.select("max")) == pytest.approx(float(theirs.archive.confidence.max()))
    assert best[0].fitness.values[0] == pytest.approx(float(theirs.archive.confidence.max()))
    image = theirs.encoding.decode(best[0].genome)
    assert float(theirs.target.confirm(image).max()) == pytest.approx(best[0].fitness.values[0], abs=1e-6)


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

    def counting(images: torch.Tensor) -> torch.Tensor:
        confirmed.append(len(images))
        result: torch.Tensor = confirm(images)
        return result

    run.toolbox.register("confirm", counting)
    last = advance(run, 8)[-1]
    exact = run.target.confirm(run.encoding.decode(genomes_of(run.archive)))
    np.testing.assert_allclose(run.archive.scores, exact, atol=1e-6)
    verified = 4 * 4  # the four elites, in generations 1, 2, 4 and 8
    assert last.confirmations == run.search.confirmations == sum(confirmed) - verified
    assert confirmed[0] == 16  # everyone contends for an empty archive
    assert last.confirmations < run.search.evaluations == last.evaluations == 128


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


def test_a_users_evaluate_need_not_keep_images() -> None:
    run, usual = evolution(precision="bfloat16"), evolution(precision="bfloat16")
    run.toolbox.register("evaluate", lambda population: run.target.scores(run.toolbox.decode(population.genomes)))
    advance(run, 4)
    advance(usual, 4)
    assert_same_arrays(contents(run), contents(usual))


def test_float32_needs_no_confirmation() -> None:
    assert advance(evolution(), 4)[-1].confirmations == 0


def test_a_subset_of_classes_gets_niches_of_its_own() -> None:
    run = evolution(classes=(3, 1))
    advance(run, 5)
    assert len(run.archive) == 2
    scores = run.target.confirm(run.encoding.decode(genomes_of(run.archive)))
    np.testing.assert_allclose(run.archive.confidence, [scores[0, 1], scores[1, 3]], atol=1e-6)
    assert run.archive.scores.shape == (2, 4)


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


def test_selection_can_be_swapped() -> None:
    """Parents from the weakest niche alone."""
    run = evolution("cppn")  # nobody is crossed, or partners would be selected as well
    advance(run, 1)
    seen: list[int] = []

    def weakest(archive: Archive, n: int) -> np.ndarray:
        niche = int(archive.confidence.argmin())
        seen.append(niche)
        return np.full(n, niche)

    run.toolbox.register("select", weakest)
    expected = int(run.archive.confidence.argmin())
    evaluation_id = int(run.archive.evaluation_id[expected])
    assert run.toolbox.generate().parents.tolist() == [evaluation_id] * 16
    assert seen == [expected]
    advance(run, 3)
    assert len(seen) == 4


def test_a_deap_operator_can_be_registered_as_mutation() -> None:
    def run_with_it() -> Evolution:
        run = evolution(batch=8)
        run.toolbox.register("mutate", per_genome(tools.mutGaussian, run.rng, mu=0, sigma=0.1, indpb=0.1))
        advance(run, 4)
        return run

    with global_random_untouched():
        ours, theirs = run_with_it(), run_with_it()
    assert_same_arrays(contents(ours), contents(theirs))
    plain = evolution(batch=8)
    advance(plain, 4)
    assert not np.array_equal(contents(ours)["genomes.genes"], contents(plain)["genomes.genes"])
    assert (ours.archive.generation > 1).any()  # mutants did become elites


class Waits(TorchFunctionMode):
    """Counts what would wait for a GPU: values that are read on the host."""

    READS = ("cpu", "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "nonzero", "numpy")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        only_on_a_cpu = name == "numpy" and not kwargs.get("force")
        masked = name in ("__getitem__", "__setitem__") and any(
            isinstance(index, torch.Tensor) and index.dtype == torch.bool
            for index in (args[1] if isinstance(args[1], tuple) else args[1:2])
        )
        if masked or (name in self.READS and not only_on_a_cpu):
            self.found.append(name)
        return func(*args, **kwargs)


@pytest.mark.parametrize(
    ("precision", "waits"),
    [
        ("float32", ["cpu", "__bool__"]),  # admissions; whether scores are sound, when all is there already
        ("bfloat16", ["cpu", "cpu", "__bool__", "__bool__"]),  # who is to be confirmed, too
    ],
)
def test_a_generation_waits_for_a_gpu_for_its_admissions(
    precision: str, waits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "_compiled", lambda device: False)  # variation as on a GPU
    run = evolution(precision=precision, selector="weak")
    found, before = [], 0
    for generation in range(1, 16):
        with Waits() as counted:
            progress = run.step()
        anew = generation & (generation - 1) == 0  # elites are scored again
        entered = progress.confirmations > before if precision == "bfloat16" else progress.improved
        if entered and not anew:
            found.append(counted.found)
        before = progress.confirmations
    assert len(found) > 3
    assert all(each == waits for each in found)


def test_emitters_wait_once_for_all_their_searches() -> None:
    run = evolution("cppn", batch=64, emitters=("vary", "restart", "refine"))
    advance(run, 40)
    waits = []
    for _ in range(20):
        with Waits() as counted:
            progress = run.step()
        waits.append((run.search.proposer, counted.found))
        assert progress.generation & (progress.generation - 1)  # elites are not scored again
    assert {turn for turn, _ in waits} == {"vary", "restart", "refine"}
    for turn, found in waits:
        begun = found.count("numpy") - 1 if turn == "restart" else 0  # a new lineage reads what is there, once
        assert found == (["cpu", "__bool__"] if turn == "vary" else ["numpy"] * begun + ["cpu", "__bool__", "numpy"])
        assert begun <= 3


class PlainTarget:
    """All that the search may know of a target."""

    def __init__(self) -> None:
        self.network = tiny_target()
        self.name, self.classes, self.image_shape = "plain", self.network.classes, self.network.image_shape

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.scores(images)

    def confirm(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.confirm(images)


@every
@pytest.mark.parametrize("options", [{}, {"novelty": "pixels", "bins": 3}, {"descriptors": ("hue",), "bins": 3}])
def test_a_target_is_its_name_classes_shape_and_scores(encoding: str, preset: str, options: dict[str, Any]) -> None:
    usual = evolution(encoding, preset, **options)
    plain = Evolution(PlainTarget(), usual.encoding, usual.options)
    advance(plain, 5)
    advance(usual, 5)
    assert_same_arrays(contents(plain), contents(usual))


class Elsewhere(LocalEngine):
    """An engine that counts what it scores, and says that its scores are approximate."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.exact = False
        self.scored: list[int] = []

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        self.scored.append(len(images))
        return super().scores(images)


def test_batches_are_scored_by_the_engine_that_is_given() -> None:
    usual, engine = evolution(), Elsewhere(tiny_target())
    run = Evolution(usual.target, usual.encoding, usual.options, engine=engine)
    advance(run, 3)
    assert engine.scored == [16, 16, 16]
    assert run.search.confirmations >= 16
    advance(usual, 3)
    assert_same_arrays(frozen(run.archive.state()), frozen(usual.archive.state()))


def test_options_are_kept_with_nothing_left_open() -> None:
    run = Evolution(tiny_target(), build("direct", "default", crossover=0.0), EvolveOptions(seed=5))
    assert (run.options.encoding, run.options.selector, run.options.batch) == ("direct", "fresh", 100)
    assert run.options.emitters == ("vary",)
    assert run.options.settings == run.encoding.settings()
    again = Evolution(run.target, run.encoding, run.options)
    advance(run, 3)
    advance(again, 3)
    assert_same_arrays(contents(run), contents(again))


def test_an_archive_that_memory_would_not_take_is_refused() -> None:
    with pytest.raises(ConfigError, match="16,384 are 65,536 niches, which would take"):
        evolution(
            "cppn", descriptors=("hue", "size", "slope", "symmetry", "colour", "brightness", "complexity"), bins=4
        )
