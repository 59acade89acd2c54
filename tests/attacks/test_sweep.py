"""Sweeps: one search that settles many criteria comes to what single attempts come to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from campaigns import by_attempt, margin_of, outcomes_of, subjects
from fakes import script
from support import tiny_target

from evofool.attacks.candidates import CandidateScores
from evofool.attacks.criterion import SUCCESS_MARGIN, Criterion
from evofool.attacks.subject import Subject
from evofool.attacks.sweep import Sweep
from evofool.config.attack import ALL
from evofool.encodings.pixels import Pixels
from evofool.targets.protocols import Target


def brute_force(target: Target, image: Subject, criterion: int) -> tuple[int | None, float]:
    """Try all corners in the order of the sweep. Returns the number of the first success, and the lowest margin."""
    positions = sorted(range(64), key=lambda p: (2 * (p // 8) - 7) ** 2 + (2 * (p % 8) - 7) ** 2)
    images = []
    for position in positions:
        for colour in Pixels(target.image_shape, 1).corners():
            changed = image.image.copy()
            changed[:, position // 8, position % 8] = colour
            images.append(changed)
    scores = target.confirm(torch.from_numpy(np.stack(images))).numpy()
    margins = [margin_of(row, image.label, criterion) for row in scores]
    first = next((number for number, margin in enumerate(margins, 1) if margin < -SUCCESS_MARGIN), None)
    return first, min(margins)


def test_sweeping_all_criteria_equals_sweeping_each_alone_and_brute_force() -> None:
    target, images = tiny_target(), subjects(4, wrong=[3])
    together = by_attempt(outcomes_of(images, criteria=ALL, strategy="corners", queries=512))
    alone = by_attempt(
        [v for g in range(4) for v in outcomes_of(images, criteria=(g,), strategy="corners", queries=512)]
    )
    assert together.keys() == alone.keys()
    successes = 0
    for name, outcome in together.items():
        if outcome["already"]:
            continue
        image, other = images[name[0]], alone[name]
        first, lowest = brute_force(target, image, name[1])
        assert outcome["queries_to_success"] == other["queries_to_success"] == first
        assert outcome["success"] == other["success"] == (first is not None)
        assert outcome["queries"] == 512
        assert outcome["margin"] == pytest.approx(lowest, abs=1e-4)
        assert outcome["shared"] == (2 if image.prediction != image.label else 3)
        assert other["shared"] == 1
        successes += outcome["success"]
        if not outcome["success"]:
            assert other["margin"] == pytest.approx(lowest, abs=1e-4)
            assert (other["stopped"], outcome["stopped"]) == ("exhausted", "exhausted")
    assert 0 < successes < len(together) - 1


def scores(rows: list[list[float]]) -> CandidateScores:
    """Return what a scorer gives for a sweep: the whole score vectors, sorted ones too."""
    table = np.array(rows, np.float32)
    n = len(table)
    top = np.argsort(-table, axis=1)
    zeros, no = np.zeros(n, np.float32), np.zeros(n, bool)
    return CandidateScores(zeros, zeros, top, np.take_along_axis(table, top, 1), no, table)


def test_every_criterion_has_its_own_first_success_and_best_candidate() -> None:
    sweep = Sweep([Criterion(1), Criterion(2), Criterion(3)], script(range(4)), budget=10)
    edits = sweep.next_slice()
    sweep.take(edits, scores([[0.9, 0.1, 0, 0], [0.2, 0.7, 0.1, 0], [0.1, 0.3, 0.6, 0], [0.1, 0.9, 0, 0]]))
    assert len(sweep.next_slice()) == 0
    results = sweep.results()
    assert [result.queries_to_success for result in results] == [2, 3, None]
    assert [result.stopped for result in results] == ["reached", "reached", "exhausted"]
    assert [(result.queries, result.shared) for result in results] == [(4, 3)] * 3
    best = [result.best for result in results]
    assert [int(candidate.edits[0, 0]) for candidate in best[:2] if candidate] == [3, 2]
    assert [candidate.fitness for candidate in best if candidate] == pytest.approx([0.1, 0.4, 1.0], abs=1e-6)


@pytest.mark.parametrize("budget", [1, 20])
def test_a_sweep_ends_at_its_budget(budget: int) -> None:
    sweep = Sweep([Criterion(0), Criterion(1)], script(range(64)), budget)
    while len(edits := sweep.next_slice()):
        sweep.take(edits, scores([[0.1, 0.2, 0.7]] * len(edits)))
    assert [(result.queries, result.stopped) for result in sweep.results()] == [(budget, "budget")] * 2
