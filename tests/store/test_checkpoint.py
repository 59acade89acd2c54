"""Checkpoints: damage of any kind is named in a line, with what can be done; the one before is kept for that."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import campaign_config, run_config
from runs import LONG, Killed, small_evolve, tree
from support import assert_same_arrays

from evofool.config.records import FORMAT, RunConfig
from evofool.errors import RunError
from evofool.io.arrays import Arrays, read_arrays, write_arrays
from evofool.jobs import session
from evofool.store.checkpoint import Checkpoints
from evofool.store.run import RunFolder

REPAIR = "go back to the checkpoint before it with: evofool inspect --repair"

CHANGES: dict[str, RunConfig] = {
    "seed": run_config({"seed": 1}),
    "batch": run_config({"batch": 10}),
    "encoding": run_config({"encoding": "cppn"}),
    "settings": run_config({"settings": {}}),
    "selector": run_config({"selector": "weak"}),
    "emitters": run_config({"emitters": ("vary", "tweak@9")}),
    "init": run_config({"init": "a"}),
    "grid": run_config({"descriptors": ("hue",), "bins": 3}),
    "novelty": run_config({"novelty": "pixels", "bins": 3, "apart": 0.5}),
    "classes": run_config(class_indices=(0, 2)),
    "target": run_config(target={"name": "other"}),
    "weights": run_config(target={"weights_sha256": "01"}),
    "image shape": run_config(target={"image_shape": (1, 8, 8)}),
    "precision": run_config(target={"precision": "bfloat16"}),
}
"""Configs of other runs, by what differs."""

SAME: dict[str, RunConfig] = {
    "budget": run_config({"generations": 9, "evaluations": 5, "minutes": 2.0, "until": 0.5}),
    "versions": run_config(versions={"torch": "9"}),
    "preset": run_config({"preset": "nguyen2015"}),
    "device": run_config(target={"device": "cuda:0"}),
    "micro-batch": run_config(target={"micro_batch": 8}),
    "memory format": run_config(target={"memory_format": "channels_last"}),
    "place of the weights": run_config(target={"weights": "/b"}),
}
"""Configs of the same run, by what differs."""


def state(number: int) -> Arrays:
    return {"count": np.array(number), "genes": np.full((2, 3), number, np.uint8), "nothing": np.empty((0, 2))}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with the states 2 and, before it, 1."""
    (tmp_path / "run" / "checkpoint").mkdir(parents=True)
    for number in (1, 2):
        checkpoints(tmp_path / "run").save(state(number))
    return tmp_path / "run"


def checkpoints(run: Path, config: RunConfig | None = None) -> Checkpoints:
    return Checkpoints(run, (config or run_config()).digest())


def refused(run: Path, *parts: str, config: RunConfig | None = None) -> None:
    before = tree(run)
    with pytest.raises(RunError) as caught:
        checkpoints(run, config).load()
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(run / "checkpoint" / "state.npz"), *parts):
        assert part in message
    assert tree(run) == before


def numbers(run: Path) -> list[int]:
    """Return what the last checkpoint and the one before hold."""
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
    refused(tmp_path, "is damaged", "start the job anew")
    with pytest.raises(
        RunError, match=r"nor can the one before be used: .*previous.npz is missing; start the job anew"
    ):
        checkpoints(tmp_path).go_back()


# Damage


def test_any_flipped_bit_is_noticed_or_does_no_harm(run: Path) -> None:
    file = run / "checkpoint" / "state.npz"
    content, noticed, whole = file.read_bytes(), 0, checkpoints(run).load()
    bits = np.random.default_rng(0).permutation(8 * len(content))[: None if LONG else 400].tolist()
    for bit in bits:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        try:
            assert_same_arrays(checkpoints(run).load(), whole)
        except RunError as error:
            noticed += 1
            assert "\n" not in str(error)  # noqa: PT017
            assert str(error).startswith(f"{file} is damaged (")  # noqa: PT017
            assert REPAIR in str(error)  # noqa: PT017
    assert noticed > len(bits) / 2


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def swap(file: Path) -> None:
    """Put the checkpoint before in the place of the last one."""
    shutil.copy(file.with_name("previous.npz"), file)


def from_other(config: RunConfig) -> Callable[[Path], None]:
    """Return what puts a checkpoint of another run in the place of the last one."""

    def replace(file: Path) -> None:
        other = file.parent / "other"
        (other / "checkpoint").mkdir(parents=True)
        checkpoints(other, config).save(state(9))
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
    "other seed": (from_other(CHANGES["seed"]), "is not of the job that"),
    "other weights": (from_other(CHANGES["weights"]), "is not of the job that"),
    "other encoding": (from_other(CHANGES["encoding"]), "is not of the job that"),
    "no format": (without("format"), "is damaged (KeyError: 'format')"),
    "no job": (without("job"), "is damaged (KeyError: 'job')"),
    "past": (rewritten(format=np.array(1)), "has format 1, this version of evofool reads"),
    "future": (rewritten(format=np.array(FORMAT + 1)), f"has format {FORMAT + 1}, this version of evofool reads"),
    "formats": (rewritten(format=np.array([1, 1])), "is damaged"),
    "word": (rewritten(format=np.array("one")), "is damaged"),
    "infinite": (rewritten(format=np.array(np.inf)), "is damaged"),
    "other job": (rewritten(job=np.zeros(32, np.uint8)), "is not of the job that"),
    "short job": (rewritten(job=np.zeros(3, np.uint8)), "is not of the job that"),
}


@pytest.mark.parametrize(("damage", "part"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named_and_gone_back_from(damage: Callable[[Path], object], part: str, run: Path) -> None:
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
    refused(run, part, "start the job anew")
    before = tree(run)
    with pytest.raises(RunError, match=r"nor can the one before be used: .*previous.npz is damaged") as caught:
        checkpoints(run).go_back()
    assert "\n" not in str(caught.value)
    assert part in str(caught.value)
    assert tree(run) == before


@pytest.mark.parametrize(("call", "number"), [("replace", 1), ("replace", 2), ("link", 1)])
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
        with pytest.raises(Killed):
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


@pytest.mark.parametrize("config", CHANGES.values(), ids=CHANGES)
def test_a_checkpoint_of_another_run_is_refused(config: RunConfig, run: Path) -> None:
    refused(run, "is not of the job that", "config.json", config=config)


@pytest.mark.parametrize("config", SAME.values(), ids=SAME)
def test_what_may_change_in_a_config_makes_no_other_run(config: RunConfig, run: Path) -> None:
    assert_same_arrays(checkpoints(run, config).load(), state(2))


def test_digests_differ_from_each_other() -> None:
    digests = [config.digest() for config in (run_config(), *CHANGES.values(), campaign_config())]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    "change",
    [{"plan": {"seed": 1}}, {"plan": {"criteria": (0,)}}, {"plan": {"queries": None}}, {"plan": {"baseline": True}},
     {"plan": {"strategy": "de"}}, {"plan": {"pixels": (1, 2)}}, {"target": {"weights_sha256": "0"}},
     {"classes": ("a", "b", "c", "d")}],
    ids=str,
)  # fmt: skip
def test_a_campaign_with_another_plan_or_target_is_another_one(change: Mapping[str, Any]) -> None:
    assert campaign_config(**change).digest() != campaign_config().digest()


@pytest.mark.parametrize(
    "change",
    [{"plan": {"rows": 8}}, {"plan": {"criterion": "in other words"}}, {"data": {"name": "b"}}, {"versions": {}},
     {"target": {"device": "cuda", "micro_batch": 1}}],
    ids=str,
)  # fmt: skip
def test_what_may_change_in_a_config_makes_no_other_campaign(change: Mapping[str, Any]) -> None:
    assert campaign_config(**change).digest() == campaign_config().digest()


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
                expected = [(3, 2)]
            except RunError as error:
                assert "No space left on device" in str(error)  # noqa: PT017
                expected = [(2, 1), (2, 2), (3, 2), (3, 3)]
        assert tuple(numbers(run)) in expected
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
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
    for seed in range(2):
        small_evolve(tmp_path / str(seed), seed=seed, classes=["3"])
    checkpoints = RunFolder.open(tmp_path / "0").checkpoints
    files = (checkpoints.last, checkpoints.previous)
    assert [int(read_arrays(file)["search.counts"][0]) for file in files] == [3, 2]
    shutil.copy(tmp_path / "1" / "checkpoint" / "state.npz", checkpoints.last)
    with pytest.raises(RunError, match="is not of the job that"):
        checkpoints.load()


def test_the_digest_does_not_depend_on_the_order_of_settings() -> None:
    settings = run_config().options.settings
    assert settings
    turned = dict(reversed(settings.items()))
    assert list(turned) != list(settings)
    assert run_config({"settings": turned}).digest() == run_config().digest()
