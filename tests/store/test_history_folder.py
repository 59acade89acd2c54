"""The history on disk: small, in order, without doubles, and damage named in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import run_config

from evofool.errors import RunError
from evofool.io.arrays import Arrays, read_arrays, write_arrays
from evofool.store.history import HistoryFolder
from evofool.store.history.changes import select_genomes
from evofool.store.history.columns import COLUMNS
from evofool.store.history.folder import LIMITS, Limits

EVERYTHING = set(range(100, 6100))
"""The evaluation IDs of all children."""


def history_of(run: Path, limits: Limits | None = None) -> HistoryFolder:
    return HistoryFolder(run, run_config().digest(), limits)


def part(generation: int, niches: int = 3, size: int = 40) -> Arrays:
    """Return what one generation changed: a new elite in every niche, child of the one before; genomes are noise."""
    evaluation_id = generation * 100 + np.arange(niches)
    noise = np.random.default_rng(generation).integers(0, 256, (niches, 1, size, size), np.uint8)
    return {
        "generation": np.full(niches, generation, np.int32),
        "niche": np.arange(niches, dtype=np.int32),
        "evaluation_id": evaluation_id,
        "parent": evaluation_id - 100 if generation > 1 else np.full(niches, -1, np.int64),
        "score": np.full(niches, 1 - 0.9**generation, np.float32),
        "genome_id": evaluation_id,
        "genome.genes": noise,
    }


def filled(run: Path, generations: int, limits: Limits | None = None, **options: int) -> HistoryFolder:
    history = history_of(run, limits)
    for generation in range(1, generations + 1):
        history.add(part(generation, **options))
    return history


def all_genomes(history: HistoryFolder) -> dict[int, bytes]:
    genomes: dict[int, bytes] = {}
    for evaluation_ids, arrays in history.genomes(EVERYTHING):
        for child, genes in zip(evaluation_ids.tolist(), arrays["genes"], strict=True):
            assert child not in genomes, "twice"
            genomes[child] = genes.tobytes()
    return genomes


def assert_whole(history: HistoryFolder, generations: int) -> None:
    """Check that everything that was added is there, once and in order."""
    parts = [part(generation) for generation in range(1, generations + 1)]
    changes = history.changes()
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(changes, name), np.concatenate([p[name] for p in parts]))
    expected = {
        child: genes.tobytes()
        for p in parts
        for child, genes in zip(p["genome_id"].tolist(), p["genome.genes"], strict=True)
    }
    assert all_genomes(history) == expected
    assert history.genome_ids().tolist() == sorted(expected)


def files(run: Path) -> list[str]:
    return sorted(file.name for file in (run / "history").iterdir())


def test_a_run_without_a_history_has_no_changes(tmp_path: Path) -> None:
    history = history_of(tmp_path)
    assert len(history.changes()) == len(history.genome_ids()) == 0
    assert all_genomes(history) == {}
    assert len(history.changes().elites()) == 0
    history.cut(3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("generations", [1, 15, 16, 17, 40])
def test_many_small_files_become_one(generations: int, tmp_path: Path) -> None:
    history = filled(tmp_path, generations)
    assert len(files(tmp_path)) < LIMITS.small_files
    assert_whole(history, generations)


def test_large_files_stay_as_they_are(tmp_path: Path) -> None:
    history = filled(tmp_path, 20, Limits(small_file_bytes=1000))
    assert len(files(tmp_path)) == 20
    assert_whole(history, 20)


def test_a_kill_between_merge_and_removal_leaves_no_doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = filled(tmp_path, 15)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            history.add(part(16))
    assert len(files(tmp_path)) == 16
    assert_whole(history, 16)
    history.add(part(17))  # merges again, what is there twice too
    assert len(files(tmp_path)) == 1
    assert_whole(history, 17)
    history.cut(9)
    assert_whole(history, 9)


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("generation", [0, 1, 7, 14, 18, 30])
def test_a_cut_forgets_what_came_after(generation: int, merged: bool, tmp_path: Path) -> None:
    history = filled(tmp_path, 18, LIMITS if merged else Limits(small_files=100))
    assert (len(files(tmp_path)) < 18) == merged
    history.cut(generation)
    left = min(generation, 18)
    assert len(history.changes()) == len(history.genome_ids()) == 3 * left
    if left:
        assert_whole(history, left)
    for later in range(generation + 1, 19):
        history.add(part(later))
    assert_whole(history, 18)


def test_thinning_keeps_ancestors_and_all_rows(tmp_path: Path) -> None:
    """Of 90 genomes, 60 are elites or their ancestors, half of which fit."""
    history = history_of(tmp_path)
    for generation in range(1, 31):
        arrays = part(generation)
        arrays["parent"][2] = -1
        history.add(arrays)
    before = history.changes()
    history = history_of(tmp_path, Limits(history_bytes=110_000))  # of some 145,000 bytes of noise
    history.add({name: array[:0] for name, array in part(31).items()})
    after, kept = history.changes(), set(history.genome_ids().tolist())
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert kept == {100 * generation + niche for generation in range(2, 31, 2) for niche in (0, 1)} | {3002}
    genomes = all_genomes(history)
    assert genomes.keys() == kept
    for child, genes in genomes.items():
        assert genes == part(child // 100)["genome.genes"][child % 100].tobytes()


def test_ancestors_of_present_elites_go_before_others(tmp_path: Path) -> None:
    history = history_of(tmp_path)
    for generation in range(1, 31):
        arrays = part(generation)
        arrays["parent"][1:] = -1
        history.add(arrays)
    changes = history.changes()
    lineage = {generation * 100 for generation in range(1, 31)}
    for count in (32, 40, 60):
        selected = set(select_genomes(changes, count).tolist())
        assert lineage | {3001, 3002} <= selected
        assert len(selected) <= count
    assert len(select_genomes(changes, 60)) > len(select_genomes(changes, 32))
    selected = set(select_genomes(changes, 12).tolist())
    assert {3000, 3001, 3002} <= selected
    assert selected <= lineage | {3001, 3002}
    assert len(select_genomes(changes, 2)) == 2
    assert len(select_genomes(changes, 0)) == 0


def test_a_history_stays_below_its_limit(tmp_path: Path) -> None:
    filled(tmp_path, 60, Limits(history_bytes=60_000))
    assert sum(file.stat().st_size for file in (tmp_path / "history").iterdir()) < 60_000
    assert len(history_of(tmp_path).changes()) == 180


def test_a_child_that_won_several_niches_is_one_ancestor(tmp_path: Path) -> None:
    """The row of the niche that is asked for is taken, else the surest."""
    history = history_of(tmp_path)
    history.add({
        "generation": np.array([1, 1, 2], np.int32), "niche": np.array([0, 1, 2], np.int32),
        "evaluation_id": np.array([5, 5, 9]), "parent": np.array([-1, -1, 5]),
        "score": np.array([0.2, 0.6, 0.9], np.float32), "genome_id": np.empty(0, np.int64),
    })  # fmt: skip
    changes = history.changes()
    assert [changes.lineage(9, niche) for niche in (0, 1, 2)] == [[0, 2], [1, 2], [1, 2]]
    assert changes.lineage(7, 0) == []
    assert changes.elites().tolist() == [0, 1, 2]
    assert changes.by_class(2).niche.tolist() == [0, 0, 1]


# Damage


def use(history: HistoryFolder) -> None:
    history.changes()
    history.genome_ids()
    all_genomes(history)


def refused(run: Path, *parts: str) -> None:
    with pytest.raises(RunError) as caught:
        use(history_of(run))
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(run / "history"), *parts, f"go on without it with: evofool inspect --repair {run}"):
        assert part in message
    assert [(file.name, f"{file} " in fault) for file, fault in history_of(run).damaged()] == [("00001.npz", True)]


def rewrite(run: Path, changes: dict[str, Any]) -> None:
    """Change arrays of a history's only file, and seal it anew; None takes an array out."""
    file = run / "history" / "00001.npz"
    arrays = read_arrays(file) | changes
    write_arrays(file, {name: array for name, array in arrays.items() if array is not None})


def test_any_flipped_or_missing_byte_is_noticed_or_does_no_harm(tmp_path: Path) -> None:
    history = filled(tmp_path, 1, size=2)
    changes, genomes = history.changes(), all_genomes(history)
    file = tmp_path / "history" / "00001.npz"
    content, messages = file.read_bytes(), []
    variants = [content[:length] for length in range(0, len(content), 97)]
    variants += [content[:i] + bytes([content[i] ^ 129]) + content[i + 1 :] for i in range(0, len(content), 3)]
    for variant in variants:
        file.write_bytes(variant)
        try:
            for name in COLUMNS:
                np.testing.assert_array_equal(getattr(history.changes(), name), getattr(changes, name))
            assert all_genomes(history) == genomes
        except RunError as error:
            messages.append(str(error))
    assert len(messages) > len(variants) / 3
    assert not any("\n" in message for message in messages)


DAMAGE: dict[str, Any] = {
    "missing": lambda array: None,
    "short": lambda array: array[:-1],
    "type": lambda array: np.full(len(array), "x"),
    "shape": lambda array: np.zeros((), array.dtype),
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in (*COLUMNS, "genome_id") for damage in DAMAGE),
        ("genome.genes", "short"),
        ("genome.genes", "shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, damage: str, tmp_path: Path) -> None:
    """What genomes are made of is checked by their encoding when it loads them."""
    filled(tmp_path, 1)
    rewrite(tmp_path, {name: DAMAGE[damage](part(1)[name])})
    refused(tmp_path, "is damaged (")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("generation", 0), ("generation", -(2**31)), ("niche", -1), ("evaluation_id", -1), ("parent", 100),
        ("score", -0.1), ("score", 1.1), ("score", np.nan), ("score", np.inf),
    ],
)  # fmt: skip
def test_values_that_cannot_be_are_refused(name: str, value: float, tmp_path: Path) -> None:
    filled(tmp_path, 1)
    rewrite(tmp_path, {name: np.full(3, value, COLUMNS[name])})
    with pytest.raises(RunError, match=r"is damaged .*go on without it with: evofool inspect --repair"):
        history_of(tmp_path).changes()
    assert [file.name for file, _ in history_of(tmp_path).damaged()] == ["00001.npz"]


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (np.array(1), "has format 1, this version of evofool reads 2"),
        (np.array(3), "has format 3, this version of evofool reads 2"),
        (np.array("x"), "is damaged ("),
        (np.zeros(3), "is damaged ("),
        (np.array(np.nan), "is damaged ("),
        (None, "is damaged (it has no array format)"),
    ],
    ids=str,
)
def test_another_version_is_refused(version: np.ndarray | None, message: str, tmp_path: Path) -> None:
    filled(tmp_path, 1)
    rewrite(tmp_path, {"format": version})
    refused(tmp_path, message)


@pytest.mark.parametrize("job", [None, np.zeros(32, np.uint8), np.zeros(3, np.uint8), np.array("x")], ids=str)
def test_a_file_without_the_digest_of_the_run_is_refused(job: np.ndarray | None, tmp_path: Path) -> None:
    filled(tmp_path, 1)
    rewrite(tmp_path, {"job": job})
    refused(tmp_path, "is damaged (it has no array job)" if job is None else "is of another run")


def test_a_file_of_another_run_is_refused(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.mkdir()
    other.mkdir()
    filled(ours, 3)
    HistoryFolder(other, run_config({"seed": 1}).digest()).add(part(2))
    (other / "history" / "00001.npz").rename(ours / "history" / "00002.npz")
    with pytest.raises(RunError, match=r"00002\.npz is of another run; .*evofool inspect --repair"):
        history_of(ours).changes()
    assert [file.name for file, _ in history_of(ours).damaged()] == ["00002.npz"]


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    history = filled(tmp_path, 3)
    (tmp_path / "history" / ".00002.npz.tmp").write_bytes(b"torn")
    (tmp_path / "history" / "notes.txt").write_text("mine")
    assert_whole(history, 3)
    history.cut(0)
    assert files(tmp_path) == [".00002.npz.tmp", "notes.txt"]


def test_a_folder_that_cannot_be_written_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("a file")
    with pytest.raises(RunError, match="cannot write to"):
        history_of(tmp_path).add(part(1))
