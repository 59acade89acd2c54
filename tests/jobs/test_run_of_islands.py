"""A run of islands is a run like others: killed, it ends with the bytes of an undisturbed one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from runs import Killed, assert_same_run, kill, small_evolve

import evofool


@pytest.mark.parametrize("generation", [2, 5])
@pytest.mark.usefixtures("eager")
def test_killed_a_run_of_islands_ends_with_the_same_bytes(
    generation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evofool.search.islands.MIGRATION_EVERY", 1)

    def observe(step: Any) -> None:
        if step.progress.generation == generation:
            kill()

    options: dict[str, Any] = {"islands": 3, "generations": 8, "classes": ["3", "5", "8"], "gallery": False}
    with pytest.raises(Killed):
        small_evolve(tmp_path / "a", observer=observe, **options)
    resumed = evofool.resume(tmp_path / "a", gallery=False)
    assert (resumed.config.options.islands, resumed.evaluations) == (3, 160)
    small_evolve(tmp_path / "b", **options)
    assert_same_run(tmp_path / "a", tmp_path / "b")
