"""Files are replaced whole or not at all."""

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from evofool.io.files import copy_atomically, remove_leftovers, sha256, write_atomically


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x00\xff", b"\x00\xff"),
        ("Größe ×", "Größe ×".encode()),
        (lambda file: file.write(b"written"), b"written"),
        (b"", b""),
    ],
    ids=["bytes", "text", "callable", "empty"],
)
def test_content_of_every_kind_is_written(tmp_path: Path, content: object, expected: bytes) -> None:
    path = tmp_path / "file"
    write_atomically(path, content)  # type: ignore[arg-type]
    assert path.read_bytes() == expected
    assert os.listdir(tmp_path) == ["file"]


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a long old content")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("stop", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_stopped_half_way_the_old_file_stays_and_nothing_is_left(tmp_path: Path, stop: BaseException) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def half(file: BinaryIO) -> None:
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"old"  # A reader never sees the half.
        raise stop

    with pytest.raises(type(stop)):
        write_atomically(path, half)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_disk_has_a_durable_file_and_then_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    def sync(number: int) -> None:
        events.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")

    replace = os.replace
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", lambda *names: (events.append("replace"), replace(*names)))
    write_atomically(tmp_path / "file", b"new")
    assert events == ["file", "replace", "folder"]
    events.clear()
    write_atomically(tmp_path / "file", b"newer", durable=False)
    assert events == ["replace"]


def test_a_failed_replacement_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_missing_folder_is_an_os_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        write_atomically(tmp_path / "missing" / "file", b"content")
    assert os.listdir(tmp_path) == []


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """After kill -9 between the write and the replacement, the temporary file lies there."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (tmp_path / "inside").mkdir()
    for name in ("file", "inside/file"):
        write_atomically(tmp_path / name, b"old")
        left = (tmp_path / name).with_name(f".file.{int(gone.stdout)}.0123abcd.tmp")
        left.write_bytes(b"half of something")
    (tmp_path / f".other.{os.getppid()}.0123abcd.tmp").write_bytes(b"somebody is at it")
    (tmp_path / ".hidden.tmp").write_bytes(b"not ours")
    remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden.tmp", f".other.{os.getppid()}.0123abcd.tmp", "file", "inside"]
    assert os.listdir(tmp_path / "inside") == ["file"]


def test_on_windows_no_process_is_signalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There ``os.kill`` ends a process, whatever the signal, and a file that is open can't be removed."""
    (tmp_path / f".file.{os.getppid()}.0123abcd.tmp").write_bytes(b"half of something")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("it was signalled"))
    monkeypatch.setattr("evofool.io.files.os.name", "nt")
    remove_leftovers(tmp_path)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_removed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is read-only, or removed meanwhile, is reported by what writes to it next."""
    (tmp_path / f".file.{10**9 - 1}.0123abcd.tmp").write_bytes(b"half of something")

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        remove_leftovers(tmp_path)
    assert len(os.listdir(tmp_path)) == 1
    monkeypatch.setattr(os, "scandir", refuse)
    remove_leftovers(tmp_path)
    monkeypatch.undo()
    remove_leftovers(tmp_path / "missing")
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_copy_is_what_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").write_bytes(b"old")
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: exec("raise OSError"))
    copy_atomically(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"content"
    assert (tmp_path / "b").samefile(tmp_path / "a") == links
    write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "b").read_bytes() == b"content"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()
    (tmp_path / "empty").write_bytes(b"")
    assert sha256(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
