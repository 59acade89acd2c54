"""What a user's operators in the toolbox of an evolution must return: anything else is named in one line."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import numpy as np
import pytest
import torch
from deap import base
from evolving import advance, contents, evolution
from support import assert_same_arrays, build, tiny_target

from evofool.config.evolve import EvolveOptions
from evofool.encodings.direct.batch import DirectBatch
from evofool.errors import OperatorError
from evofool.search.emitters.registry import EMITTERS
from evofool.search.evolution import Evolution

Operator = Callable[..., Any]

FIRST = ("random", "map", "evaluate")
"""Operators of the first generation."""


def swapped(alias: str, operator: Operator, encoding: str = "direct", **options: Any) -> Evolution:
    """An evolution with this operator, from its second generation on where the first doesn't call it."""
    run = evolution(encoding, "default", **options)
    advance(run, 0 if alias in FIRST else 1)
    run.toolbox.register(alias, operator)
    return run


def refusal(run: Evolution) -> str:
    """The one line that the next generations end with."""
    with pytest.raises(OperatorError) as error:
        advance(run, 3)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(("alias", "emitter"), [("select", "vary"), ("select_unsure", "tweak")])
@pytest.mark.parametrize(
    ("selected", "got"),
    [
        (lambda archive, n: np.zeros(5, np.int64), r"must return 16 niches, .* got int64 \(5,\)"),
        (lambda archive, n: [0] * 200, "must return 16 niches, .* got a list of 200"),
        (lambda archive, n: np.full(n, 4), "niches from 0 to 3, got 4"),
        (lambda archive, n: np.full(n, -1), "niches from 0 to 3, got -1"),
        (lambda archive, n: np.zeros(n), r"whole numbers \(16,\), got float64 \(16,\)"),
        (lambda archive, n: np.ones(n, bool), "got bool"),
        (lambda archive, n: np.zeros((n, 1), np.int64), r"got int64 \(16, 1\)"),
        (lambda archive, n: None, "got None"),
        (lambda archive, n: 3, "got 3"),
        (lambda archive, n: (niche for niche in range(n)), "got generator"),
        (lambda archive, n: ["cat"] * n, "got a list of 16"),
        (lambda archive, n: [[0], [1, 2]] * 8, "got a list of 16"),
    ],
)
def test_a_selection_is_as_many_niches_as_were_asked_for(
    alias: str, emitter: str, selected: Operator, got: str
) -> None:
    message = refusal(swapped(alias, selected, "cppn", emitters=(emitter,)))
    assert message.startswith(f"operator {alias} ({__name__}:<lambda>) must return")
    assert re.search(got, message), message


def test_a_selected_niche_has_an_elite() -> None:
    run = swapped("select", lambda archive, n: np.full(n, 15), descriptors=("brightness",), bins=4)
    assert 15 not in run.archive.held()
    assert "niches that have an elite, as archive.held() names them, got 15" in refusal(run)


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor, lambda values: np.array(values, np.uint8)])
def test_any_list_of_whole_numbers_is_a_selection(kind: Callable[[list[int]], Any]) -> None:
    run, usual = (swapped("select", chosen) for chosen in (lambda a, n: kind([1] * n), lambda a, n: np.full(n, 1)))
    advance(run, 2)
    advance(usual, 2)
    assert_same_arrays(contents(run), contents(usual))


def in_place(parents: Any) -> None:
    for array in vars(parents).values():
        array[:] = array


def cut(parents: Any) -> Any:
    return parents.take(np.arange(len(parents) - 1))


def as_lists(parents: Any) -> Any:
    return [vars(parents.take(np.array([row]))) for row in range(len(parents))]


VARIATION = [
    (in_place, r"got None; an operator that changes genomes in place returns them as well"),
    (as_lists, "got a list of 16; change a copy of the parents"),
    (lambda parents: (parents,), "got a tuple of 1"),
    (lambda parents: base.Toolbox(), "got Toolbox"),
    (lambda parents: parents.take(np.zeros(0, np.int64)), r"\(16, "),
    (cut, r"\(16, .*\(15, "),
]


@pytest.mark.parametrize(("encoding", "kind"), [("direct", "DirectBatch"), ("cppn", "CPPNBatch")])
@pytest.mark.parametrize(("mutate", "got"), VARIATION)
def test_a_mutation_returns_a_batch_of_as_many_genomes(encoding: str, kind: str, mutate: Operator, got: str) -> None:
    message = refusal(swapped("mutate", mutate, encoding))
    assert message.startswith(f"operator mutate ({__name__}:")
    assert re.search(got, message), message
    assert kind in message or "genomes whose" in message


@pytest.mark.parametrize(("mutate", "got"), VARIATION)
def test_a_slight_mutation_keeps_the_same_contract(mutate: Operator, got: str) -> None:
    assert re.search(got, refusal(swapped("mutate_slightly", mutate, "cppn", emitters=("tweak",))))


@pytest.mark.parametrize(
    ("genes", "got"),
    [
        (
            lambda genes: genes.float() / 255,
            r"genes are torch.uint8 \(16, 3, 8, 8\), got torch.float32 \(",
        ),
        (lambda genes: genes.numpy(), "got uint8"),
        (lambda genes: genes[:, :1], r"got torch.uint8 \(16, 1, 8, 8\)"),
        (lambda genes: genes.flatten(1), r"got torch.uint8 \(16, 192\)"),
    ],
)
def test_direct_genomes_are_bytes_of_the_target_s_shape(genes: Callable[[Any], Any], got: str) -> None:
    message = refusal(swapped("mutate", lambda parents: DirectBatch(genes(parents.genes))))
    assert re.search(got, message), message


def spoil(name: str, value: float) -> Operator:
    def mutate(parents: Any) -> Any:
        getattr(parents, name)[3, 0] = value
        return parents

    return mutate


@pytest.mark.parametrize(
    ("mutate", "got"),
    [
        (spoil("weight", np.nan), "a weight or position that is not a finite number"),
        (spoil("weight", np.inf), "not a finite number"),
        (spoil("weight", 1e31), "a weight beyond"),
        (spoil("activation", 99), "an unknown activation"),
        (spoil("sink", 0), "that isn't there"),
        (spoil("source", 90), "that isn't there"),
    ],
)
def test_cppns_are_graphs_with_finite_weights(mutate: Operator, got: str) -> None:
    message = refusal(swapped("mutate", mutate, "cppn"))
    assert message.startswith("operator mutate (")
    assert got in message, message


def test_cppns_keep_the_run_s_slots() -> None:
    def wider(parents: Any) -> Any:
        return type(parents).empty(len(parents), 200, 256)

    assert re.search(r"activation are int8 \(16, 96\), got int8 \(16, 200\)", refusal(swapped("mutate", wider, "cppn")))


@pytest.mark.parametrize("alias", ["random", "mate"])
def test_first_genomes_and_crossed_ones_are_batches_too(alias: str) -> None:
    assert re.search(f"operator {alias} .* got None", refusal(swapped(alias, lambda *given: None)))


@pytest.mark.parametrize(
    ("evaluate", "got"),
    [
        (lambda population: None, r"must return a tensor \(16, 4\), got None"),
        (lambda population: [0.5] * 16, "got a list of 16"),
        (lambda population: torch.full((16,), 0.5), r"got torch.float32 \(16,\)"),
        (lambda population: torch.full((16, 3), 0.5), r"got torch.float32 \(16, 3\)"),
        (lambda population: torch.full((16, 4), 3.0), "must return probabilities, got numbers from 3 to 3"),
        (lambda population: torch.full((16, 4), -1.0), "must return probabilities"),
        (lambda population: torch.full((16, 4), torch.nan), "must return finite numbers"),
        (lambda population: [["cat"] * 4] * 16, "got a list of 16"),
    ],
)
def test_an_evaluation_returns_probabilities(evaluate: Operator, got: str) -> None:
    message = refusal(swapped("evaluate", evaluate))
    assert message.startswith("operator evaluate (")
    assert re.search(got, message), message


def test_arrays_of_numpy_are_scores() -> None:
    run = swapped("evaluate", lambda population: np.full((len(population), 4), 0.25))
    advance(run, 2)
    assert run.archive.confidence.tolist() == [0.25] * 4


def test_a_measure_has_a_number_for_each_descriptor() -> None:
    run = swapped("measure", lambda images, genomes: torch.zeros(len(images)), descriptors=("brightness",), bins=3)
    assert re.search(r"operator measure .* must return a tensor \(\d+, 1\)", refusal(run))


@pytest.mark.parametrize("emitter", EMITTERS)
@pytest.mark.parametrize(
    ("ask", "got"),
    [
        (lambda archive, n: archive.genomes.take(np.zeros(n, np.int64)), "children and the evaluation IDs"),
        (lambda archive, n: (None, np.zeros(n, np.int64)), "got None"),
        (lambda archive, n: (archive.genomes.take(np.zeros(n, np.int64)), np.zeros(3, np.int64)), "16 evaluation IDs"),
        (lambda archive, n: (archive.genomes.take(np.zeros(n, np.int64)), np.full(n, 999)), "from -1 to 1[0-5]"),
    ],
)
def test_an_emitter_returns_children_and_their_parents(emitter: str, ask: Operator, got: str) -> None:
    message = refusal(swapped(emitter, ask, "cppn", emitters=(emitter,)))
    assert message.startswith(f"operator {emitter} (")
    assert re.search(got, message), message


@pytest.mark.parametrize(
    "pool",
    [lambda: ThreadPool(1), lambda: ThreadPoolExecutor(1), lambda: multiprocessing.get_context("fork").Pool(1)],
    ids=["threads", "executor", "processes"],
)
def test_a_pool_s_map_is_told_that_a_batch_is_scored_as_one(pool: Callable[[], Any]) -> None:
    with pool() as workers:
        message = refusal(swapped("map", workers.map))
    assert message.startswith("operator map (")
    assert message.endswith("spread the images over them in the scores() of a target of your own")


@pytest.mark.parametrize("other", [map, lambda evaluate, population: None], ids=["map", "nothing"])
def test_a_map_that_evaluates_nothing_is_told_so_too(other: Operator) -> None:
    message = refusal(swapped("map", other))
    assert "must leave the scores with the population" in message
    assert message.endswith("spread the images over them in the scores() of a target of your own")


def brightness(images: np.ndarray) -> np.ndarray:
    """A classifier of four classes in plain numpy, slow enough for processes, one would think."""
    logits = np.stack([images[:, 0].mean((1, 2)), images[:, 1].max((1, 2)), images[:, 2].min((1, 2))], 1) / 64
    odds = np.exp(np.concatenate([logits, np.ones((len(images), 1))], 1))
    return np.asarray(odds / odds.sum(1, keepdims=True))


class InProcesses:
    """A target that spreads the images over the workers of a pool, as the message advises."""

    name, classes, image_shape = "spread", ["a", "b", "c", "d"], (3, 8, 8)

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    def scores(self, images: torch.Tensor) -> np.ndarray:
        return np.concatenate(self.pool.map(brightness, np.array_split(images.numpy(), 2)))

    confirm = scores


def test_a_target_that_spreads_images_over_processes_works_as_the_message_says() -> None:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        run = Evolution(InProcesses(pool), build("direct", "default"), EvolveOptions(batch=16))
        advance(run, 3)
    images = run.encoding.decode(run.archive.genomes.take(np.arange(4))).numpy()
    np.testing.assert_allclose(run.archive.confidence, brightness(images).diagonal(), rtol=1e-6)


def test_a_map_of_the_user_s_may_do_more_as_long_as_the_population_is_evaluated() -> None:
    seen: list[int] = []
    run, usual = evolution(), evolution()
    original = run.toolbox.map

    def counted(evaluate: Operator, population: Any) -> Any:
        seen.append(len(population))
        return original(evaluate, population)

    run.toolbox.register("map", counted)
    advance(run, 3)
    advance(usual, 3)
    assert seen == [16] * 3
    assert_same_arrays(contents(run), contents(usual))


def hooked(alias: str, operator: Operator, encoding: str = "direct", preset: str = "default", **options: Any) -> Any:
    searched = EvolveOptions(**{"emitters": ("vary",), "batch": 16, **options})
    return Evolution(
        tiny_target(), build(encoding, preset), searched, toolbox=lambda toolbox: toolbox.register(alias, operator)
    )


def test_where_evaluate_is_swapped_the_target_s_own_scores_go_on_record() -> None:
    run = hooked("evaluate", lambda population: torch.full((len(population), 4), 0.9))
    advance(run, 3)
    assert run.search.confirmations > 0
    images = run.encoding.decode(run.archive.genomes.take(np.arange(4)))
    own = run.target.confirm(images).numpy()[np.arange(4), np.arange(4)]
    np.testing.assert_allclose(run.archive.confidence, own, atol=1e-6)


@pytest.mark.parametrize("name", EMITTERS)
def test_an_emitter_says_which_operators_it_calls(name: str) -> None:
    """A hook may swap these, and no others, where it is the only one."""
    operators = ("select", "select_unsure", "mate", "mutate", "mutate_slightly")
    run = evolution("cppn", emitters=(name,), batch=40)
    called: set[str] = set()
    for alias in operators:
        original = getattr(run.toolbox, alias)
        run.toolbox.register(alias, lambda *given, o=original, a=alias: (called.add(a), o(*given))[1])
    advance(run, 8)
    assert called | {"mate"} == {*run.search.schedule.emitters[name].operators, "mate"}  # CPPNs are not crossed


@pytest.mark.parametrize(
    ("alias", "options", "reason"),
    [
        ("mate", {"encoding": "cppn"}, "cppn genomes are not crossed"),
        ("select_unsure", {"encoding": "cppn"}, r"none of the run's emitters \(vary\) calls it"),
        ("mutate_slightly", {"encoding": "cppn"}, "none of the run's emitters"),
        ("select", {"encoding": "cppn", "emitters": ("tweak",)}, r"emitters \(tweak\)"),
        ("decode", {}, r"scores\(\) of a target of your own"),
        ("confirm", {}, "on record"),
        ("check", {}, "on record"),
        ("generate", {}, "counts"),
        ("update", {}, "counts"),
        ("clone", {}, "nothing calls it"),
    ],
)
def test_what_would_have_no_effect_or_make_records_wrong_cannot_be_swapped(
    alias: str, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(OperatorError, match=f"^operator {alias} can't be swapped: .*{reason}"):
        hooked(alias, print, **options)


def test_a_measure_is_swapped_only_where_there_is_one() -> None:
    with pytest.raises(OperatorError, match='nothing looks up the operator "measure"'):
        hooked("measure", print)
    hooked("measure", print, descriptors=("brightness",), bins=3)
