"""The lease that takes the lock's place where file systems have no locks."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
import time
from pathlib import Path

import pytest
from processes import holder, kill_process

from evofool.errors import RunError
from evofool.io import lock
from evofool.io.lock import is_held, locked


@pytest.fixture(params=[None, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def lockless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python, or a file system, without locks; and seconds that pass quickly."""
    if request.param is None:
        monkeypatch.setattr(lock, "fcntl", None)
    else:

        def refuse(*_: object) -> None:
            raise OSError(request.param, os.strerror(request.param))

        monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(lock, "TOUCH_INTERVAL", 0.05)
    monkeypatch.setattr(lock, "LEASE_DURATION", 1.0)


@pytest.fixture
def leased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "fcntl", None)


@pytest.mark.usefixtures("lockless")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fresh_claim_is_refused_and_a_void_one_taken(tmp_path: Path) -> None:
    with holder(tmp_path) as owner:
        time.sleep(1.5)  # Longer than a lease: it is touched.
        with pytest.raises(RunError, match=f"another process \\({owner} on "), locked(tmp_path):
            pass
        kill_process(owner)
        with pytest.raises(RunError, match="another process"), locked(tmp_path):
            pass  # Its owner might live, on another machine.
        assert os.listdir(tmp_path) == [".lock"]
        time.sleep(1.1)
        with locked(tmp_path):
            assert json.loads((tmp_path / ".lock").read_text())["process"] == os.getpid()
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("lockless")
def test_two_in_one_process_are_refused(tmp_path: Path) -> None:
    with locked(tmp_path):
        for _ in range(2):
            with pytest.raises(RunError, match="another process"), locked(tmp_path):
                pass
            assert os.listdir(tmp_path) == [".lock"]
    with locked(tmp_path):
        assert os.listdir(tmp_path) == [".lock"]
    assert os.listdir(tmp_path) == []


def race(path: Path, claimants: int) -> list[bool]:
    """Return which of several threads that try at once hold the folder."""
    held, over = dict[int, bool](), threading.Barrier(claimants)

    def claim(number: int) -> None:
        try:
            with locked(path):
                held[number] = True
                over.wait(30)
        except RunError:
            held[number] = False
            over.wait(30)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(claimants)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(held.values())


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
    monkeypatch.setattr(lock, "TOUCH_INTERVAL", 0.05)
    first = locked(tmp_path)
    first.__enter__()
    other = json.dumps({"process": 1, "host": "elsewhere", "since": "now", "id": "another"})
    (tmp_path / ".lock").write_text(other)
    os.utime(tmp_path / ".lock", (0, 0))
    time.sleep(0.3)
    assert (tmp_path / ".lock").stat().st_mtime == 0  # Not kept fresh for somebody else.
    first.__exit__(None, None, None)
    assert (tmp_path / ".lock").read_text() == other


@pytest.mark.usefixtures("leased")
def test_nobody_touches_a_claim_that_was_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "TOUCH_INTERVAL", 0.02)
    before = set(threading.enumerate())
    with locked(tmp_path):
        [toucher] = set(threading.enumerate()) - before
    toucher.join(30)
    assert not toucher.is_alive()


@pytest.mark.usefixtures("leased")
def test_a_lock_that_links_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "mine").write_text("thesis")
    os.utime(tmp_path / "mine", (0, 0))
    (tmp_path / "a" / ".lock").symlink_to(tmp_path / "mine")
    with locked(tmp_path / "a"):
        assert not (tmp_path / "a" / ".lock").is_symlink()
    assert os.listdir(tmp_path / "a") == []
    assert (tmp_path / "mine").read_text() == "thesis"
    assert (tmp_path / "mine").stat().st_mtime == 0
    (tmp_path / "a" / ".lock").symlink_to(tmp_path / "missing")
    with pytest.raises(RunError, match="cannot write to"), locked(tmp_path / "a"):
        pass
    assert os.listdir(tmp_path / "a") == [".lock"]
    assert not (tmp_path / "missing").exists()


@pytest.mark.usefixtures("lockless")
def test_a_lease_is_held_until_it_is_void(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    (tmp_path / ".lock").touch()
    os.utime(tmp_path / ".lock", (1, 1))
    assert not is_held(tmp_path)
