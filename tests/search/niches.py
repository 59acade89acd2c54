"""What archives with several niches per class are tested with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from support import assert_same_arrays, frozen, labelled_batch, tiny_target

from evofool.engines.local import LocalEngine
from evofool.search.archive import Archive
from evofool.search.diversity import Diversity

CLASSES = 4
TARGET = tiny_target(classes=CLASSES)
ENGINE = LocalEngine(TARGET)

score_rows = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=CLASSES, max_size=CLASSES)
class_sets = st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=4, unique=True).map(sorted)


def batches(measures: st.SearchStrategy[list[float]]) -> st.SearchStrategy[Any]:
    """Several generations of children, each with its scores and measures."""
    return st.lists(st.lists(st.tuples(score_rows, measures), min_size=1, max_size=6), min_size=1, max_size=6)


def feed(archive: Archive, batch: list[tuple[list[float], list[float]]], generation: int) -> None:
    """Update an archive with children whose pixel is their evaluation ID."""
    evaluation_ids = np.arange(len(batch)) + 20 * generation
    scores, measures = (torch.tensor(part) for part in zip(*batch, strict=True))
    genomes = labelled_batch(evaluation_ids.tolist())
    archive.update(genomes, scores, evaluation_ids, evaluation_ids - 7, generation, measures)


def assert_goes_back_whole(diversity: Diversity) -> None:
    """An archive's state is restored as it was, and one with other measures is refused."""
    archive, again = (diversity.archive(np.array([0, 2]), ENGINE) for _ in range(2))
    assert archive.measures is not None
    width = archive.measures.shape[1]
    generator = np.random.default_rng(0)
    feed(archive, [(generator.random(4).tolist(), generator.random(width).tolist()) for _ in range(9)], 1)
    state = frozen(archive.state())
    again.restore(state, archive.genomes)
    assert_same_arrays(frozen(again.state()), state)
    with pytest.raises(ValueError, match="measures"):
        again.restore(state | {"measures": state["measures"][:, :-1]}, archive.genomes)
