"""Local search ends early where nothing comes near the border, and spends its budget where something does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from searching import Margins, run, search

from evofool.attacks.margins import margins
from evofool.attacks.searches.best_first import BestFirst
from evofool.attacks.searches.climb import Climb
from evofool.attacks.searches.giving_up import GivingUp
from evofool.encodings.pixels import Edits


def always(margin: float) -> Margins:
    """Margins that are the same for all edits."""
    return lambda edits: np.full(len(edits), margin, np.float32)


def asked(margins: Margins, k: int, budget: int) -> int:
    """Return how many candidates a local search asks for, up to twice its budget."""
    return sum(
        len(edits) for edits, _ in run(search("local", (3, 32, 32), k, budget=budget), margins, queries=2 * budget)
    )


@pytest.mark.parametrize(("k", "kind"), [(1, BestFirst), (2, Climb), (5, Climb)])
def test_one_pixel_is_sought_best_first_and_several_by_climbing(k: int, kind: type) -> None:
    used = search("local", k=k)
    assert isinstance(used, GivingUp)
    assert isinstance(used.search, kind)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(
    ("margin", "budget", "least", "most"),
    [(8, 2_000, 250, 300), (2, 2_000, 1_000, 1_150), (40, 400, 48, 80), (4, 400, 480, 560)],
)
def test_an_attempt_ends_once_its_best_margin_is_above_budget_over_queries(
    margin: float, budget: int, least: int, most: int, k: int
) -> None:
    assert least <= asked(always(margin), k, budget) <= most


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("margin", [0.9, 0.0, -1.0])
def test_an_attempt_near_the_border_has_its_whole_budget(margin: float, k: int) -> None:
    assert asked(always(margin), k, 1_000) >= 1_000


@pytest.mark.parametrize("k", [1, 3])
def test_a_classifier_that_tells_labels_alone_has_its_whole_budget(k: int) -> None:
    labels, true = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([0])
    (margin,) = margins(labels, true, torch.tensor([False]))[0].tolist()
    assert asked(always(margin), k, 1_000) >= 1_000


def test_more_budget_is_more_patience() -> None:
    few, many = (asked(always(10), 1, budget) for budget in (2_000, 5_000))
    assert few < 250 < 450 < many < 700


def test_what_counts_is_the_best_edit_so_far() -> None:
    """One edit of the first generation comes near; everything after it is far away."""
    first = search("local", (3, 32, 32)).ask()[0]

    def near_once(edits: Edits) -> np.ndarray:
        return np.where((edits == first).all((1, 2)), 0.5, 70).astype(np.float32)

    assert asked(near_once, 1, 1_000) >= 1_000
