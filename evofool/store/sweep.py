"""A sweep's folder: runs that differ in their seeds.

``config.json``   the options of all runs, as they were given
``seed-N/``       the run with seed N; see ``evofool.store.run``
``index.html``    the page of all runs
"""

from __future__ import annotations

from pathlib import Path

from .folder import CONFIG


def folder_of_seed(path: Path, seed: int) -> Path:
    """Return the folder of a run in a sweep's folder."""
    return path / f"seed-{seed}"


def run_folders(path: Path) -> dict[int, Path]:
    """Return the folders of the runs in a sweep's folder, by seed, lowest first."""
    names = (folder.name.removeprefix("seed-") for folder in path.glob("seed-*") if (folder / CONFIG).exists())
    seeds = sorted(int(name) for name in names if name.isascii() and name.isdecimal() and name == str(int(name)))
    return {seed: folder_of_seed(path, seed) for seed in seeds}
