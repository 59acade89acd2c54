"""The history on disk: small, in order, without doubles, and damage told in one line."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from runs import history_of

from evofool.errors import RunError
from evofool.io.arrays import read_arrays, write_arrays
from evofool.store.history import HistoryFolder, folder
from evofool.store.history.changes import worth_keeping
from evofool.store.identity import identity_of

Arrays = dict[str, np.ndarray]


def part(generation: int, niches: int = 3, size: int = 40) -> Arrays:
    """What one generation changed: a new elite in every niche, child of the one before; the genome is noise."""
    evaluation_id = generation * 100 + np.arange(niches)
    noise = np.random.default_rng(generation).integers(0, 256, (niches, 1, size, size), np.uint8)
    return {
        "generation": np.full(niches, generation, np.int32),
        "niche": np.arange(niches, dtype=np.int32),
        "evaluation_id": evaluation_id,
        "parent": evaluation_id - 100 if generation > 1 else np.full(niches, -1, np.int64),
        "score": np.full(niches, 1 - 0.9**generation, np.float32),
        "kept": evaluation_id,
        "genome.genes": noise,
    }


def filled(run: Path, generations: int, **options: int) -> HistoryFolder:
    history = history_of(run)
    for generation in range(1, generations + 1):
        history.add(part(generation, **options))
    return history


def all_genomes(history: HistoryFolder) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for evaluation_id, arrays in history.genomes(set(range(100, 6100))):
        for child, genes in zip(evaluation_id.tolist(), arrays["genes"], strict=True):
            assert child not in found, "twice"
            found[child] = genes.tobytes()
    return found


def assert_whole(history: HistoryFolder, generations: int) -> None:
    """Everything that was added is there, once and in order."""
    parts = [part(generation) for generation in range(1, generations + 1)]
    changes = history.changes()
    for name in folder.COLUMNS:
        np.testing.assert_array_equal(getattr(changes, name), np.concatenate([p[name] for p in parts]))
    expected = {
        child: genes.tobytes()
        for p in parts
        for child, genes in zip(p["kept"].tolist(), p["genome.genes"], strict=True)
    }
    assert all_genomes(history) == expected
    assert history.kept().tolist() == sorted(expected)


def files(run: Path) -> list[str]:
    return sorted(file.name for file in (run / "history").iterdir())


def test_a_run_without_a_history_has_no_changes(tmp_path: Path) -> None:
    history = history_of(tmp_path)
    assert len(history.changes()) == len(history.kept()) == 0
    assert all_genomes(history) == {}
    assert len(history.changes().elites()) == 0
    history.cut(3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("generations", [1, 15, 16, 17, 40])
def test_many_small_files_become_one(generations: int, tmp_path: Path) -> None:
    history = filled(tmp_path, generations)
    assert len(files(tmp_path)) < folder.MANY
    assert_whole(history, generations)


def test_large_files_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "SMALL", 1000)
    history = filled(tmp_path, 20)
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
def test_a_cut_forgets_what_came_after(
    generation: int, merged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MANY", 16 if merged else 100)
    history = filled(tmp_path, 18)
    history.cut(generation)
    assert_whole(history, min(generation, 18)) if generation else None
    assert len(history.changes()) == 3 * min(generation, 18)
    for later in range(generation + 1, 19):
        history.add(part(later))
    assert_whole(history, 18)


def test_thinning_keeps_ancestors_and_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 90 genomes, 60 are elites or their ancestors, half of which fit."""
    history = history_of(tmp_path)
    for generation in range(1, 31):
        arrays = part(generation)
        arrays["parent"][2] = -1
        history.add(arrays)
    monkeypatch.setattr(folder, "CAP", 110_000)  # of some 145,000 bytes of noise
    before = history.changes()
    history.add({name: array[:0] for name, array in part(31).items()})
    after, kept = history.changes(), set(history.kept().tolist())
    for name in folder.COLUMNS:
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert kept == {100 * generation + niche for generation in range(2, 31, 2) for niche in (0, 1)} | {3002}
    found = all_genomes(history)
    assert found.keys() == kept
    for child, genes in found.items():
        assert genes == part(child // 100)["genome.genes"][child % 100].tobytes()


def test_ancestors_of_present_elites_go_before_others(tmp_path: Path) -> None:
    history = history_of(tmp_path)
    for generation in range(1, 31):
        arrays = part(generation)
        arrays["parent"][1:] = -1
        history.add(arrays)
    changes = history.changes()
    line = {generation * 100 for generation in range(1, 31)}
    for most in (32, 40, 60):
        kept = set(worth_keeping(changes, most).tolist())
        assert line | {3001, 3002} <= kept
        assert len(kept) <= most
    assert len(worth_keeping(changes, 60)) > len(worth_keeping(changes, 32))
    kept = set(worth_keeping(changes, 12).tolist())
    assert {3000, 3001, 3002} <= kept
    assert kept <= line | {3001, 3002}
    assert len(worth_keeping(changes, 2)) == 2
    assert len(worth_keeping(changes, 0)) == 0


def test_a_history_stays_below_its_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "CAP", 60_000)
    filled(tmp_path, 60)
    assert sum(file.stat().st_size for file in (tmp_path / "history").iterdir()) < 60_000
    assert len(history_of(tmp_path).changes()) == 180


# Damage


def use(history: HistoryFolder) -> None:
    history.changes()
    history.kept()
    all_genomes(history)


def assert_told(run: Path) -> None:
    with pytest.raises(RunError, match=r"evofool inspect --repair|this version reads") as caught:
        use(history_of(run))
    assert "\n" not in str(caught.value)


def save(run: Path, arrays: Arrays) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    (run / "history" / "00001.npz").write_bytes(buffer.getvalue())


def test_any_flipped_or_missing_byte_is_told_or_does_no_harm(tmp_path: Path) -> None:
    filled(tmp_path, 1, size=2)
    file = tmp_path / "history" / "00001.npz"
    content, told = file.read_bytes(), []
    variants = [content[:length] for length in range(0, len(content), 97)]
    variants += [content[:i] + bytes([content[i] ^ 129]) + content[i + 1 :] for i in range(0, len(content), 3)]
    for variant in variants:
        file.write_bytes(variant)
        try:
            history_of(tmp_path).changes()
            list(history_of(tmp_path).genomes({100, 101}))
        except RunError as error:
            told.append(str(error))
    assert len(told) > len(variants) / 3
    assert not any("\n" in line for line in told)


@pytest.mark.parametrize("name", [*folder.COLUMNS, "kept", "genome.genes"])
@pytest.mark.parametrize("damage", ["missing", "short", "type", "shape"])
def test_arrays_that_do_not_fit_are_told(name: str, damage: str, tmp_path: Path) -> None:
    filled(tmp_path, 1)
    arrays = {"format": np.array(1), "run": identity_of({}), **part(1)}
    if damage == "missing":
        del arrays[name]
    elif damage == "short":
        arrays[name] = arrays[name][:-1]
    elif damage == "type":
        arrays[name] = np.full(len(arrays[name]) + 1, "x")
    else:
        arrays[name] = np.zeros((), arrays[name].dtype)
    if (name, damage) == ("genome.genes", "missing"):
        return
    save(tmp_path, arrays)
    assert_told(tmp_path)


@pytest.mark.parametrize("version", [np.array(2), np.array("x"), np.zeros(3), None])
def test_another_version_is_told(version: np.ndarray | None, tmp_path: Path) -> None:
    filled(tmp_path, 1)
    save(tmp_path, part(1) | {"run": identity_of({})} | ({} if version is None else {"format": version}))
    assert_told(tmp_path)


def test_a_file_of_another_run_is_told(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    filled(ours, 3)
    other = HistoryFolder(theirs, identity_of({"seed": 1}))
    other.add(part(2))
    (theirs / "history" / "00001.npz").rename(ours / "history" / "00002.npz")
    with pytest.raises(RunError, match=r"00002\.npz is of another run; .*evofool inspect --repair"):
        history_of(ours).changes()
    assert [file.name for file, _ in history_of(ours).damaged()] == ["00002.npz"]


def test_files_of_before_they_were_signed_are_read(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    file = tmp_path / "history" / "00002.npz"
    arrays = read_arrays(file)
    del arrays["run"]
    write_arrays(file, arrays)
    assert_whole(history_of(tmp_path), 3)
    assert list(history_of(tmp_path).damaged()) == []


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
