"""The counts of ``transfer``, against plain loops and against all orders of the images."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from evofool.lab.transfer_matrix import Cell, fool_all, matrix

NETWORKS, CLASSES = 3, 4


def drawn(count: int, *, labelled: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Draw results: images that were made for the first network, with what three networks say of them."""
    rng = np.random.default_rng(seed)
    results = []
    for _ in range(count):
        first = rng.integers(0, CLASSES, NETWORKS).tolist()
        label = int(rng.integers(0, CLASSES))
        before = [label if rng.random() < 0.7 else (label + 1) % CLASSES for _ in range(NETWORKS)]
        wanted = int(rng.integers(0, CLASSES)) if not labelled else first[0]
        results.append(
            {
                "wanted": wanted,
                "label": label if labelled else None,
                "before": before if labelled else None,
                "first": first,
                "confidence": rng.choice([0.5, 0.9, 0.95, 0.99, 1.0], NETWORKS).tolist(),
                "same": rng.random(NETWORKS).tolist(),
            }
        )
    return results


def test_evolved_images_are_counted_where_their_maker_sees_the_class_they_were_made_for() -> None:
    results = drawn(200, labelled=False)
    cell = Cell.of(results, 0, 2)
    images = same = at_90 = at_99 = 0
    confidence = 0.0
    for result in results:
        if result["first"][0] == result["wanted"]:
            images += 1
            same += result["first"][2] == result["wanted"]
            at_90 += result["confidence"][2] in (0.9, 0.95, 0.99, 1.0)
            at_99 += result["confidence"][2] in (0.99, 1.0)
            confidence += result["confidence"][2]
    assert 20 < images < 90
    assert (cell.images, cell.same, cell.fooled, cell.at_90, cell.at_99) == (images, same, same, at_90, at_99)
    assert cell.confidence == pytest.approx(confidence)
    assert Cell.of(results, 0, 0).share("same") == 1


def test_edited_images_are_counted_where_both_networks_were_right_before() -> None:
    results = drawn(300, labelled=True)
    cell = Cell.of(results, 0, 1)
    used = [
        result
        for result in results
        if result["first"][0] != result["label"] and result["before"][:2] == [result["label"]] * 2
    ]
    wrong = [result for result in used if result["first"][1] != result["label"]]
    assert cell.images == len(used) > 50
    assert cell.same == sum(result["first"][1] == result["first"][0] for result in used)
    assert cell.fooled == len(wrong) > cell.same
    assert cell.at_90 == sum(result["confidence"][1] >= 0.9 for result in wrong)
    assert cell.at_99 == sum(result["confidence"][1] >= 0.99 for result in wrong)


def test_chance_is_the_mean_over_all_orders_of_the_images() -> None:
    results = [result | {"wanted": result["first"][0]} for result in drawn(6, labelled=False, seed=3)]
    wanted, guesses = [r["wanted"] for r in results], [r["first"][1] for r in results]
    orders = [np.mean(np.array(order) == wanted) for order in permutations(guesses)]
    assert Cell.of(results, 0, 1).chance == pytest.approx(np.mean(orders))


def test_intervals_hold_their_shares_and_mean_confidences() -> None:
    cell = Cell.of(drawn(200, labelled=False), 0, 1)
    told = cell.to_json()
    for name in ("same", "fooled", "at_90", "at_99", "confidence", "confidence_same"):
        low, high = told[f"{name}_interval95"]
        assert 0 <= low < told[name] < high <= 1
    rng = np.random.default_rng(0)
    values = rng.beta(2, 1, (2000, 40))
    inside = [low <= 2 / 3 <= high for low, high in (Cell(40, 0, 0, 0, 0, row.sum(), 0, 0).interval("confidence")
              for row in values)]  # fmt: skip
    assert np.mean(inside) > 0.95


def test_without_images_nothing_is_claimed() -> None:
    told = Cell.of([], 0, 1).to_json()
    assert told["images"] == 0
    assert told["same"] is None
    assert told["chance"] is None
    assert told["same_interval95"] == [0.0, 1.0]


def test_a_matrix_has_a_row_for_each_maker_and_a_column_for_each_judge() -> None:
    rows = [drawn(50, labelled=False, seed=seed) for seed in range(NETWORKS)]
    cells = matrix(rows)
    assert [[cells[i][j] for j in range(3)] for i in range(3)] == [[Cell.of(rows[i], i, j) for j in range(3)]
            for i in range(3)]  # fmt: skip


def test_images_that_fool_all_are_sorted_by_the_least_sure_network() -> None:
    surely = {"wanted": 1, "label": None, "before": None, "first": [1, 1], "confidence": [0.9, 0.8], "same": [0.9, 0.8]}
    most = surely | {"same": [0.85, 0.95]}
    not_all = surely | {"first": [1, 2]}
    assert fool_all([surely, not_all, most]) == [most, surely]
    edit = {"wanted": 1, "label": 0, "before": [0, 0], "first": [1, 2], "confidence": [0.6, 0.7], "same": [0.6, 0.1]}
    assert fool_all([edit, edit | {"before": [0, 3]}, edit | {"first": [1, 0]}]) == [edit]
    assert fool_all([]) == []
