"""Taking down a run's history: every change, the genomes of all elites, and nothing twice after a restart."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import history_of
from support import build, tiny_target

from evofool import Target
from evofool.config.evolve import EvolveOptions
from evofool.encodings.direct.encoding import DirectBatch
from evofool.engines.population import NO_EVALUATION
from evofool.rng import Rng
from evofool.search.evolution import Evolution
from evofool.store.history import recorder
from evofool.store.history.recorder import PICTURE, Recorder

ENCODINGS = ["direct", "cppn"]
COLUMNS = ("generation", "niche", "evaluation_id", "parent", "score")


def start(target: Target, encoding: str, seed: int = 0) -> Evolution:
    coded = build(encoding, "default", target.image_shape)
    return Evolution(target, coded, EvolveOptions(batch=12, seed=seed, selector="uniform", emitters=("vary",)))


def log(evolution: Evolution) -> list[tuple[Any, ...]]:
    """The elites as they stand: a row for every niche."""
    archive = evolution.archive
    scores = archive.confidence.tolist()
    return [
        (
            int(archive.generation[niche]),
            niche,
            int(archive.evaluation_id[niche]),
            int(archive.parent[niche]),
            scores[niche],
        )
        for niche in range(len(archive))
    ]


def recorded(run: Path) -> list[tuple[Any, ...]]:
    changes = history_of(run).changes()
    return list(zip(*(getattr(changes, name).tolist() for name in COLUMNS), strict=True))


def genomes(run: Path, evaluation_id: set[int]) -> dict[int, dict[str, np.ndarray]]:
    found: dict[int, dict[str, np.ndarray]] = {}
    for children, arrays in history_of(run).genomes(evaluation_id):
        for row, child in enumerate(children.tolist()):
            assert child not in found, "twice"
            found[child] = {name: array[row] for name, array in arrays.items()}
    return found


def evolve(
    evolution: Evolution, notes: Recorder, generations: int, flush: int = 4
) -> tuple[list[tuple[Any, ...]], dict[int, dict[str, np.ndarray]]]:
    """Steps, recorded; what a slow and obvious recorder would have: rows of changes, and the genomes by ``evaluation_id``."""
    rows: list[tuple[Any, ...]] = []
    seen: dict[int, dict[str, np.ndarray]] = {}
    known = log(evolution)
    for step in range(generations):
        evolution.step()
        notes.note(evolution)
        if step % flush == flush - 1:
            notes.flush(evolution)
        now = log(evolution)
        for niche in range(4):
            if now[niche] != known[niche]:
                rows.append(now[niche])
                dump = evolution.encoding.dump(evolution.archive.genomes.take(np.array([niche])))
                seen[now[niche][2]] = {name: array[0] for name, array in dump.items()}
        known = now
    notes.flush(evolution)
    return rows, seen


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_changes_and_all_elites_are_there(encoding: str, target: Target, tmp_path: Path) -> None:
    evolution = start(target, encoding)
    rows, seen = evolve(evolution, Recorder(history_of(tmp_path)), 25)
    assert len(rows) > 12
    assert recorded(tmp_path) == rows
    found = genomes(tmp_path, set(range(10_000)))
    assert found.keys() == seen.keys()
    assert history_of(tmp_path).kept().tolist() == sorted(seen)
    for evaluation_id, arrays in seen.items():
        assert found[evaluation_id].keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[evaluation_id][name], array)
    some = set(sorted(seen)[::3])
    assert genomes(tmp_path, some | {99_999}).keys() == some


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_lineage_goes_back_to_a_first_ancestor(encoding: str, target: Target, tmp_path: Path) -> None:
    evolution = start(target, encoding)
    evolve(evolution, Recorder(history_of(tmp_path)), 25)
    changes = history_of(tmp_path).changes()
    longest = 0
    for niche in range(4):
        line = changes.lineage(int(evolution.archive.evaluation_id[niche]), niche)
        assert changes.evaluation_id[line[-1]] == evolution.archive.evaluation_id[niche]
        assert changes.niche[line[-1]] == niche
        assert changes.parent[line[0]] == NO_EVALUATION
        for parent, child in pairwise(line):
            assert changes.parent[child] == changes.evaluation_id[parent]
            assert changes.generation[parent] < changes.generation[child]
        longest = max(longest, len(line))
    assert longest > 2


def test_large_direct_genomes_are_kept_as_small_pictures(tmp_path: Path) -> None:
    target = tiny_target(size=120)
    evolution = start(target, "direct")
    _, seen = evolve(evolution, Recorder(history_of(tmp_path)), 3)
    found = genomes(tmp_path, set(seen))
    for evaluation_id, arrays in seen.items():
        small, large = found[evaluation_id]["genes"], arrays["genes"].astype(float)
        assert small.shape == (3, PICTURE, PICTURE)
        assert small.dtype == np.uint8
        coarse, expected = small.reshape(3, 3, 32, 3, 32), large.reshape(3, 3, 40, 3, 40)
        np.testing.assert_allclose(coarse.mean((2, 4)), expected.mean((2, 4)), atol=2)


def test_a_flat_picture_stays_what_it_is() -> None:
    batch = DirectBatch(build("direct", "default", (1, 200, 100)).random(2, Rng(0)).genes * 0 + 77)
    small = recorder._reduced(batch).genes
    assert small.shape == (2, 1, 96, 48)
    assert (small == 77).all()


def test_nothing_is_written_between_checkpoints(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evolution, notes = start(target, "direct"), Recorder(history_of(tmp_path))
    evolution.step()
    notes.note(evolution)
    assert not (tmp_path / "history").exists()
    notes.note(evolution)
    notes.flush(evolution)
    notes.flush(evolution)
    assert len(list((tmp_path / "history").iterdir())) == 1
    monkeypatch.setattr(recorder, "BUFFER", 1)  # what is too much to wait is written at once
    while len(list((tmp_path / "history").iterdir())) == 1:
        evolution.step()
        notes.note(evolution)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("lost", [0, 1, 7])
def test_after_a_restart_the_history_is_an_undisturbed_run_s(
    encoding: str, lost: int, target: Target, tmp_path: Path
) -> None:
    """A run that was killed ``lost`` generations after its checkpoint, with a history that is ahead of it."""
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    for run in (undisturbed, disturbed):
        run.mkdir()
    evolve(start(target, encoding), Recorder(history_of(undisturbed)), 20)
    first, notes = start(target, encoding), Recorder(history_of(disturbed))
    evolve(first, notes, 9)
    state = first.state()
    evolve(first, notes, lost, flush=1)
    again, notes = start(target, encoding), Recorder(history_of(disturbed))
    again.restore(state)
    notes.go_on(again)
    evolve(again, notes, 11)
    assert recorded(disturbed) == recorded(undisturbed)
    assert history_of(disturbed).kept().tolist() == history_of(undisturbed).kept().tolist()


def test_a_run_that_starts_anew_forgets_all(target: Target, tmp_path: Path) -> None:
    evolve(start(target, "direct"), Recorder(history_of(tmp_path)), 5)
    Recorder(history_of(tmp_path)).go_on(start(target, "direct"))
    assert recorded(tmp_path) == []
    assert list((tmp_path / "history").iterdir()) == []


def test_elites_that_no_history_knows_are_taken_down_at_a_restart(target: Target, tmp_path: Path) -> None:
    """As when the history was removed, or the run is older than histories."""
    evolution = start(target, "cppn")
    for _ in range(10):
        evolution.step()
    notes = Recorder(history_of(tmp_path))
    notes.go_on(evolution)
    before = log(evolution)
    rows, seen = evolve(evolution, notes, 10)
    assert recorded(tmp_path) == sorted(before, key=lambda row: row[0]) + rows
    assert history_of(tmp_path).kept().tolist() == sorted(set(seen) | {row[2] for row in before})
