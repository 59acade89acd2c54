"""A grid of descriptors per class, against an oracle that loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from niches import ENGINE, assert_goes_back_whole, batches, class_sets, feed
from support import genomes_of

from evofool.search.grid_archive import Grid

GRID = Grid(("brightness", "complexity"), 3)  # over [0, 1] and [0, 0.2]


@given(class_sets, batches(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.1, 0.4)).map(list)))
def test_it_keeps_the_best_of_each_class_and_cell(class_indices: list[int], generations: Any) -> None:
    archive = GRID.archive(np.array(class_indices), ENGINE)
    best: dict[tuple[int, int], tuple[float, int, list[float]]] = {}
    for generation, batch in enumerate(generations, 1):
        feed(archive, batch, generation)
        for row, (scores, measures) in enumerate(batch):
            highest = ((measures[0], 1.0), (measures[1], 0.2))
            bins = [min(2, max(0, int(np.floor(np.float32(v) / np.float32(top) * 3)))) for v, top in highest]
            for number, index in enumerate(class_indices):
                niche = number * 9 + bins[0] * 3 + bins[1]
                if scores[index] > best.get((niche, index), (-1.0,))[0]:
                    best[niche, index] = scores[index], row + 20 * generation, measures
    assert archive.held().tolist() == sorted(niche for niche, _ in best)
    for (niche, index), (score, evaluation_id, measures) in best.items():
        assert (archive.class_of_niche[niche], archive.evaluation_id[niche]) == (index, evaluation_id)
        assert float(archive.confidence[niche]) == float(archive.kept.values[niche, index]) == score
        assert genomes_of(archive).genes[niche].item() == evaluation_id
        assert archive.measures is not None
        torch.testing.assert_close(archive.measures[niche], torch.tensor(measures))
    for number, niche in enumerate(archive.surest().tolist()):
        of_class = [score for (other, _), (score, _, _) in best.items() if other // 9 == number]
        assert (niche // 9, float(archive.surest_confidence()[number])) == (number, max(of_class))


def test_a_record_says_the_bins_and_what_they_stand_for() -> None:
    archive = GRID.archive(np.array([1, 2]), ENGINE)
    feed(archive, [([0.1, 0.2, 0.3, 0.4], [0.5, 0.19])], 1)
    places = GRID.places(archive, archive.held())
    assert [place["cell"] for place in places] == [[1, 2], [1, 2]]
    assert places[0]["descriptors"] == pytest.approx({"brightness": 0.5, "complexity": 0.19})


def test_a_state_goes_back_whole() -> None:
    assert_goes_back_whole(GRID)


def test_only_children_that_could_enter_are_contenders() -> None:
    archive = Grid(("brightness",), 2).archive(np.array([0, 1]), ENGINE)
    feed(archive, [([0.5, 0.9, 0.0, 0.0], [0.1])], 1)
    assert archive.contenders(torch.tensor([[0.0, 0.0, 1.0, 1.0]])).tolist() == [0]  # there is room yet
    feed(archive, [([0.7, 0.2, 0.0, 0.0], [0.9])], 2)
    rows = torch.tensor([[0.4, 0.1, 1.0, 1.0], [0.6, 0.0, 0.0, 0.0], [0.0, 0.3, 0.0, 0.0]])
    assert archive.contenders(rows).tolist() == [1, 2]
