"""Recording a run's history: every change, the genomes of all elites, and nothing twice after a restart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import history_of
from support import build, tiny_target

from evofool import Target
from evofool.config.evolve import EvolveOptions
from evofool.encodings.direct.batch import DirectBatch
from evofool.engines.population import NO_EVALUATION
from evofool.rng import Rng
from evofool.search.evolution import Evolution
from evofool.store.history import recorder as recorder_module
from evofool.store.history.columns import COLUMNS
from evofool.store.history.recorder import MAX_PICTURE_EDGE, Recorder, reduced

ENCODINGS = ["direct", "cppn"]


def start(target: Target, encoding: str, seed: int = 0) -> Evolution:
    options = EvolveOptions(batch=12, seed=seed, selector="uniform", emitters=("vary",))
    return Evolution(target, build(encoding, "default", target.image_shape), options)


def recorder_of(run: Path) -> Recorder:
    """Return a recorder that writes at once."""
    return Recorder(history_of(run), lambda write: write())


def rows_of(evolution: Evolution) -> list[tuple[Any, ...]]:
    """Return the elites as they stand, as a row per niche."""
    archive = evolution.archive
    columns = (archive.generation, np.arange(len(archive)), archive.evaluation_id, archive.parent, archive.confidence)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def recorded(run: Path) -> list[tuple[Any, ...]]:
    changes = history_of(run).changes()
    return list(zip(*(getattr(changes, name).tolist() for name in COLUMNS), strict=True))


def genomes_of(run: Path, wanted: set[int]) -> dict[int, dict[str, np.ndarray]]:
    genomes: dict[int, dict[str, np.ndarray]] = {}
    for children, arrays in history_of(run).genomes(wanted):
        for row, child in enumerate(children.tolist()):
            assert child not in genomes, "twice"
            genomes[child] = {name: array[row] for name, array in arrays.items()}
    return genomes


def evolve(
    evolution: Evolution, recorder: Recorder, generations: int, flush: int = 4
) -> tuple[list[tuple[Any, ...]], dict[int, dict[str, np.ndarray]]]:
    """Run some generations, recorded, with a flush after every few of them.

    Returns:
        What a slow and obvious recorder would have: rows of changes, and the genomes by ``evaluation_id``.
    """
    rows: list[tuple[Any, ...]] = []
    seen: dict[int, dict[str, np.ndarray]] = {}
    before = rows_of(evolution)
    for step in range(generations):
        evolution.step()
        recorder.record(evolution)
        if step % flush == flush - 1:
            recorder.flush(evolution)
        now = rows_of(evolution)
        for niche in range(4):
            if now[niche] != before[niche]:
                rows.append(now[niche])
                dump = evolution.encoding.dump(evolution.archive.genomes.take(np.array([niche])))
                seen[now[niche][2]] = {name: array[0] for name, array in dump.items()}
        before = now
    recorder.flush(evolution)
    return rows, seen


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_changes_and_all_elites_are_there(encoding: str, target: Target, tmp_path: Path) -> None:
    evolution = start(target, encoding)
    rows, seen = evolve(evolution, recorder_of(tmp_path), 25)
    assert len(rows) > 12
    assert recorded(tmp_path) == rows
    genomes = genomes_of(tmp_path, set(range(10_000)))
    assert genomes.keys() == seen.keys()
    assert history_of(tmp_path).genome_ids().tolist() == sorted(seen)
    for child, arrays in seen.items():
        assert genomes[child].keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(genomes[child][name], array)
    some = set(sorted(seen)[::3])
    assert genomes_of(tmp_path, some | {99_999}).keys() == some


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_lineage_goes_back_to_a_first_ancestor(encoding: str, target: Target, tmp_path: Path) -> None:
    evolution = start(target, encoding)
    evolve(evolution, recorder_of(tmp_path), 25)
    changes = history_of(tmp_path).changes()
    longest = 0
    for niche in range(4):
        lineage = changes.lineage(int(evolution.archive.evaluation_id[niche]), niche)
        assert changes.evaluation_id[lineage[-1]] == evolution.archive.evaluation_id[niche]
        assert changes.niche[lineage[-1]] == niche
        assert changes.parent[lineage[0]] == NO_EVALUATION
        for parent, child in pairwise(lineage):
            assert changes.parent[child] == changes.evaluation_id[parent]
            assert changes.generation[parent] < changes.generation[child]
        longest = max(longest, len(lineage))
    assert longest > 2


def test_large_direct_genomes_are_kept_as_small_pictures(tmp_path: Path) -> None:
    target = tiny_target(size=120)
    evolution = start(target, "direct")
    _, seen = evolve(evolution, recorder_of(tmp_path), 3)
    genomes = genomes_of(tmp_path, set(seen))
    for child, arrays in seen.items():
        small, large = genomes[child]["genes"], arrays["genes"].astype(float)
        assert small.shape == (3, MAX_PICTURE_EDGE, MAX_PICTURE_EDGE)
        assert small.dtype == np.uint8
        coarse, expected = small.reshape(3, 3, 32, 3, 32), large.reshape(3, 3, 40, 3, 40)
        np.testing.assert_allclose(coarse.mean((2, 4)), expected.mean((2, 4)), atol=2)


def test_a_flat_picture_stays_what_it_is() -> None:
    batch = DirectBatch(build("direct", "default", (1, 200, 100)).random(2, Rng(0)).genes * 0 + 77)
    small = reduced(batch).genes
    assert small.shape == (2, 1, 96, 48)
    assert (small == 77).all()


def test_nothing_is_written_between_checkpoints_but_what_is_too_much_to_wait(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evolution, recorder = start(target, "direct"), recorder_of(tmp_path)
    evolution.step()
    recorder.record(evolution)
    assert not (tmp_path / "history").exists()
    recorder.record(evolution)
    recorder.flush(evolution)
    recorder.flush(evolution)
    assert len(list((tmp_path / "history").iterdir())) == 1
    monkeypatch.setattr(recorder_module, "MAX_WAITING_BYTES", 1)
    for _ in range(100):
        evolution.step()
        recorder.record(evolution)
    assert len(list((tmp_path / "history").iterdir())) > 1


def test_what_is_recorded_is_written_later_as_it_was(target: Target, tmp_path: Path) -> None:
    """The evolution goes on while the thread that writes has not begun yet."""
    waiting: list[Callable[[], object]] = []
    evolution, recorder = start(target, "direct"), Recorder(history_of(tmp_path), waiting.append)
    rows, seen = evolve(evolution, recorder, 10)
    assert not (tmp_path / "history").exists()
    for write in waiting:
        write()
    assert recorded(tmp_path) == rows
    genomes = genomes_of(tmp_path, set(seen))
    assert all((genomes[child]["genes"] == arrays["genes"]).all() for child, arrays in seen.items())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("lost", [0, 1, 7])
def test_after_a_restart_the_history_is_an_undisturbed_run_s(
    encoding: str, lost: int, target: Target, tmp_path: Path
) -> None:
    """A run that was killed ``lost`` generations after its checkpoint, with a history that is ahead of it."""
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    for run in (undisturbed, disturbed):
        run.mkdir()
    evolve(start(target, encoding), recorder_of(undisturbed), 20)
    first, recorder = start(target, encoding), recorder_of(disturbed)
    evolve(first, recorder, 9)
    state = first.state()
    evolve(first, recorder, lost, flush=1)
    again, recorder = start(target, encoding), recorder_of(disturbed)
    again.restore(state)
    recorder.resume(again)
    evolve(again, recorder, 11)
    assert recorded(disturbed) == recorded(undisturbed)
    assert history_of(disturbed).genome_ids().tolist() == history_of(undisturbed).genome_ids().tolist()


def test_a_run_that_starts_anew_forgets_all(target: Target, tmp_path: Path) -> None:
    evolve(start(target, "direct"), recorder_of(tmp_path), 5)
    recorder_of(tmp_path).resume(start(target, "direct"))
    assert recorded(tmp_path) == []
    assert list((tmp_path / "history").iterdir()) == []


def test_elites_that_the_history_lacks_are_recorded_at_a_restart(target: Target, tmp_path: Path) -> None:
    """The history was removed."""
    evolution = start(target, "cppn")
    for _ in range(10):
        evolution.step()
    recorder = recorder_of(tmp_path)
    recorder.resume(evolution)
    before = rows_of(evolution)
    rows, seen = evolve(evolution, recorder, 10)
    assert recorded(tmp_path) == sorted(before, key=lambda row: row[0]) + rows
    assert history_of(tmp_path).genome_ids().tolist() == sorted(set(seen) | {row[2] for row in before})
