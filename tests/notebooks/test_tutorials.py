"""The lessons in docs/tutorials run, and what they hold is small and nobody's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scripts import REASON, loaded_script

TUTORIALS = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.ipynb"))
NAMES = [path.stem for path in TUTORIALS]

LARGEST = 150_000
"""Most bytes of a notebook with its outputs."""

LINES = 30
"""Most lines of text that a cell shows."""


@pytest.mark.parametrize("path", TUTORIALS, ids=NAMES)
def test_a_lesson_runs(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is an extra")
    pytest.importorskip("ipykernel", reason=REASON)
    nbformat, _ = (pytest.importorskip(name, reason=REASON) for name in ("nbformat", "nbclient"))
    notebook = nbformat.read(path, 4)
    loaded_script("make_tutorials").execute(notebook, tmp_path)


def cells_of(path: Path) -> list[dict[str, Any]]:
    """The cells of a notebook's file."""
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def test_there_are_eight_lessons_and_the_page_has_them_all() -> None:
    assert len(TUTORIALS) == 8
    page = (TUTORIALS[0].parent / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(([^)]*)\.ipynb\)", page) == NAMES


@pytest.mark.parametrize("path", TUTORIALS, ids=NAMES)
def test_a_lesson_is_stored_as_it_ran_and_small(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    code = [cell for cell in cells_of(path) if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in code]
    assert counts == [*range(1, len(code) + 1)], "run: python docs/make_tutorials.py"
    for output in (output for cell in code for output in cell["outputs"]):
        assert output["output_type"] in ("execute_result", "stream"), "a traceback, or progress"
        assert output.get("name") != "stderr"
        assert len(output.get("text", [])) < LINES


@pytest.mark.parametrize("path", TUTORIALS, ids=NAMES)
def test_a_lesson_names_no_place_and_no_time_of_the_machine_that_ran_it(path: Path) -> None:
    shown = json.dumps([cell.get("outputs") for cell in cells_of(path)])
    words = re.sub(r"data:image/png;base64,[\w+/=]*", "", shown)
    assert re.findall(r"(?:/home|/root|/tmp|/work|/Users|[A-Z]:\\)[^\s\"]*", words) == []
    assert re.findall(r"\d+:\d\d\b|images/s|at 0x[0-9a-f]+", words) == []
    assert "<a href" not in words
    assert not any(cell["metadata"] for cell in cells_of(path))


@pytest.mark.parametrize("path", TUTORIALS, ids=NAMES)
def test_a_lesson_begins_with_a_question_and_ends_with_something_to_try(path: Path) -> None:
    first, *_, last = (cell for cell in cells_of(path) if cell["cell_type"] == "markdown")
    assert re.search(r"^# ", first["source"][0])
    assert "?" in "".join(first["source"])
    assert last["source"][0] == "## Try it\n" or "## Try it\n" in last["source"]
    assert re.search(r"^1\. ", "".join(last["source"]), re.MULTILINE)
