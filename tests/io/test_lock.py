"""One process at a time on a folder; the lock ends with its owner, however that ends."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from campaigns import small_attack
from runs import Capture, Killed, assert_refused, kill, run_cli, small_evolve, tree

import evofool
from evofool.errors import RunError
from evofool.io import lock
from evofool.io.lock import locked
from evofool.search.evolution import Evolution, Progress

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run and a campaign that ended; copied, never changed."""
    place = tmp_path_factory.mktemp("made")
    small_evolve(place / "run", generations=1, classes=["3"])
    evofool.attack("digits", "digits", out=place / "campaign", count=1, queries=20, device="cpu")
    return {"run": place / "run", "campaign": place / "campaign"}


@pytest.fixture
def run(made: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made["run"], tmp_path / "run"))


@contextlib.contextmanager
def process(act: Callable[[Callable[[], object]], object]) -> Iterator[int]:
    """Another process that does something, and calls what it is given when the test can go on; gives its number.

    It is killed at the end.
    """
    ready, tell = os.pipe()
    number = os.fork()
    if not number:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            act(lambda: os.write(tell, b"!"))
        finally:
            os._exit(0)
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"!"
        yield number
    finally:
        os.close(ready)
        end(number)


def end(number: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)


def holder(path: Path) -> contextlib.AbstractContextManager[int]:
    """Another process that holds a folder."""

    def hold(ready: Callable[[], object]) -> None:
        with locked(path):
            ready()
            time.sleep(600)

    return process(hold)


@pytest.fixture(params=["no flock", "not supported", "unknown call"])
def lockless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system, or a Python, without locks; and seconds that pass quickly."""
    if request.param == "no flock":
        monkeypatch.setattr(lock, "fcntl", None)
    else:
        number = errno.ENOLCK if request.param == "not supported" else errno.ENOSYS

        def refuse(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(lock.fcntl, "flock", refuse)
    monkeypatch.setattr(lock, "TOUCH", 0.05)
    monkeypatch.setattr(lock, "LEASE", 1.0)


# Refused


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
    assert run_cli(capsys, words[0], path, *words[1:]).code == 0  # a killed owner leaves no lock
    assert not (path / ".lock").exists()


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


def test_two_in_one_process_are_refused_too(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(RunError, match=f"another process \\({os.getpid()} on "), locked(tmp_path):
            pass
        assert (tmp_path / ".lock").exists()  # the first one's
    with locked(tmp_path):
        pass


def test_two_folders_do_not_hinder_each_other(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    with locked(tmp_path / "a"), locked(tmp_path / "b"):
        pass


def test_of_two_threads_that_evolve_into_one_folder_one_is_refused(tmp_path: Path) -> None:
    """Whether it comes before or after the first one's config."""
    barrier, found = threading.Barrier(2), list[object]()

    def evolve(seed: int) -> None:
        barrier.wait()
        try:
            found.append(small_evolve(tmp_path / "a", generations=2, seed=seed).config["seed"])
        except RunError as error:
            found.append(error)

    threads = [threading.Thread(target=evolve, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [str(one) for one in found if isinstance(one, RunError)]
    assert len(errors) == 1
    assert "another process" in errors[0] or "exists already" in errors[0]
    assert json.loads((tmp_path / "a" / "config.json").read_text())["seed"] in found
    assert evofool.resume(tmp_path / "a").generations == 2


# Let go


@pytest.mark.parametrize("name", ["run", "campaign"])
def test_the_lock_is_there_while_it_runs_and_gone_afterwards(name: str, tmp_path: Path) -> None:
    path, seen = tmp_path / "a", list[bool]()

    def observe(*_: object) -> None:
        seen.append((path / ".lock").exists())

    for round_ in range(2):
        if name == "run":
            evofool.resume(path, generations=4, observer=observe) if round_ else small_evolve(path, observer=observe)
        else:
            (evofool.resume_campaign if round_ else evofool.attack)(
                **({"path": path} if round_ else {"target": "digits", "out": path, "count": 2, "queries": 30}),
                observer=observe,
            )
        assert not (path / ".lock").exists()
    assert seen
    assert all(seen)


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        small_evolve(tmp_path / "a", observer=lambda *_: kill())
    assert not (tmp_path / "a" / ".lock").exists()
    with pytest.raises(Killed):
        small_attack(tmp_path / "b", observer=lambda *_: kill())
    assert not (tmp_path / "b" / ".lock").exists()


def test_what_a_killed_owner_left_is_nothing(run: Path) -> None:
    with holder(run) as owner:
        end(owner)
        assert json.loads((run / ".lock").read_text())["process"] == owner
        with locked(run):
            assert json.loads((run / ".lock").read_text())["process"] == os.getpid()
    assert not (run / ".lock").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\0", b'{"process": 5}', b"null"])
def test_a_lock_file_of_nonsense_is_no_lock_and_a_taken_one_is_told_without_its_owner(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / ".lock").write_bytes(content)
    with locked(tmp_path):
        (tmp_path / ".lock").write_bytes(content)
        with pytest.raises(RunError, match=r"^another process is at work on"), locked(tmp_path):
            pass
    assert os.listdir(tmp_path) == []


def test_many_processes_take_turns(tmp_path: Path) -> None:
    """Each holds the folder for a moment, again and again; never two at a time, and all get on."""
    place, numbers = tmp_path / "a", list[int]()
    place.mkdir()
    for _ in range(4):
        if number := os.fork():
            numbers.append(number)
            continue
        done, code = 0, 1
        try:
            while done < 20:
                with contextlib.suppress(RunError), locked(place):
                    os.close(os.open(tmp_path / "inside", os.O_CREAT | os.O_EXCL))
                    time.sleep(0.0005)
                    os.unlink(tmp_path / "inside")
                    done += 1
            code = 0
        finally:
            os._exit(code)
    assert [os.waitpid(number, 0)[1] for number in numbers] == [0, 0, 0, 0]
    assert os.listdir(place) == []


@pytest.mark.parametrize("how", ["flock", "lease"])
def test_the_lock_of_a_folder_that_was_made_again_is_left_alone(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder was removed under it, and another process began a run of that name."""
    path = tmp_path / "a"
    path.mkdir()
    if how == "lease":
        monkeypatch.setattr(lock, "fcntl", None)
    with locked(path):
        shutil.rmtree(path)
        path.mkdir()
        second = locked(path)
        second.__enter__()
    with pytest.raises(RunError, match="another process"), locked(path):
        pass
    second.__exit__(None, None, None)
    assert os.listdir(path) == []


@pytest.mark.parametrize("how", ["flock", "lease"])
def test_a_folder_that_is_gone_is_let_go_in_silence(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "lease":
        monkeypatch.setattr(lock, "fcntl", None)
    (tmp_path / "a").mkdir()
    with locked(tmp_path / "a"):
        shutil.rmtree(tmp_path / "a")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EIO])
def test_a_folder_that_cannot_be_written_is_a_run_error(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RunError, match=f"cannot write to {tmp_path}: {os.strerror(number)}"), locked(tmp_path):
        pass


def test_a_missing_folder_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot write to .*: No such file"), locked(tmp_path / "a"):
        pass
    assert os.listdir(tmp_path) == []


def test_a_lock_that_links_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """A run from a stranger must not empty a file of ours."""
    (tmp_path / "a").mkdir()
    (tmp_path / "mine").write_text("thesis")
    for criterion in ("mine", "missing"):
        (tmp_path / "a" / ".lock").symlink_to(tmp_path / criterion)
        with pytest.raises(RunError, match="cannot write to"), locked(tmp_path / "a"):
            pass
        (tmp_path / "a" / ".lock").unlink()
    assert (tmp_path / "mine").read_text() == "thesis"
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("call", ["ftruncate", "write"])
def test_a_lock_that_could_not_be_taken_leaves_nothing(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(RunError, match="No space left"), locked(tmp_path):
        pass
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []
    with locked(tmp_path):
        pass


# Where file systems have no locks


@pytest.mark.usefixtures("lockless")
def test_a_fresh_claim_is_refused_and_a_void_one_taken(tmp_path: Path) -> None:
    with holder(tmp_path) as owner:
        time.sleep(1.5)  # longer than a lease: it is touched
        with pytest.raises(RunError, match=f"another process \\({owner} on "), locked(tmp_path):
            pass
        end(owner)
        with pytest.raises(RunError, match="another process"), locked(tmp_path):
            pass  # its owner might live, on another machine
        assert os.listdir(tmp_path) == [".lock"]
        time.sleep(1.1)
        with locked(tmp_path):
            assert json.loads((tmp_path / ".lock").read_text())["process"] == os.getpid()
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("lockless")
def test_two_in_one_process_are_refused_without_locks_too(tmp_path: Path) -> None:
    with locked(tmp_path):
        for _ in range(2):
            with pytest.raises(RunError, match="another process"), locked(tmp_path):
                pass
            assert os.listdir(tmp_path) == [".lock"]
    with locked(tmp_path):
        assert os.listdir(tmp_path) == [".lock"]
    assert os.listdir(tmp_path) == []


@pytest.fixture
def leased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "fcntl", None)


def race(path: Path, claimants: int) -> list[bool]:
    """Who of several that try at once holds the folder."""
    found, over = dict[int, bool](), threading.Barrier(claimants)

    def claim(number: int) -> None:
        try:
            with locked(path):
                found[number] = True
                over.wait(30)
        except RunError:
            found[number] = False
            over.wait(30)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(claimants)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(found.values())


@pytest.mark.usefixtures("leased")
def test_of_several_that_claim_at_once_one_has_it(tmp_path: Path) -> None:
    for _ in range(5):
        assert sorted(race(tmp_path, 3)) == [False, False, True]
        assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("leased")
def test_of_several_that_find_a_void_claim_at_once_one_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All have found it void before the first one puts its own in its place."""
    (tmp_path / ".lock").write_text("{}")
    os.utime(tmp_path / ".lock", (0, 0))
    together, replace = threading.Barrier(3), os.replace

    def at_once(*names: Path) -> None:
        together.wait(30)
        replace(*names)

    monkeypatch.setattr(os, "replace", at_once)
    assert sorted(race(tmp_path, 3)) == [False, False, True]
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("leased")
def test_who_slept_through_its_lease_leaves_the_next_ones_claim_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "TOUCH", 0.05)
    first = locked(tmp_path)
    first.__enter__()
    other = json.dumps({"process": 1, "host": "elsewhere", "since": "now", "id": "another"})
    (tmp_path / ".lock").write_text(other)
    os.utime(tmp_path / ".lock", (0, 0))
    time.sleep(0.3)
    assert (tmp_path / ".lock").stat().st_mtime == 0  # not kept fresh for somebody else
    first.__exit__(None, None, None)
    assert (tmp_path / ".lock").read_text() == other


@pytest.mark.usefixtures("leased")
def test_nobody_touches_a_claim_that_was_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "TOUCH", 0.02)
    before = set(threading.enumerate())
    with locked(tmp_path):
        [toucher] = set(threading.enumerate()) - before
    toucher.join(30)
    assert not toucher.is_alive()


@pytest.mark.usefixtures("leased")
def test_a_run_without_locks_is_like_any_other(tmp_path: Path) -> None:
    small_evolve(tmp_path / "a", generations=2)
    assert evofool.resume(tmp_path / "a", generations=3).generations == 3
    assert not list((tmp_path / "a").glob(".*"))


def test_a_pipe_in_place_of_the_lock_is_told_and_does_not_hang(tmp_path: Path, capsys: Capture) -> None:
    small_evolve(tmp_path / "a", generations=2)
    os.mkfifo(tmp_path / "a" / ".lock")
    assert_refused(run_cli(capsys, "resume", tmp_path / "a"), ".lock is no regular file; remove it")


# Looking on


def test_a_run_can_be_looked_at_while_it_goes_on(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "a"

    def evolve(ready: Callable[[], object]) -> None:
        def observe(progress: Progress, _: Evolution) -> None:
            if progress.generation == 2:
                ready()
                time.sleep(600)

        small_evolve(path, observer=observe)

    with process(evolve):
        while not (path / "metrics.jsonl").exists() or len((path / "metrics.jsonl").read_bytes().splitlines()) < 2:
            time.sleep(0.01)  # it writes beside its work; this is the last that it has to write
        before = tree(path)
        assert run_cli(capsys, "inspect", path).code == 0
        assert run_cli(capsys, "inspect", path, "--json").code == 0
        assert tree(path) == before
        assert run_cli(capsys, "gallery", path, "--out", tmp_path / "page.html").code == 0
        assert run_cli(capsys, "gallery", path).code == 0
        assert tree(path).keys() == before.keys()
        assert_refused(run_cli(capsys, "resume", path), "another process")
    assert run_cli(capsys, "resume", path, "--quiet").code == 0
