"""The page of a run while it goes on: written again and again, beside the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pages import data_of, file_size_limit
from runs import Capture, run_cli, small_evolve

from evofool.errors import RunError
from evofool.jobs import session
from evofool.jobs.run import RunStep
from evofool.store.run import RunFolder


def wait_for(condition: Callable[[], bool]) -> bool:
    """Wait up to 30 seconds until a condition holds; pages are written beside the work."""
    for _ in range(3000):
        if condition():
            return True
        time.sleep(0.01)
    return False


def shown_generation(page: Path) -> int | None:
    """Return the generation that a run's page shows, or None where there is no page yet."""
    if not page.exists():
        return None
    generation: int = data_of(page)["sources"][0]["facts"]["generation"]
    return generation


def test_the_page_is_written_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)
    page, seen = tmp_path / "run" / "index.html", []

    def look(step: RunStep) -> None:
        before = step.progress.generation - 1
        if before and wait_for(lambda: shown_generation(page) == before):
            data = data_of(page)
            seen.append((data["live"] is not None, before, len(data["tiles"])))

    result = small_evolve(tmp_path / "run", encoding="cppn", generations=5, observer=look)
    assert seen == [(True, generation, 10) for generation in range(1, 5)]
    assert result.gallery == page
    assert data_of(page)["live"] is None
    assert shown_generation(page) == 5


def test_a_page_that_takes_long_is_written_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PAGE_SECONDS", 0.0)
    monkeypatch.setattr(session, "PAGE_SHARE", 1e-9)
    page, shown = tmp_path / "run" / "index.html", []

    def look(step: RunStep) -> None:
        if step.progress.generation == 2:
            assert wait_for(lambda: shown_generation(page) == 1)
        elif step.progress.generation > 2:
            time.sleep(0.2)  # A page that was due after the last generation is written meanwhile.
            shown.append(shown_generation(page))

    small_evolve(tmp_path / "run", generations=6, observer=look)
    assert shown == [1, 1, 1, 1]
    assert shown_generation(page) == 6


def test_without_a_gallery_there_is_neither(tmp_path: Path, capsys: Capture) -> None:
    result = small_evolve(tmp_path / "run", gallery=False)
    assert result.gallery is result.sheet is None
    small = ["evolve", "--target", "digits", "--encoding", "direct", "--generations", "2", "--batch", "10"]
    assert run_cli(capsys, *small, "--no-gallery", "--out", tmp_path / "cli").code == 0
    for folder in ("run", "cli"):
        assert not {"index.html", "gallery.png"} & {file.name for file in (tmp_path / folder).iterdir()}


def test_without_a_folder_there_is_no_page() -> None:
    assert small_evolve().gallery is None


def test_a_page_that_cannot_be_written_while_a_run_goes_on_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)
    size = small_evolve(tmp_path / "first").gallery.stat().st_size  # type: ignore[union-attr]
    with file_size_limit(size // 2), pytest.raises(RunError, match=r"cannot write to .*File too large"):
        small_evolve(tmp_path / "run", generations=1000)
    assert RunFolder.open(tmp_path / "run").metrics()[-1]["generation"] < 1000
