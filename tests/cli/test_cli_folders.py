"""The folders of new jobs in ``outputs/``: of commands that begin together, each has its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from evofool.cli.common import folder_of_job, resume_command
from evofool.errors import RunError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_jobs_that_begin_together_have_folders_of_their_own() -> None:
    together = Barrier(8)

    def begin(_: int) -> str:
        together.wait(10)
        with folder_of_job(None, "digits-cppn") as folder:
            together.wait(10)
            (folder / "config.json").touch()
            return folder.name

    with ThreadPoolExecutor(8) as threads:
        names = list(threads.map(begin, range(8)))
    assert sorted(names) == sorted(os.listdir("outputs")) == [f"digits-cppn-{number:03d}" for number in range(1, 9)]


def test_whatever_has_a_number_keeps_it() -> None:
    Path("outputs").mkdir()
    Path("outputs/a-001").touch()
    Path("outputs/a-002").symlink_to("nowhere")
    Path("outputs/a-003").mkdir()
    with folder_of_job(None, "a") as folder:
        assert folder == Path("outputs/a-004")


def test_a_job_that_has_not_begun_leaves_no_folder() -> None:
    with folder_of_job(None, "python:net.py:net") as folder:
        assert os.listdir("outputs") == [folder.name] == ["python-net.py-net-001"]
    assert os.listdir() == []


def test_a_folder_that_is_named_is_left_to_the_job() -> None:
    with folder_of_job(Path("mine"), "a") as folder:
        assert folder == Path("mine")
    assert os.listdir() == []


def test_a_folder_that_cannot_be_made_is_an_error_of_the_family() -> None:
    Path("outputs").touch()
    with pytest.raises(RunError, match="cannot write to outputs/a-001"), folder_of_job(None, "a"):
        pass


@pytest.mark.parametrize("name", [b"plain", "größe 日本".encode(), "größe".encode("latin-1"), b"it's \\ 'k\xff"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_command_that_goes_on_can_be_copied_whatever_the_folder_is_called(
    encoding: str, name: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    command = resume_command(Path(os.fsdecode(name)))
    shown = command.encode(encoding)
    script = b'evofool() { printf %s "$2"; }; ' + shown
    assert subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout == name
