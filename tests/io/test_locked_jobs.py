"""Jobs hold the lock of their folder: from Python and from the command line, looked at and interrupted."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from campaigns import small_attack
from processes import holder, process
from runs import Capture, Killed, assert_refused, kill, run_cli, small_evolve, tree

import evofool
from evofool.errors import RunError
from evofool.io import lock
from evofool.jobs.run import RunStep

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run and a campaign that ended; copied, never changed."""
    folder = tmp_path_factory.mktemp("made")
    small_evolve(folder / "run", generations=1, classes=["3"])
    evofool.attack("digits", "digits", out=folder / "campaign", count=1, queries=20, device="cpu")
    return {"run": folder / "run", "campaign": folder / "campaign"}


@pytest.mark.parametrize("name", ["run", "campaign"])
@pytest.mark.parametrize("words", [["resume", "--quiet"], ["inspect", "--repair"]], ids=lambda words: words[0])
def test_a_second_process_is_refused_in_a_line(
    words: list[str], name: str, made: dict[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    path = Path(shutil.copytree(made[name], tmp_path / name))
    with holder(path) as owner:
        before = tree(path)
        outcome = run_cli(capsys, words[0], path, *words[1:])
        assert_refused(
            outcome, f"another process ({owner} on ", f"is at work on {path}; wait until it ends, or stop it"
        )
        assert tree(path) == before
    assert run_cli(capsys, words[0], path, *words[1:]).code == 0  # A killed owner leaves no lock.
    assert not (path / ".lock").exists()


def test_a_refused_resume_says_nothing_of_where_it_would_go_on(
    made: dict[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    path = Path(shutil.copytree(made["run"], tmp_path / "a"))
    lines = (path / "metrics.jsonl").read_text()
    later = json.loads(lines.splitlines()[-1]) | {"generation": 5, "evaluations": 500}
    (path / "metrics.jsonl").write_text(lines + json.dumps(later) + "\n")
    with holder(path):
        outcome = run_cli(capsys, "resume", path)
    assert_refused(outcome, "another process")
    resumed = run_cli(capsys, "resume", path)
    assert (resumed.code, "goes back to generation 1" in resumed.out) == (0, True)


def test_a_folder_that_another_process_is_about_to_fill_is_refused(tmp_path: Path, capsys: Capture) -> None:
    """It has claimed it, and nothing but the lock is there yet."""
    path = tmp_path / "a"
    path.mkdir()
    with holder(path) as owner:
        for command in ("evolve", "attack"):
            assert_refused(
                run_cli(capsys, command, "--target", "digits", "--out", path), f"another process ({owner} on"
            )
        assert os.listdir(path) == [".lock"]
    assert small_evolve(path, generations=1).generations == 1


@pytest.mark.parametrize("command", ["evolve", "attack"])
def test_a_folder_that_another_process_fills_is_refused(
    command: str, made: dict[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    path = Path(shutil.copytree(made["run"], tmp_path / "a"))
    with holder(path):
        assert_refused(run_cli(capsys, command, "--target", "digits", "--out", path), f"{path} exists already")


def test_of_two_threads_that_evolve_into_one_folder_one_is_refused(tmp_path: Path) -> None:
    """Whether it comes before or after the first one's config."""
    barrier, results = threading.Barrier(2), list[object]()

    def evolve(seed: int) -> None:
        barrier.wait()
        try:
            results.append(small_evolve(tmp_path / "a", generations=2, seed=seed).config.options.seed)
        except RunError as error:
            results.append(error)

    threads = [threading.Thread(target=evolve, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [str(error) for error in results if isinstance(error, RunError)]
    assert len(errors) == 1
    assert "another process" in errors[0] or "exists already" in errors[0]
    assert json.loads((tmp_path / "a" / "config.json").read_text())["options"]["seed"] in results
    assert evofool.resume(tmp_path / "a").generations == 2


@pytest.mark.parametrize("name", ["run", "campaign"])
def test_the_lock_is_there_while_it_runs_and_gone_afterwards(name: str, tmp_path: Path) -> None:
    path, seen = tmp_path / "a", list[bool]()

    def observe(*_: object) -> None:
        seen.append((path / ".lock").exists())

    if name == "run":
        small_evolve(path, observer=observe)
    else:
        evofool.attack("digits", out=path, count=2, queries=30, observer=observe)
    assert not (path / ".lock").exists()
    assert seen
    assert all(seen)
    seen.clear()
    evofool.resume(path, observer=observe, **({"generations": 4} if name == "run" else {}))
    assert not (path / ".lock").exists()
    assert all(seen)


def test_an_error_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        small_evolve(tmp_path / "a", observer=lambda *_: kill())
    assert not (tmp_path / "a" / ".lock").exists()
    with pytest.raises(Killed):
        small_attack(tmp_path / "b", observer=lambda *_: kill())
    assert not (tmp_path / "b" / ".lock").exists()


def test_a_run_without_locks_is_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    small_evolve(tmp_path / "a", generations=2)
    assert evofool.resume(tmp_path / "a", generations=3).generations == 3
    assert not list((tmp_path / "a").glob(".*"))


def test_a_pipe_in_place_of_the_lock_is_refused_and_does_not_hang(tmp_path: Path, capsys: Capture) -> None:
    small_evolve(tmp_path / "a", generations=2)
    os.mkfifo(tmp_path / "a" / ".lock")
    assert_refused(run_cli(capsys, "resume", tmp_path / "a"), ".lock is no regular file; remove it")


def test_a_run_can_be_looked_at_while_it_goes_on(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "a"

    def evolve(ready: Callable[[], object]) -> None:
        def observe(step: RunStep) -> None:
            if step.progress.generation == 2:
                ready()
                time.sleep(600)

        small_evolve(path, observer=observe)

    with process(evolve):
        while not (path / "metrics.jsonl").exists() or len((path / "metrics.jsonl").read_bytes().splitlines()) < 2:
            time.sleep(0.01)  # It writes beside its work; this is the last that it has to write.
        before = tree(path)
        assert run_cli(capsys, "inspect", path).code == 0
        assert run_cli(capsys, "inspect", path, "--json").code == 0
        assert tree(path) == before
        assert run_cli(capsys, "gallery", path, "--out", tmp_path / "page.html").code == 0
        assert run_cli(capsys, "gallery", path).code == 0
        assert tree(path).keys() == before.keys()
        assert_refused(run_cli(capsys, "resume", path), "another process")
    assert run_cli(capsys, "resume", path, "--quiet").code == 0
