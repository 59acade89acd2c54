"""Checkpoints and history from strangers, who know how they are sealed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from file_fates import damaged_fate, same
from hostile import LONG, Fate, Sandbox, fuzz, tried
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged
from run_uses import RUNS, use
from runs import json_lines

from evofool.io.arrays import Arrays, read_arrays, write_arrays

VALUES = (0, 1, -1, 2, 127, -128, 2**15 - 1, 2**31 - 1, 2**62, np.nan, np.inf, -np.inf, 0.5)


@st.composite
def arrays(draw: Any, sample: Arrays) -> Arrays:
    """Draw a checkpoint's or history's arrays with some changed, missing, or of another kind."""
    changed = dict(sample)
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(sample)))
        array = np.array(sample[name])
        how = draw(st.sampled_from(["value"] * 4 + ["out", "kind", "shape", "cut", "twice", "empty", "scalar"]))
        if how == "value" and array.size:
            number = np.array(draw(st.sampled_from(VALUES)))
            where = ... if draw(st.booleans()) else np.unravel_index(draw(st.integers(0, array.size - 1)), array.shape)
            with np.errstate(all="ignore"):
                array[where] = number.astype(array.dtype)
        elif how == "out":
            changed.pop(name, None)
            continue
        elif how == "kind":
            with np.errstate(all="ignore"):
                array = array.astype(draw(st.sampled_from([np.uint8, np.int64, np.float32, np.float64, "?", "S5"])))
        elif how == "shape":
            array = array.reshape(-1)
        elif how == "cut" and array.ndim:
            array = array[:-1]
        elif how == "twice" and array.ndim:
            array = np.concatenate([array, array])
        elif how == "empty":
            array = np.zeros((0, *array.shape[1:]), array.dtype)
        elif how == "scalar":
            array = np.array(draw(st.sampled_from([0, -1, 2**62, np.nan])))
        changed[name] = array
    return changed


HEAD = ("format", "job")
"""Arrays that say which file it is; they are compared as values."""


def alike(ours: Arrays, theirs: Arrays) -> bool:
    """Return whether two files have arrays of the same names, types and shapes; the head may have other types."""
    return ours.keys() == theirs.keys() and all(
        name in HEAD or (ours[name].dtype, ours[name].shape) == (array.dtype, array.shape)
        for name, array in theirs.items()
    )


def of_this_job(ours: Arrays, theirs: Arrays) -> bool:
    """Return whether a file says that it is of the same format and job as another."""
    return all(name in ours and _numbers(ours[name]) == _numbers(theirs[name]) for name in HEAD)


def _numbers(array: np.ndarray) -> list[int] | None:
    """The whole numbers in an array of any kind, which may have them as text."""
    try:
        return [int(value) for value in array.ravel().tolist()]
    except (ValueError, OverflowError):
        return None


def sealed(content: Arrays, folder: Path, *, compress: bool = False) -> bytes:
    """Return a file of these arrays."""
    write_arrays(folder / "sealed.npz", content, compress=compress)
    return (folder / "sealed.npz").read_bytes()


def archive_can_be(state: Arrays, classes: np.ndarray) -> bool:
    """Return whether a run whose niches are of these classes can have the elites of a checkpoint."""
    if not np.array_equal(state["search.archive.class_of_niche"], classes):
        return False
    generation, evaluations, confirmations = state["search.counts"].tolist()
    columns = (state[f"search.archive.{name}"] for name in ("evaluation_id", "parent", "generation", "confidence"))
    for niche, (evaluation_id, parent, first, confidence) in enumerate(zip(*columns, strict=True)):
        if evaluation_id == -1 and (parent, first, confidence) == (-1, 0, -1):
            continue
        score = state["search.archive.scores"][niche, classes[niche]]
        if not (-1 <= parent < evaluation_id < evaluations and 1 <= first <= generation and confidence == score >= 0):
            return False
        if not np.isfinite(state.get("search.archive.measures", np.zeros(niche + 1))[niche]).all():
            return False
    return bool(generation >= 0 <= confirmations and 0 <= state["seconds"] < np.inf)


def checkpoint_fate(changed: Arrays, before: Arrays) -> Fate:
    """Return what has to become of a run with another checkpoint."""
    if not alike(changed, before) or not of_this_job(changed, before):
        return Fate.REFUSED
    if not archive_can_be(changed, before["search.archive.class_of_niche"]):
        return Fate.REFUSED
    return Fate.LOADS if same(changed, before) else Fate.MAY_LOAD


@fuzz(0.05)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)))
def test_a_checkpoint_that_lies(data: Any, kind: str, boxes: dict[str, Sandbox], tmp_path_factory: Any) -> None:
    """What a stranger changed and sealed anew is refused, or can be evolved further."""
    box = boxes[kind]
    before = read_arrays(box.inside / "checkpoint" / "state.npz")
    changed = data.draw(arrays(before))
    content = sealed(changed, tmp_path_factory.getbasetemp())
    box.held(
        "checkpoints", "checkpoint/state.npz", content, lambda: use("resume", box.inside),
        checkpoint_fate(changed, before), box.inside,
    )  # fmt: skip


def test_a_checkpoint_of_negative_counts_is_refused(boxes: dict[str, Sandbox], tmp_path: Path) -> None:
    box = boxes["direct"]
    before = read_arrays(box.inside / "checkpoint" / "state.npz")
    content = sealed(before | {"search.counts": np.full(3, -(2**62))}, tmp_path)
    box.held(
        "checkpoints", "checkpoint/state.npz", content, lambda: use("resume", box.inside), Fate.REFUSED, box.inside
    )


@pytest.mark.parametrize("name", ["slot", "genomes.genes", "seconds", "rng.host", "search.counts"])
def test_a_checkpoint_that_lacks_something_is_refused(name: str, boxes: dict[str, Sandbox], tmp_path: Path) -> None:
    box = boxes["direct"]
    before = read_arrays(box.inside / "checkpoint" / "state.npz")
    del before[name]
    box.held(
        "checkpoints", "checkpoint/state.npz", sealed(before, tmp_path), lambda: use("resume", box.inside),
        Fate.REFUSED, box.inside,
    )  # fmt: skip


@fuzz(0.03)
@given(data=st.data())
def test_a_checkpoint_damaged(data: Any, boxes: dict[str, Sandbox]) -> None:
    box = boxes["direct"]
    before = (box.inside / "checkpoint" / "state.npz").read_bytes()
    content = data.draw(damaged(before))
    box.held(
        "checkpoint bytes", "checkpoint/state.npz", content, lambda: use("resume", box.inside),
        damaged_fate(content, before), box.inside,
    )  # fmt: skip


COLUMNS = {"generation": "int32", "niche": "int32", "evaluation_id": "int64", "parent": "int64", "score": "float32"}
"""Types of the arrays of a history that a page reads whether it shows ancestors or not."""


def history_fate(changed: Arrays, before: Arrays) -> Fate:
    """Return what has to become of a run with another history."""
    columns = {name: changed[name] for name in COLUMNS if name in changed}
    kinds = {name: column.dtype.name for name, column in columns.items() if column.ndim == 1}
    if kinds != COLUMNS or not of_this_job(changed, before) or len({*map(len, columns.values())}) != 1:
        return Fate.REFUSED
    rows = zip(*columns.values(), strict=True)
    if not all(row[0] >= 1 and row[1] >= 0 and row[2] >= 0 and row[3] < row[2] and 0 <= row[4] < 1.001 for row in rows):
        return Fate.REFUSED
    return Fate.LOADS if same(changed, before) else Fate.MAY_LOAD


@fuzz(0.05)
@given(data=st.data(), kind=st.sampled_from(list(RUNS)))
def test_a_history_that_lies(data: Any, kind: str, boxes: dict[str, Sandbox], tmp_path_factory: Any) -> None:
    box = boxes[kind]
    file = sorted((box.inside / "history").glob("*.npz"))[0]
    before = read_arrays(file)
    changed = data.draw(arrays(before))
    content = sealed(changed, tmp_path_factory.getbasetemp(), compress=True)
    box.held(
        "history", str(file.relative_to(box.inside)), content, lambda: use("show", box.inside),
        history_fate(changed, before), box.inside,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "fate"), [
    ("a chain", Fate.LOADS), ("a crowd", Fate.LOADS), ("a circle", Fate.REFUSED), ("its own child", Fate.REFUSED),
])  # fmt: skip
def test_a_history_of_many_changes_is_shown_in_time_or_refused(
    kind: str, fate: Fate, boxes: dict[str, Sandbox], tmp_path: Path
) -> None:
    """A child may descend from many others; of those that descend from themselves there is no first ancestor."""
    run = Path(shutil.copytree(boxes["direct"].inside, tmp_path / "run"))
    n, elite = 200_000 if LONG else 20_000, json_lines(run / "elites.jsonl")[0]["evaluation"]
    file = sorted((run / "history").glob("*.npz"))[0]
    rows = np.arange(n)
    evaluation_id, parent = {
        "a chain": (rows, rows - 1),
        "a circle": (rows, (rows + 1) % n),
        "its own child": (np.full(n, elite), np.full(n, elite)),
        "a crowd": (np.full(n, elite), np.full(n, -1)),
    }[kind]
    changes = {
        "generation": np.full(n, 2, np.int32), "niche": rows.astype(np.int32), "evaluation_id": evaluation_id,
        "parent": parent, "score": np.full(n, 0.5, np.float32), "genome_id": np.empty(0, np.int64),
    }  # fmt: skip
    write_arrays(file, changes | read_arrays(file, HEAD), compress=True)
    tried("history", lambda: use("show", run), fate, run, seconds=20)
