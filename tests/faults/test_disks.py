"""A disk that is really full, or read-only: one line, and the job goes on once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from commands import COMMANDS, Command, Figures, Undisturbed, assert_error, nothing
from runs import LONG, tree


class Disk:
    """A file system in memory.

    Args:
        path: Where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._mount("-t", "tmpfs", "-o", "size=64k", "tmpfs")

    def resize(self, size: int) -> None:
        self._mount("-o", f"remount,size={size}")

    def protect(self) -> None:
        self._mount("-o", "remount,ro")

    def release(self) -> None:
        subprocess.run(["umount", self.path], check=True)

    def _mount(self, *words: str) -> None:
        try:
            subprocess.run(["mount", *words, self.path], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no small disk can be mounted here: {error}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.release()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_on_a_full_disk(
    command: Command, undisturbed: Callable[[Command], Undisturbed], figures: Figures, disk: Disk
) -> None:
    """A disk of any size up to what the job needs; it starts, or goes on, again and again as the disk grows."""
    whole, rng = undisturbed(command).folder, np.random.default_rng(len(command.name))
    needed = sum(-(-len(content) // 4096) * 4096 for content in tree(whole).values())
    for number in range(20 if LONG else 2):
        run = disk.path / str(number)
        for share in np.sort(rng.uniform(0.02, 1, 3)):
            disk.resize(max(8192, int(share * needed)))
            command.clear(run)
            outcome = command.start(run).end()
            figures.tried += outcome.code != 0
            if outcome.code:
                assert_error(outcome, f"cannot write to {run}", f"cannot write {run}/gallery.png")
            else:
                assert (outcome.out, outcome.err) == ("", "")
        disk.resize(2**26)
        command.finish(run, whole)
        figures.bytes_lost += command.lost(whole, run)
        shutil.rmtree(run)
    figures.survived = figures.tried
    assert figures.tried > 0
    assert figures.bytes_lost == 0


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_on_a_disk_that_cannot_be_written(
    command: Command, undisturbed: Callable[[Command], Undisturbed], disk: Disk
) -> None:
    disk.resize(2**26)
    shutil.copytree(undisturbed(command).folder, disk.path / "run")
    disk.protect()
    before = tree(disk.path)
    assert_error(command.start(disk.path / "run").end(), "Read-only file system")
    assert_error(command.start(disk.path / "new").end(), "Read-only file system")
    assert tree(disk.path) == before


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_in_a_folder_of_somebody_else(command: Command, undisturbed: Callable[[Command], Undisturbed]) -> None:
    """The superuser may write everywhere, and becomes somebody else first."""
    become = partial(os.setuid, 65534) if os.geteuid() == 0 else nothing
    with tempfile.TemporaryDirectory() as open_to_all:
        os.chmod(open_to_all, 0o755)
        run = Path(shutil.copytree(undisturbed(command).folder, Path(open_to_all) / "run"))
        before = tree(run)
        run.chmod(0o555)
        try:
            assert_error(command.start(run, prepare=become).end(), "Permission denied")
            assert tree(run) == before
        finally:
            run.chmod(0o755)
