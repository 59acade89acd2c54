"""The life of a job of any kind: its folder, its lock, its checkpoints, and what it is resumed with."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from campaigns import small_attack
from configs import edit_config
from fake_jobs import FakeJob, FakeKind, create
from runs import Killed, small_evolve, tree
from support import tiny_target

import evofool
from evofool.errors import ConfigError, RunError
from evofool.io.files import write_atomically
from evofool.io.lock import LOCK
from evofool.jobs import life


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    """Register a third kind of job."""
    kind = FakeKind()
    monkeypatch.setitem(life.KINDS, "fake", kind)
    return kind


def started(path: Path) -> Path:
    """Return the folder of a job that ended."""
    assert life.start(path, lambda: create(path)) == "done after 3"
    return path


def stopped(path: Path, step: int) -> Path:
    """Return the folder of a job that a power cut ended after so many steps."""

    def observe(done: int) -> None:
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        life.start(path, lambda: create(path), observe)
    return path


# Start


def test_the_first_state_is_on_disk_before_the_first_step(tmp_path: Path) -> None:
    path, seen = tmp_path / "deep" / "job", list[int]()

    def make() -> FakeJob:
        job = create(path)
        job.on = lambda event: seen.append(job.saved()) if event == "begin" else None
        return job

    life.start(path, make)
    assert seen == [0]


def test_the_folder_is_locked_before_anything_is_built_and_free_afterwards(tmp_path: Path) -> None:
    path, seen = tmp_path / "job", list[list[str]]()

    def make() -> FakeJob:
        seen.append(os.listdir(path))
        with pytest.raises(RunError, match=f"another process .* is at work on {path}"):
            life.start(path, lambda: create(path))
        return create(path)

    life.start(path, make)
    assert seen == [[LOCK]]
    assert LOCK not in os.listdir(path)


@pytest.mark.parametrize("file", ["notes.txt", "checkpoint/state.npz", ".hidden"])
def test_a_folder_that_holds_something_is_refused_before_anything_is_built(file: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(RunError, match="exists already; choose another `out`"):
        life.start(tmp_path, lambda: pytest.fail("it was built"))
    assert tree(tmp_path) == before


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    started(tmp_path / "job")


def test_a_job_that_fails_before_it_began_leaves_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "job"

    def make() -> FakeJob:
        job = create(path)

        def fail(event: str) -> None:
            if event == "begin":
                raise Killed

        job.on = fail
        return job

    with pytest.raises(Killed):
        life.start(path, make)
    assert os.listdir(tmp_path) == []


def test_a_job_that_fails_after_it_began_keeps_its_folder(tmp_path: Path, kind: FakeKind) -> None:
    path = stopped(tmp_path / "job", 1)
    assert FakeJob(path).saved() == 0
    assert evofool.resume(path) == "done after 3"


# Resume


@pytest.mark.usefixtures("eager")
def test_a_job_goes_on_from_its_last_checkpoint(tmp_path: Path, kind: FakeKind) -> None:
    path, seen = stopped(tmp_path / "job", 2), list[int]()
    assert evofool.resume(path, observer=seen.append) == "done after 3"
    assert seen == [2, 3]


def test_resume_hands_over_the_target_the_gallery_and_the_limits_that_were_given(
    tmp_path: Path, kind: FakeKind
) -> None:
    path = started(tmp_path / "job")
    evofool.resume(path)
    evofool.resume(str(path), target="mine", gallery=False, generations=4, minutes=None)
    assert kind.asked == [
        {"target": None, "changes": {}, "gallery": True},
        {"target": "mine", "changes": {"generations": 4}, "gallery": False},
    ]


def test_a_job_that_another_process_works_on_is_refused(tmp_path: Path, kind: FakeKind) -> None:
    path, refused = stopped(tmp_path / "job", 1), list[str]()

    def observe(step: int) -> None:
        for act in (evofool.resume, evofool.repair):
            with pytest.raises(RunError, match=f"another process .* is at work on {path}") as error:
                act(path)
            refused.append(str(error.value))

    evofool.resume(path, observer=observe)
    assert len(refused) == 6
    assert len(kind.asked) == 1


@pytest.mark.parametrize("act", [evofool.resume, evofool.repair])
def test_what_a_killed_process_left_is_swept(act: Any, tmp_path: Path, kind: FakeKind) -> None:
    path = started(tmp_path / "job")
    ending = f"{10**9 - 1}.0123abcd.tmp"
    left = [path / f".config.json.{ending}", path / "checkpoint" / f".state.npz.{ending}"]
    for file in left:
        file.write_bytes(b"half")
    act(path)
    assert not any(file.exists() for file in left)


@pytest.mark.parametrize("act", [evofool.resume, evofool.repair, evofool.inspect])
def test_a_damaged_config_is_refused_before_anything_is_written(act: Any, tmp_path: Path, kind: FakeKind) -> None:
    path = started(tmp_path / "job")
    edit_config(path, {"steps": "many"})
    (path / f".config.json.{10**9 - 1}.0123abcd.tmp").write_bytes(b"half")
    before = tree(path)
    with pytest.raises(RunError, match=r"config\.json is damaged .*steps.*start the job anew"):
        act(path)
    assert tree(path) == before


@pytest.mark.parametrize("act", [evofool.resume, evofool.repair, evofool.inspect])
def test_an_unknown_kind_of_job_is_refused_and_left_as_it_is(act: Any, tmp_path: Path) -> None:
    path = started(tmp_path / "job")
    before = tree(path)
    with pytest.raises(RunError, match=r"is a fake, which .* doesn't know; expected a run or a campaign"):
        act(path)
    assert tree(path) == before


@pytest.mark.parametrize("act", [evofool.resume, evofool.repair, evofool.inspect])
@pytest.mark.parametrize("job", [None, 5, ["run"], {}])
def test_a_config_that_names_no_kind_is_damaged(job: Any, act: Any, tmp_path: Path, kind: FakeKind) -> None:
    path = started(tmp_path / "job")
    edit_config(path, {"job": job})
    before = tree(path)
    with pytest.raises(RunError, match=r"config\.json is damaged \(job is missing\)"):
        act(path)
    assert tree(path) == before


@pytest.mark.parametrize("act", [evofool.resume, evofool.repair, evofool.inspect])
@pytest.mark.parametrize("version", [1, 3, "new", None])
def test_a_folder_of_another_format_is_refused_and_its_version_named(
    version: Any, act: Any, tmp_path: Path, kind: FakeKind
) -> None:
    path = started(tmp_path / "job")
    edit_config(path, {"format": version, "versions.evofool": "9.1"})
    before = tree(path)
    with pytest.raises(RunError, match=rf"has format {version}, this version .* reads 2; .* \(evofool 9\.1\)"):
        act(path)
    assert tree(path) == before


@pytest.mark.parametrize("act", [evofool.resume, evofool.repair, evofool.inspect])
def test_a_place_without_a_job_is_refused_and_left_as_it_is(act: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "mine.txt"):
        with pytest.raises(RunError, match=f"no job at {path}: expected a folder with config.json"):
            act(path)
    assert tree(tmp_path) == {"mine.txt": b"mine"}


# Inspect and repair


def test_inspect_and_repair_serve_every_kind(tmp_path: Path, kind: FakeKind) -> None:
    path = started(tmp_path / "job")
    assert evofool.inspect(path) == {"steps": 3}
    assert evofool.open(path) == "opened after 3"
    assert evofool.repair(path) == []
    shutil.copy(path / "checkpoint" / "state.npz", path / "checkpoint" / "previous.npz")
    write_atomically(path / "checkpoint" / "state.npz", b"damaged")
    [line] = evofool.repair(path)
    assert "state.npz is damaged" in line
    assert evofool.resume(path) == "done after 3"


# The kinds that there are


def test_a_run_and_a_campaign_are_resumed_and_inspected_by_the_same_functions(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    small_attack(tmp_path / "campaign", count=2, queries=20)
    assert evofool.resume(tmp_path / "run", generations=2).generations == 2
    assert evofool.resume(tmp_path / "campaign", target=tiny_target()).total == 2
    assert evofool.inspect(tmp_path / "run")["generation"] == 2
    assert evofool.inspect(tmp_path / "campaign")["finished"]
    assert evofool.repair(tmp_path / "run") == evofool.repair(tmp_path / "campaign") == []
    for name in ("run", "campaign"):
        content = json.loads((tmp_path / name / "config.json").read_text())
        assert (content["format"], content["job"]) == (2, name)


@pytest.mark.parametrize("limit", [{"generations": 5}, {"evaluations": 5}, {"minutes": 5}, {"until": 0.5}], ids=str)
def test_a_campaign_has_no_limits(limit: dict[str, float], tmp_path: Path) -> None:
    small_attack(tmp_path / "campaign", count=2, queries=20)
    before = tree(tmp_path / "campaign")
    with pytest.raises(ConfigError, match="is a campaign: it ends when all attempts have; leave the limits out"):
        evofool.resume(tmp_path / "campaign", target=tiny_target(), **limit)
    assert tree(tmp_path / "campaign") == before


@pytest.mark.parametrize("limit", [{"generation": 5}, {"seed": 5}, {"gallry": False}], ids=str)
def test_what_is_no_limit_is_refused_by_its_name(limit: dict[str, Any], tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", generations=1)
    before = tree(tmp_path / "run")
    with pytest.raises(ConfigError, match=f"`{next(iter(limit))}`"):
        evofool.resume(tmp_path / "run", **limit)
    assert tree(tmp_path / "run") == before
