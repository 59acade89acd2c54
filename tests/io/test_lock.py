"""One process at a time on a folder; the lock ends with its owner, however that ends."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from processes import holder, kill_process

from evofool.errors import RunError
from evofool.io import lock
from evofool.io.lock import is_held, locked

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_a_second_process_is_refused_with_the_process_host_and_time_of_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as owner:
        claim = json.loads((tmp_path / ".lock").read_text())
        assert claim["process"] == owner
        with pytest.raises(RunError) as refused, locked(tmp_path):
            pass
        assert str(refused.value) == (
            f"another process ({owner} on {claim['host']}, since {claim['since']}) is at work on {tmp_path}; "
            "wait until it ends, or stop it"
        )


def test_two_in_one_process_are_refused_too(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(RunError, match=f"another process \\({os.getpid()} on "), locked(tmp_path):
            pass
        assert (tmp_path / ".lock").exists()  # The first one's.
    with locked(tmp_path):
        pass


def test_two_folders_do_not_hinder_each_other(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    with locked(tmp_path / "a"), locked(tmp_path / "b"):
        pass


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    with holder(tmp_path) as owner:
        kill_process(owner)
        assert json.loads((tmp_path / ".lock").read_text())["process"] == owner
        with locked(tmp_path):
            assert json.loads((tmp_path / ".lock").read_text())["process"] == os.getpid()
    assert not (tmp_path / ".lock").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\0", b'{"process": 5}', b"null"])
def test_a_lock_file_of_nonsense_is_no_lock_and_its_owner_is_left_out_of_the_message(
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
    folder, processes = tmp_path / "a", list[int]()
    folder.mkdir()
    for _ in range(4):
        if number := os.fork():
            processes.append(number)
            continue
        turns, code = 0, 1
        try:
            while turns < 20:
                with contextlib.suppress(RunError), locked(folder):
                    os.close(os.open(tmp_path / "inside", os.O_CREAT | os.O_EXCL))
                    time.sleep(0.0005)
                    os.unlink(tmp_path / "inside")
                    turns += 1
            code = 0
        finally:
            os._exit(code)
    assert [os.waitpid(number, 0)[1] for number in processes] == [0, 0, 0, 0]
    assert os.listdir(folder) == []


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
def test_a_folder_that_is_gone_is_released_in_silence(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    for name in ("mine", "missing"):
        (tmp_path / "a" / ".lock").symlink_to(tmp_path / name)
        with pytest.raises(RunError, match="cannot write to"), locked(tmp_path / "a"):
            pass
        (tmp_path / "a" / ".lock").unlink()
    assert (tmp_path / "mine").read_text() == "thesis"
    assert not (tmp_path / "missing").exists()


def test_a_pipe_in_place_of_the_lock_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".lock")
    with pytest.raises(RunError, match=r"\.lock is no regular file; remove it"), locked(tmp_path):
        pass


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


def test_whether_a_folder_is_held_is_told_without_a_trace(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with holder(tmp_path) as owner:
        assert is_held(tmp_path)
        kill_process(owner)
        assert not is_held(tmp_path)
    with locked(tmp_path):
        os.utime(tmp_path / ".lock", (1, 1))
        assert is_held(tmp_path)
    assert os.listdir(tmp_path) == []
    assert not is_held(tmp_path / "nowhere")


def test_whoever_asks_does_not_keep_a_job_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    with open(tmp_path / ".lock") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        threading.Timer(lock.RETRY_INTERVAL / 4, fcntl.flock, (asking, fcntl.LOCK_UN)).start()
        with locked(tmp_path):
            pass
