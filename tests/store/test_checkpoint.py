"""Checkpoints: damage of any kind is told in a line, with what can be done; the one before is kept for that."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import LONG, Killed, small_evolve, tree
from support import assert_same_arrays

from evofool.errors import RunError
from evofool.io.arrays import Arrays, read_arrays, write_arrays
from evofool.jobs import run_session as sitting
from evofool.store.checkpoint import Checkpoints
from evofool.store.folder import FORMAT, read_config
from evofool.store.identity import identity_of

REPAIR = "go back to the checkpoint before it with: evofool inspect --repair"

CONFIG: dict[str, Any] = {
    "target": {"name": "tiny", "weights_sha256": "00", "classes": 4, "image_shape": [3, 8, 8], "precision": "float32"},
    "encoding": "direct", "settings": {"rate": 0.1}, "niches": [0, 1], "batch": 20, "seed": 0, "init": None,
    "budget": {"generations": 3},
}  # fmt: skip


def state(number: int) -> Arrays:
    return {"count": np.array(number), "genes": np.full((2, 3), number, np.uint8), "nothing": np.empty((0, 2))}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with the states 2 and, before it, 1."""
    (tmp_path / "run" / "checkpoint").mkdir(parents=True)
    for number in (1, 2):
        checkpoints(tmp_path / "run").save(state(number))
    return tmp_path / "run"


def checkpoints(run: Path, **changes: Any) -> Checkpoints:
    return Checkpoints(run, identity_of(CONFIG | changes))


def refused(run: Path, *parts: str, **changes: Any) -> None:
    before = tree(run)
    with pytest.raises(RunError) as caught:
        checkpoints(run, **changes).load()
    told = str(caught.value)
    assert "\n" not in told
    assert str(run / "checkpoint" / "state.npz") in told
    for part in parts:
        assert part in told
    assert tree(run) == before


def numbers(run: Path) -> list[int]:
    """What the last checkpoint and the one before hold."""
    return [int(read_arrays(run / "checkpoint" / f"{name}.npz")["count"]) for name in ("state", "previous")]


def test_what_was_saved_is_loaded_and_the_one_before_is_kept(run: Path) -> None:
    assert_same_arrays(checkpoints(run).load(), state(2))
    assert sorted(os.listdir(run / "checkpoint")) == ["previous.npz", "state.npz"]
    assert numbers(run) == [2, 1]
    checkpoints(run).save(state(3))
    assert numbers(run) == [3, 2]


def test_the_first_checkpoint_has_none_before_it(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    checkpoints(tmp_path).save(state(1))
    assert os.listdir(tmp_path / "checkpoint") == ["state.npz"]
    (tmp_path / "checkpoint" / "state.npz").write_bytes(b"")
    refused(tmp_path, "is damaged", "start the run anew")
    with pytest.raises(
        RunError, match=r"nor can the one before be used: .*previous.npz is missing; start the run anew"
    ):
        checkpoints(tmp_path).go_back()


# Damage


def test_any_flipped_bit_is_told_or_does_no_harm(run: Path) -> None:
    file = run / "checkpoint" / "state.npz"
    content, told, whole = file.read_bytes(), 0, checkpoints(run).load()
    places = np.random.default_rng(0).permutation(8 * len(content))[: None if LONG else 400].tolist()
    for place in places:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        file.write_bytes(damaged)
        try:
            assert_same_arrays(checkpoints(run).load(), whole)
        except RunError as error:
            told += 1
            assert "\n" not in str(error)  # noqa: PT017
            assert str(error).startswith(f"{file} is damaged (")  # noqa: PT017
            assert REPAIR in str(error)  # noqa: PT017
    assert told > len(places) / 2


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def swap(file: Path) -> None:
    """With the one before."""
    shutil.copy(file.with_name("previous.npz"), file)


def from_other(**changes: Any) -> Callable[[Path], None]:
    """With one of another run."""

    def replace(file: Path) -> None:
        other = file.parent / "other"
        (other / "checkpoint").mkdir(parents=True)
        checkpoints(other, **changes).save(state(9))
        os.replace(other / "checkpoint" / "state.npz", file)
        shutil.rmtree(other)

    return replace


def rewritten(**arrays: np.ndarray) -> Callable[[Path], None]:
    return lambda file: write_arrays(file, read_arrays(file) | arrays)


def without(name: str) -> Callable[[Path], None]:
    def remove(file: Path) -> None:
        arrays = read_arrays(file)
        del arrays[name]
        write_arrays(file, arrays)

    return remove


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "is missing"),
    "truncated": (cut, "is damaged"),
    "empty": (lambda file: file.write_bytes(b""), "is damaged"),
    "zeros": (lambda file: file.write_bytes(bytes(file.stat().st_size)), "is damaged"),
    "folder": (folder, "is damaged"),
    "other seed": (from_other(seed=1), "is not of the run that"),
    "other target": (from_other(target=CONFIG["target"] | {"weights_sha256": "01"}), "is not of the run that"),
    "other encoding": (from_other(encoding="cppn"), "is not of the run that"),
    "no format": (without("format"), "is damaged ('format')"),
    "no run": (without("run"), "is damaged ('run')"),
    "future": (rewritten(format=np.array(FORMAT + 1)), f"has format {FORMAT + 1}, this version of evofool reads"),
    "formats": (rewritten(format=np.array([1, 1])), "is damaged"),
    "word": (rewritten(format=np.array("one")), "is damaged"),
    "infinite": (rewritten(format=np.array(np.inf)), "is damaged"),
    "other run": (rewritten(run=np.zeros(32, np.uint8)), "is not of the run that"),
    "short run": (rewritten(run=np.zeros(3, np.uint8)), "is not of the run that"),
}


@pytest.mark.parametrize(("damage", "part"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_and_gone_back_from(damage: Callable[[Path], object], part: str, run: Path) -> None:
    damage(run / "checkpoint" / "state.npz")
    refused(run, part, f"{REPAIR} {run}")
    assert part in str(checkpoints(run).go_back())
    assert_same_arrays(checkpoints(run).load(), state(1))
    assert checkpoints(run).go_back() is None
    assert (run / "checkpoint" / "state.npz.damaged").exists() == (part != "is missing")  # nothing is thrown away
    checkpoints(run).save(state(2))
    assert numbers(run) == [2, 1]


@pytest.mark.parametrize(("damage", "part"), DAMAGE.values(), ids=DAMAGE)
def test_where_both_are_damaged_nothing_is_changed(damage: Callable[[Path], object], part: str, run: Path) -> None:
    damage(run / "checkpoint" / "state.npz")
    (run / "checkpoint" / "previous.npz").write_bytes(b"damaged too")
    refused(run, part, "start the run anew")
    before = tree(run)
    with pytest.raises(RunError, match=r"nor can the one before be used: .*previous.npz is damaged") as caught:
        checkpoints(run).go_back()
    assert "\n" not in str(caught.value)
    assert part in str(caught.value)
    assert tree(run) == before


@pytest.mark.parametrize("call", ["replace", "link"])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("after", [True, False])
def test_killed_while_it_goes_back_it_can_go_back_again(
    after: bool, number: int, call: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The damaged file is moved away before the one before is put in its place."""
    (run / "checkpoint" / "state.npz").write_bytes(b"damaged")
    plain, left = getattr(os, call), [number]

    def die(*names: object) -> None:
        left[0] -= 1
        if left[0] or after:
            plain(*names)
        if not left[0]:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, call, die)
        with contextlib.suppress(Killed):
            checkpoints(run).go_back()
    checkpoints(run).go_back()
    assert_same_arrays(checkpoints(run).load(), state(1))
    assert (run / "checkpoint" / "state.npz.damaged").read_bytes() == b"damaged"


def test_a_damaged_one_before_hinders_nobody(run: Path) -> None:
    (run / "checkpoint" / "previous.npz").write_bytes(b"damaged")
    assert_same_arrays(checkpoints(run).load(), state(2))
    assert checkpoints(run).go_back() is None
    checkpoints(run).save(state(3))
    assert numbers(run) == [3, 2]


def test_the_one_before_in_the_last_ones_place_is_a_checkpoint_like_any_other(run: Path) -> None:
    """What is lost is a checkpoint's time, and all that follows is the same again."""
    swap(run / "checkpoint" / "state.npz")
    assert_same_arrays(checkpoints(run).load(), state(1))
    checkpoints(run).save(state(2))
    assert numbers(run) == [2, 1]


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"batch": 10}, {"niches": [0, 2]}, {"init": "a"}, {"settings": {}}, {"target": None}],
    ids=str,
)
def test_a_checkpoint_of_another_run_is_refused(change: dict[str, Any], run: Path) -> None:
    refused(run, "is not of the run that", "config.json", **change)


@pytest.mark.parametrize(
    "change", [{"budget": {"generations": 9}}, {"versions": {"torch": "9"}}, {"preset": "x"}], ids=str
)
def test_what_may_change_in_a_config_makes_no_other_run(change: dict[str, Any], run: Path) -> None:
    assert_same_arrays(checkpoints(run, **change).load(), state(2))


@pytest.mark.parametrize("config", [{}, {"target": 5}, {"target": None, "niches": None}])
def test_a_config_of_nonsense_makes_another_run(config: dict[str, Any], run: Path) -> None:
    with pytest.raises(RunError, match="is not of the run that"):
        Checkpoints(run, identity_of(config)).load()


# Writing


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("call", ["replace", "link", "fsync", "open"])
def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(
    call: str, links: bool, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the first, the second … call of the operation fails."""

    def no_links(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    for failing in range(3):
        calls = [0]
        plain: Callable[..., Any] = getattr(os, call)

        def fail(*args: Any, calls: list[int] = calls, failing: int = failing, **options: Any) -> Any:
            calls[0] += 1
            if calls[0] > failing:
                raise OSError(28, "No space left on device")
            return plain(*args, **options)  # noqa: B023

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            try:
                checkpoints(run).save(state(3))
            except RunError as error:
                assert "No space left on device" in str(error)  # noqa: PT017
        last, before = numbers(run)
        assert (last, before) in [(2, 1), (2, 2), (3, 2), (3, 3)]
        assert sorted(os.listdir(run / "checkpoint")) == ["previous.npz", "state.npz"]
        checkpoints(run).save(state(2))
        if numbers(run) != [2, 1]:
            checkpoints(run).save(state(1))
            checkpoints(run).save(state(2))


def test_a_folder_without_links_keeps_two_too(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    for number in range(3, 6):
        checkpoints(run).save(state(number))
        assert numbers(run) == [number, number - 1]


def test_a_real_run_keeps_two_and_a_checkpoint_of_another_seed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(sitting, "CHECKPOINT_SHARE", 1e9)
    for seed in range(2):
        small_evolve(tmp_path / str(seed), seed=seed, classes=["3"])
    found = Checkpoints(tmp_path / "0", identity_of(read_config(tmp_path / "0")))
    assert [int(found._read(file)["strategy.counts"][0]) for file in (found.last, found.previous)] == [3, 2]
    shutil.copy(tmp_path / "1" / "checkpoint" / "state.npz", found.last)
    with pytest.raises(RunError, match="is not of the run that"):
        found.load()


def test_the_identity_does_not_depend_on_the_order_of_a_config(run: Path) -> None:
    turned = json.loads(json.dumps(CONFIG), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert list(turned) != list(CONFIG)
    np.testing.assert_array_equal(identity_of(turned), identity_of(CONFIG))
