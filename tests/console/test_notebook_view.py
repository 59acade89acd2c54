"""A notebook's cell has one output that is written over while a job works."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
import rich.console
from fake_steps import FakeClock

from evofool.console.console import STARTING, Console
from evofool.console.live import Snapshot, StepView
from evofool.console.notebook import REDRAW_SECONDS, NotebookView, drawn


class Cell:
    """The outputs of a cell, and everything that an output has been."""

    def __init__(self) -> None:
        self.outputs: list[Cell.Output] = []

    class Output(list[dict[str, str]]):
        def update(self, content: dict[str, str], *, raw: bool) -> None:
            assert raw
            self.append(content)

    def display(self, content: dict[str, str], *, raw: bool, display_id: bool) -> Output:
        assert raw
        assert display_id
        self.outputs.append(Cell.Output([content]))
        return self.outputs[-1]


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """Stand in for IPython, which only a notebook has."""
    cell = Cell()
    module: Any = ModuleType("IPython.display")
    module.display = cell.display
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return cell


def test_steps_are_drawn_now_and_then_in_one_output_that_is_empty_at_the_end(cell: Cell) -> None:
    clock = FakeClock()
    view = NotebookView(StepView("job"), "starting", clock)
    for step in range(200):
        view(f"step {step}")
        clock.now += REDRAW_SECONDS / 50
    view.close()
    (output,) = cell.outputs
    assert [each["text/plain"] for each in output] == ["starting", *(f"step {n}" for n in (0, 50, 100, 150)), ""]
    assert output[-1]["text/html"] == ""


def test_a_console_in_a_notebook_s_cell_says_that_it_starts(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    with suppress(KeyboardInterrupt), Console(to_stderr=True).watch(StepView("job")) as shown:
        assert isinstance(shown, NotebookView)
        raise KeyboardInterrupt
    assert [each["text/plain"] for each in cell.outputs[0]] == [STARTING, ""]


def test_what_is_drawn_is_escaped_and_has_a_bar_where_the_share_is_known() -> None:
    html = drawn(Snapshot("<b>", [("<i>", "<u>")], 1.2, "line"))["text/html"]
    assert '<progress max="1" value="1.000"' in html
    assert not {"<b>", "<i>", "<u>"} & {*html.split(), *html.replace(">", "> ").split()}
    assert "<progress" not in drawn(Snapshot("title", [], None, "line"))["text/html"]
