"""Operators and searches of a user's own in a campaign: they take part, and what they return is checked."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from campaigns import NAMES, by_attempt, plan, run_all, subjects
from deap import base
from support import global_random_untouched, tiny_target

from evofool.attacks.campaign import Campaign
from evofool.attacks.operators import Operators, operators_of
from evofool.attacks.outcome import Outcome
from evofool.attacks.searches.base import Feedback, Problem
from evofool.attacks.searches.registry import STRATEGIES
from evofool.errors import ConfigError, OperatorError

SHAPE = (3, 8, 8)
IMAGES = subjects(4)


def swapping(alias: str, operator: Any, **changes: Any) -> Operators:
    """The operators of a campaign with one of them swapped."""
    return operators_of(plan(**changes), SHAPE, lambda toolbox: toolbox.register(alias, operator))


def outcomes(alias: str, operator: Any, **changes: Any) -> list[Outcome]:
    given = {"strategy": "best1bin", "queries": 350, "criteria": (0, 1, 2, 3), **changes}
    return run_all(Campaign(tiny_target(), IMAGES, plan(**given), swapping(alias, operator, **given)))


class Wild:
    """A search of a user's own, which draws from Python's global generator."""

    def __init__(self, problem: Problem) -> None:
        self.space, self.told = problem.space, 0

    def ask(self) -> np.ndarray:
        places = [random.sample(range(self.space.places), self.space.k) for _ in range(10)]
        colours = np.array([[random.choices([0, 255], k=3) for _ in range(self.space.k)] for _ in places])
        return self.space.join(np.array(places), colours)

    def tell(self, edits: np.ndarray, feedback: Feedback) -> None:
        assert len(edits) == len(feedback.margin) == 10
        self.told += 1


@pytest.mark.parametrize("strategy", ["local", "best1bin", "sparse-rs", "random"])
@pytest.mark.parametrize("pixels", [(1,), (1, 3)])
def test_a_search_of_a_user_s_own_takes_the_place_of_any_strategy_s(strategy: str, pixels: tuple[int, ...]) -> None:
    """What it draws follows from its attempt alone, whatever else runs beside it and was drawn before."""
    setup = {"strategy": strategy, "pixels": pixels, "queries": 60, "criteria": (None,)}
    with global_random_untouched():
        together = by_attempt(outcomes("search", Wild, **setup))
    alone: dict[Any, Outcome] = {}
    for image in reversed(IMAGES):
        random.random()
        one = [subject for subject in IMAGES if subject.index == image.index]
        campaign = Campaign(tiny_target(), Only(one), plan(**setup), swapping("search", Wild, **setup))
        alone |= by_attempt(run_all(campaign))
    assert alone == together
    usual = by_attempt(run_all(Campaign(tiny_target(), IMAGES, plan(**setup))))
    assert {key: value["edits"] for key, value in usual.items()} != {k: v["edits"] for k, v in together.items()}


class Only(list[Any]):
    """Some subjects, each found under its own index."""

    def __getitem__(self, index: Any) -> Any:
        return next(subject for subject in self if subject.index == index)


def test_operators_of_differential_evolution_take_part() -> None:
    seen: list[int] = []
    usual = STRATEGIES["best1bin"].toolbox

    def mutate(genes: np.ndarray, best: int, rng: np.random.Generator) -> np.ndarray:
        seen.append(len(genes))
        return genes[rng.permutation(len(genes))]

    assert usual
    outcomes("mutate", mutate)
    assert set(seen) == {100}


def test_the_baseline_keeps_its_own_operators() -> None:
    made = swapping("search", Wild, baseline=True)
    assert made.toolboxes["local", 1].names == {"search": f"{__name__}:Wild"}
    assert made.toolboxes["random", 1].names == {}
    assert made.swapped == {"search": f"{__name__}:Wild"}


class Asks:
    """A search that asks for what it is given."""

    def __init__(self, edits: Any) -> None:
        self.edits = edits

    def __call__(self, problem: Problem) -> Asks:
        return self

    def ask(self) -> Any:
        return self.edits

    def tell(self, edits: Any, feedback: Feedback) -> None:
        raise KeyError("told")


EDIT = np.array([[[3, 4, 0, 255, 0]]], np.int16)


@pytest.mark.parametrize(
    ("alias", "operator", "got"),
    [
        ("search", lambda problem: None, r"must return an object with ask\(\) and tell\(\), got NoneType"),
        ("search", lambda problem: Wild, r"an object with ask\(\) and tell\(\), got type"),
        ("search", Asks(None), r"Asks.ask\) must return an array of whole numbers \(N, 1, 5\).* got None"),
        ("search", Asks(EDIT.astype(float)), "got float64"),
        ("search", Asks(EDIT[0]), r"got int16 \(1, 5\)"),
        ("search", Asks(EDIT[..., :4]), r"got int16 \(1, 1, 4\)"),
        ("search", Asks(EDIT + 200), r"x in \[0, 8\), y in \[0, 8\) and colours in \[0, 256\), got values .* to 455"),
        ("search", Asks(EDIT - 4), "got values from -4"),
        ("search", Asks(EDIT), r"Asks.tell\) failed: KeyError: 'told'"),
        ("search", lambda: 1, "failed: TypeError"),
        ("random", lambda n, rng: np.zeros((5, 1, 5)), r"of numbers \(100, 1, 5\).* got float64 \(5, 1, 5\)"),
        ("random", lambda n, rng: np.full((n, 1, 5), 300.0), r"x in \[0, 8\)"),
        ("random", lambda n, rng: [[1.0] * 5] * n, "got .*1.0, 1.0"),
        ("mutate", lambda genes, best, rng: genes * np.nan, "must return finite numbers"),
        ("mutate", lambda genes, best, rng: None, "got None"),
        ("mutate", lambda genes, best, rng: genes[:-1], r"\(100, 1, 5\).* got float64 \(99, 1, 5\)"),
        ("mate", lambda genes, mutants, rng: mutants - 9, "got values from -"),
        ("select", lambda values, trials: trials < 0.5, None),
        ("select", lambda values, trials: np.flatnonzero(trials < values), "bool, whether each trial replaces"),
        ("select", lambda values, trials: None, "got None"),
    ],
)
def test_what_does_not_fit_is_named(alias: str, operator: Any, got: str | None) -> None:
    if got is None:
        assert outcomes(alias, operator)
        return
    with pytest.raises(OperatorError) as error:
        outcomes(alias, operator)
    assert str(error.value).startswith(f"operator {alias} (")
    assert re.search(got, str(error.value)), error.value


def test_a_pixel_is_edited_once() -> None:
    twice = np.repeat(EDIT, 2, axis=1)
    with pytest.raises(OperatorError, match="2 different pixels, got one that edits a pixel twice"):
        outcomes("search", Asks(twice), pixels=(2,))


@pytest.mark.parametrize(
    ("alias", "strategy", "reason"),
    [
        ("mutate", "local", r"strategy local doesn't call it; `strategy=de` does"),
        ("random", "sparse-rs", "strategy sparse-rs doesn't call it"),
        ("select", "random", "strategy random doesn't call it"),
        ("search", "corners", "settles all criteria of an image at once; use `strategy=local`"),
        ("decode", "local", "what is scored must be what is saved"),
        ("evaluate", "best1bin", "what is scored must be what is saved"),
        ("confirm", "local", "what is scored must be what is saved"),
        ("generate", "local", r"swap search, an object with ask\(\) and tell\(\)"),
        ("update", "local", "swap search"),
        ("map", "local", r"spread the images over them in the scores\(\)"),
        ("clone", "local", "nothing calls it"),
    ],
)
def test_what_would_have_no_effect_or_make_records_wrong_cannot_be_swapped(
    alias: str, strategy: str, reason: str
) -> None:
    with pytest.raises(OperatorError, match=f"operator {alias} can't be swapped: .*{reason}"):
        swapping(alias, print, strategy=strategy)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_says_which_operators_it_calls(name: str) -> None:
    strategy, called = STRATEGIES[name], set[str]()
    made = operators_of(plan(strategy=name), SHAPE)
    toolbox = made.toolboxes[name, 1]
    for alias in ("random", "mutate", "mate", "select"):
        if original := getattr(toolbox, alias, None):
            toolbox.register(alias, lambda *given, o=original, a=alias: (called.add(a), o(*given))[1])
    budget = 900 if strategy.operators else 100
    run_all(Campaign(tiny_target(), IMAGES[:1], plan(strategy=name, queries=budget, criteria=(1, 2, 3)), made))
    assert called == set(strategy.operators)


def test_operators_are_the_same_for_every_number_of_pixels() -> None:
    calls: list[base.Toolbox] = []

    def hook(toolbox: base.Toolbox) -> None:
        calls.append(toolbox)
        toolbox.register("search", Wild if len(calls) == 1 else Asks(EDIT))

    with pytest.raises(OperatorError, match="the same operators for every number of pixels"):
        operators_of(plan(pixels=(1, 2)), SHAPE, hook)


@pytest.mark.parametrize("hook", [lambda toolbox: None, 3, {"search": Wild}])
def test_a_hook_that_swaps_nothing_is_refused(hook: Callable[[base.Toolbox], None]) -> None:
    with pytest.raises(ConfigError, match="`toolbox`"):
        operators_of(plan(), SHAPE, hook)


def test_a_campaign_without_a_hook_swaps_nothing() -> None:
    assert operators_of(plan(), SHAPE).swapped == {}
    assert len(NAMES) == 4
