"""The folders of new jobs in ``outputs/``: of commands that begin together, each has its own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from evofool.cli.common import folder_of_job
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
