"""DEAP's own operators on batches of genomes and on archives: each works, or one line names it and says what to do."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from deap import tools
from evolving import advance, contents, evolution
from support import assert_same_arrays, build, frozen, global_random_untouched, random_images

import evofool
from evofool.encodings.direct.batch import DirectBatch
from evofool.errors import OperatorError
from evofool.rng import Rng
from evofool.search.deap_operators import per_elite, per_genome
from evofool.search.evolution import Evolution


def test_a_deap_operator_mutates_a_batch_and_leaves_everything_else_alone() -> None:
    parents = DirectBatch(random_images(6, (3, 8, 8)))
    before = parents.genes.clone()
    mutate = per_genome(tools.mutGaussian, Rng(0), mu=0, sigma=0.1, indpb=0.5)
    with global_random_untouched():
        children = mutate(parents)
    assert torch.equal(parents.genes, before)
    steps = (children.genes.int() - before.int()).float() / 255
    changed = steps != 0
    assert changed.float().mean() == pytest.approx(0.49, abs=0.06)
    clear = (before > 60) & (before < 195) & changed  # far from clamping
    assert steps[clear].std() == pytest.approx(0.1, rel=0.15)
    assert children.genes.dtype == torch.uint8


def test_the_adapter_is_as_seeded_as_the_run() -> None:
    parents = DirectBatch(random_images(3))

    def mutate(seed: int, noise: int) -> torch.Tensor:
        random.seed(noise)  # whatever the process did before
        return per_genome(tools.mutGaussian, Rng(seed), mu=0, sigma=0.1, indpb=0.5)(parents).genes

    state = random.getstate()
    try:
        assert torch.equal(mutate(1, noise=1), mutate(1, noise=2))
        assert not torch.equal(mutate(1, noise=1), mutate(2, noise=1))
    finally:
        random.setstate(state)


def test_values_beyond_the_pixel_range_are_clamped() -> None:
    def push(values: list[float], far: float) -> tuple[list[float]]:
        return ([value + far for value in values],)

    parents = DirectBatch(random_images(2))
    for far, end in ((9.0, 255), (-9.0, 0)):
        assert per_genome(push, Rng(0), far=far)(parents).genes.unique().tolist() == [end]


def test_a_failing_operator_puts_the_global_generator_back() -> None:
    def fail(_: list[float]) -> None:
        random.random()
        raise ValueError("no")

    with global_random_untouched(), pytest.raises(ValueError, match="no"):
        per_genome(fail, Rng(0))(DirectBatch(random_images(1)))


MUTATIONS = [
    (tools.mutGaussian, {"mu": 0, "sigma": 0.2, "indpb": 0.3}),
    (tools.mutPolynomialBounded, {"eta": 20.0, "low": 0.0, "up": 1.0, "indpb": 0.3}),
    (tools.mutFlipBit, {"indpb": 0.1}),
    (tools.mutShuffleIndexes, {"indpb": 0.1}),
    (tools.mutUniformInt, {"low": 0, "up": 1, "indpb": 0.1}),
]
CROSSOVERS = [
    (tools.cxOnePoint, {}),
    (tools.cxTwoPoint, {}),
    (tools.cxUniform, {"indpb": 0.5}),
    (tools.cxBlend, {"alpha": 0.5}),
    (tools.cxSimulatedBinary, {"eta": 15.0}),
    (tools.cxSimulatedBinaryBounded, {"eta": 15.0, "low": 0.0, "up": 1.0}),
]
SELECTIONS = [
    (tools.selRandom, {}),
    (tools.selTournament, {"tournsize": 3}),
    (tools.selRoulette, {}),
    (tools.selStochasticUniversalSampling, {}),
    (tools.selLexicase, {}),
]
TOO_FEW = [(tools.selBest, {}), (tools.selWorst, {})]
NEED_MORE = [(tools.selDoubleTournament, {"fitness_size": 2, "parsimony_size": 1.2, "fitness_first": True})]


def named(pair: Any) -> str:
    return getattr(pair, "__name__", "")


def ended(alias: str, adapted: Any, operator: Any, options: dict[str, Any], encoding: str) -> Evolution:
    """An evolution of a few generations with one of DEAP's operators."""
    run = evolution(encoding, "default", batch=8)
    run.toolbox.register(alias, adapted(operator, run.toolbox.rng, **options))
    advance(run, 4)
    return run


def assert_repeats(alias: str, adapted: Any, operator: Any, options: dict[str, Any], encoding: str) -> None:
    """Two evolutions end with the same bytes, whatever the process drew before, and otherwise than without it."""
    with global_random_untouched():
        first = contents(ended(alias, adapted, operator, options, encoding))
    random.random()
    assert_same_arrays(first, contents(ended(alias, adapted, operator, options, encoding)))
    usual = evolution(encoding, "default", batch=8)
    advance(usual, 4)
    genomes = [name for name in first if name.startswith("genomes.")]
    assert any(not np.array_equal(first[name], contents(usual)[name]) for name in genomes)


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.parametrize(("operator", "options"), MUTATIONS, ids=named)
def test_deap_s_mutations_work_on_any_genome_or_are_named(
    operator: Any, options: dict[str, Any], encoding: str
) -> None:
    if encoding == "cppn" and operator is tools.mutPolynomialBounded:  # weights lie outside of [0, 1]
        options = {**options, "low": -12.0, "up": 12.0}
    assert_repeats("mutate", per_genome, operator, options, encoding)


def test_a_mutation_within_bounds_that_weights_pass_is_named() -> None:
    with pytest.raises(OperatorError, match=r"operator mutate \(deap.tools.mutation:mutPolynomialBounded\(.*failed"):
        ended("mutate", per_genome, tools.mutPolynomialBounded, MUTATIONS[1][1], "cppn")


@pytest.mark.parametrize(("operator", "options"), CROSSOVERS, ids=named)
def test_deap_s_crossovers_work_on_direct_genomes(operator: Any, options: dict[str, Any]) -> None:
    assert_repeats("mate", per_genome, operator, options, "direct")


def test_a_crossover_returns_a_child_of_both_and_leaves_the_parents_alone() -> None:
    parents, partners = (DirectBatch(random_images(4, seed=seed)) for seed in (1, 2))
    before = parents.genes.clone(), partners.genes.clone()
    children = per_genome(tools.cxUniform, Rng(0), indpb=0.5)(parents, partners).genes
    assert torch.equal(parents.genes, before[0])
    assert torch.equal(partners.genes, before[1])
    assert ((children == parents.genes) | (children == partners.genes)).all()
    assert 0.3 < (children == partners.genes).float().mean() < 0.7


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.parametrize(("operator", "options"), SELECTIONS, ids=named)
def test_deap_s_selections_choose_among_the_elites(operator: Any, options: dict[str, Any], encoding: str) -> None:
    assert_repeats("select", per_elite, operator, options, encoding)


@pytest.mark.parametrize(("operator", "options"), TOO_FEW, ids=named)
def test_a_selection_that_returns_each_elite_once_is_named(operator: Any, options: dict[str, Any]) -> None:
    with pytest.raises(OperatorError, match=r"operator select \(deap.tools.selection:sel.*must return 8 niches, .*4"):
        ended("select", per_elite, operator, options, "direct")


@pytest.mark.parametrize(("operator", "options"), NEED_MORE, ids=named)
def test_a_selection_that_needs_more_than_a_fitness_is_named(operator: Any, options: dict[str, Any]) -> None:
    with pytest.raises(OperatorError, match=r"operator select \(deap.tools.selection:sel.*failed: TypeError"):
        ended("select", per_elite, operator, options, "direct")


def test_a_tournament_prefers_the_surest_and_knows_only_niches_with_elites() -> None:
    run = evolution(descriptors=("brightness",), bins=4)
    advance(run, 2)
    held = run.archive.held()
    assert len(held) < len(run.archive)
    chosen = per_elite(tools.selTournament, run.rng, tournsize=6)(run.archive, 300)
    assert chosen.dtype == np.int64
    assert set(chosen.tolist()) <= set(held.tolist())
    assert run.archive.confidence[chosen].mean() > run.archive.confidence[held].mean()


@pytest.mark.parametrize(
    ("alias", "operator", "adapter"),
    [
        ("mutate", tools.mutGaussian, "evofool.per_genome(tools.mutGaussian, toolbox.rng, …)"),
        ("mutate", tools.mutFlipBit, "evofool.per_genome(tools.mutFlipBit, toolbox.rng, …)"),
        ("mate", tools.cxTwoPoint, "evofool.per_genome(tools.cxTwoPoint, toolbox.rng, …)"),
        ("select", tools.selTournament, "evofool.per_elite(tools.selTournament, toolbox.rng, …)"),
        ("select", tools.selBest, "evofool.per_elite(tools.selBest, toolbox.rng, …)"),
    ],
)
def test_an_operator_that_is_not_adapted_is_told_how(alias: str, operator: Any, adapter: str) -> None:
    options = {**dict(MUTATIONS), tools.selTournament: {"tournsize": 3}}.get(operator, {})
    run = evolution("direct", "default", batch=8)
    run.toolbox.register(alias, operator, **options)
    with pytest.raises(OperatorError) as error:
        advance(run, 9)
    assert adapter in str(error.value)


@pytest.mark.parametrize("adapted", [per_genome, per_elite])
@pytest.mark.parametrize(
    "rng", [np.random.default_rng(0), random.Random(0), 3, None, torch.Generator()], ids=lambda rng: type(rng).__name__
)
def test_generators_that_no_checkpoint_keeps_are_refused_by_name(adapted: Any, rng: Any) -> None:
    with pytest.raises(OperatorError, match=rf"`rng` must be .*toolbox\.rng, .*; got {type(rng).__name__}"):
        adapted(tools.mutGaussian, rng)


@pytest.mark.parametrize(
    ("operator", "got"),
    [
        (lambda values: None, "got None"),
        (lambda values: (values[:-1],), "a list of 192 finite numbers"),
        (lambda values: ([float("nan")] * len(values),), "got numbers that are not finite"),
        (lambda values: (["a"] * len(values),), "finite numbers"),
        (lambda values: ([1j] * len(values),), "finite numbers"),
        (lambda values: values[0], "got 0."),
        (lambda values: (), r"got \(\)"),
    ],
)
def test_an_operator_on_lists_returns_as_many_finite_numbers(operator: Any, got: str) -> None:
    with pytest.raises(ValueError, match=rf"it must return a tuple with the child first.*{got}|{got}"):
        per_genome(operator, Rng(0))(DirectBatch(random_images(2)))


def test_a_list_without_a_tuple_around_it_is_the_child() -> None:
    children = per_genome(lambda values: [1.0 - value for value in values], Rng(0))(DirectBatch(random_images(2)))
    assert torch.equal(children.genes, 255 - random_images(2))


def test_a_cppn_s_weights_mutate_and_its_graph_stays() -> None:
    encoding = build("cppn", "default")
    parents = encoding.random(5, Rng(1))
    before = frozen(vars(parents))
    children = per_genome(tools.mutGaussian, Rng(0), mu=0, sigma=1.0, indpb=0.5)(parents)
    assert_same_arrays(frozen(vars(parents)), before)
    used = parents.source[0] >= 0
    assert 0.3 < (children.weight[:, used] != parents.weight[:, used]).mean() < 0.7
    for name in ("activation", "position", "source", "sink"):
        np.testing.assert_array_equal(getattr(children, name), before[name])
    children.check(3)
    assert not children.weight[:, ~used].any()


def test_what_has_no_numbers_is_named() -> None:
    with pytest.raises(TypeError, match="batches of direct genomes or CPPNs, got list"):
        per_genome(tools.mutGaussian, Rng(0))([[0.5]])


def test_they_are_found_at_the_top_of_the_package() -> None:
    assert (evofool.per_genome, evofool.per_elite) == (per_genome, per_elite)
