"""Criteria: whose probability decides, and when they are reached."""

from __future__ import annotations

import numpy as np
import pytest

from evofool.attacks.criterion import SUCCESS_MARGIN, Criterion


@pytest.mark.parametrize("criterion", [Criterion(), Criterion(2)])
def test_a_change_narrower_than_the_guard_is_no_success(criterion: Criterion) -> None:
    assert [criterion.reached(margin) for margin in (1.0, 0.0, -SUCCESS_MARGIN / 2, -SUCCESS_MARGIN)] == [False] * 4
    assert criterion.reached(float(np.nextafter(-SUCCESS_MARGIN, -1)))
    assert 0 < SUCCESS_MARGIN < 0.01


def test_a_criterion_watches_the_true_class_or_the_one_to_reach() -> None:
    assert Criterion().watched_class(3) == 3
    assert Criterion(1).watched_class(3) == 1
    assert Criterion(0).watched_class(3) == 0


@pytest.mark.parametrize(("target_class", "met"), [(None, [0, 1, 3]), (0, [0]), (2, [2])])
def test_which_predictions_meet_a_criterion(target_class: int | None, met: list[int]) -> None:
    assert [guess for guess in range(4) if Criterion(target_class).met_by(guess, label=2)] == met


def test_a_criterion_is_called_untargeted_or_by_its_class() -> None:
    assert Criterion().name(["cat", "dog"]) == "untargeted"
    assert Criterion(1).name(["cat", "dog"]) == "dog"
