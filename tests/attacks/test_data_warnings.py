"""When a campaign doubts its labels: hardly more images are right than by chance, or fewer than half."""

from __future__ import annotations

import msgspec
import pytest
from configs import campaign_config, target_record
from scipy.stats import binomtest

from evofool.attacks.data_warnings import data_facts, data_warnings
from evofool.config.attack import AttackOptions
from evofool.config.records import CampaignConfig


def config(
    correct: int, looked: int, classes: int = 10, *, misclassified: bool = False, **data: object
) -> CampaignConfig:
    """The config of a campaign that looked at so many images of so many classes."""
    chosen = looked if misclassified else correct
    return msgspec.structs.replace(
        campaign_config(data={"correct": correct, "looked": looked, "chosen": chosen, **data}),
        target=target_record(classes=classes),
        classes=tuple(map(str, range(classes))),
        options=AttackOptions(include_misclassified=misclassified),
    )


@pytest.mark.parametrize(
    ("correct", "looked", "classes"),
    [(14, 200, 10), (20, 290, 10), (11, 100, 10), (0, 30, 10), (3, 100, 2), (0, 60, 1000), (5, 200, 1000)],
)
def test_hardly_more_than_chance_is_told(correct: int, looked: int, classes: int) -> None:
    for misclassified in (False, True):
        (warning,) = data_warnings(config(correct, looked, classes, misclassified=misclassified))
        assert f"only {correct:,} of {looked:,} images" in warning
        assert f"chance (1 of {classes:,})" in warning


@pytest.mark.parametrize(
    ("correct", "looked", "classes"), [(40, 100, 10), (48, 100, 2), (0, 3, 10), (1, 12, 10), (30, 100, 1000)]
)
def test_fewer_than_half_is_told_where_the_others_are_left_out(correct: int, looked: int, classes: int) -> None:
    (warning,) = data_warnings(config(correct, looked, classes))
    assert f"only {correct:,} of {looked:,} images" in warning
    assert "were left out" in warning
    assert data_warnings(config(correct, looked, classes, misclassified=True)) == []


@pytest.mark.parametrize(
    ("correct", "looked", "classes"), [(1, 2, 10), (99, 100, 10), (0, 0, 10), (56, 100, 2), (1, 1, 1)]
)
def test_a_target_that_is_mostly_right_is_not_doubted(correct: int, looked: int, classes: int) -> None:
    assert data_warnings(config(correct, looked, classes)) == []


@pytest.mark.parametrize("classes", [2, 10, 100, 1000])
def test_the_doubt_begins_where_the_interval_ends_below_chance_and_a_tenth(classes: int) -> None:
    limit = 1 / classes + 0.1 * (1 - 1 / classes)
    for correct in range(0, 400, 3):
        upper = binomtest(correct, 400).proportion_ci(method="wilson").high
        told = [warning for warning in data_warnings(config(correct, 400, classes)) if "chance" in warning]
        assert bool(told) == (upper < limit)


def test_the_target_s_own_predictions_are_not_doubted() -> None:
    assert data_warnings(config(0, 100, labelled=False)) == []


def test_what_names_were_taken_for_is_a_fact() -> None:
    facts = data_facts(campaign_config(data={"mapping": (("Katze", 0),), "reason": "as many", "skipped": {"a": "b"}}))
    name = campaign_config().classes[0]
    assert facts == {
        "warnings": [],
        "mapping": {"reason": "as many", "classes": [["Katze", 0, name]]},
        "skipped": {"a": "b"},
    }
