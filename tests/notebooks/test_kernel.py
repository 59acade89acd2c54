"""What evofool does in a notebook, in a real kernel: results, progress, and the button that interrupts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cells import run_cells

IMPORTS = "import evofool, os; os.environ['EVOFOOL_TUNING'] = 'off'"
CELLS = {
    "stopped": "evofool.evolve('digits', 'cppn', minutes=5, out='run', device='cpu')",
    "resumed": "more = evofool.open('run').evaluations + 500\nevofool.resume('run', evaluations=more)",
    "campaign": "result = evofool.attack('digits', count=3, queries=200, out='campaign', device='cpu')\nresult",
    "silent": "evofool.attack('digits', count=1, out='silent', device='cpu', progress=False)",
    "plot": "result.plot()",
    "table": "result.to_dataframe()",
    "check": "evofool.check_target('digits', device='cpu')",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The outputs of each cell. The first is interrupted while it evolves."""
    folder: Path = tmp_path_factory.mktemp("kernel")
    cells = run_cells([IMPORTS, *CELLS.values()], folder, {1: "generation"})
    return dict(zip(CELLS, [cell.outputs for cell in cells[1:]], strict=True))


def test_the_interrupt_button_saves_and_the_cell_ends_with_its_result(outputs: dict[str, list[Any]]) -> None:
    _progress, told, result = outputs["stopped"]
    assert told["data"]["text/plain"] == 'stopped; what is done is saved, and evofool.resume("run") goes on\n'
    assert result["output_type"] == "execute_result"
    assert result["data"]["text/plain"].startswith("stopped: digits, cppn, ")
    assert "evofool.resume(&#34;run&#34;)" in result["data"]["text/html"]


def test_the_next_cell_goes_on(outputs: dict[str, list[Any]]) -> None:
    assert outputs["resumed"][-1]["data"]["text/plain"].startswith("done: digits, cppn, ")


@pytest.mark.parametrize("name", ["resumed", "campaign"])
def test_progress_is_one_output_that_is_empty_at_the_end(name: str, outputs: dict[str, list[Any]]) -> None:
    progress, result = outputs[name]
    assert progress["output_type"] == "display_data"
    assert progress["data"]["text/html"] == ""
    assert result["data"]["text/html"].count("<img") >= 1


def test_without_progress_there_is_the_result_alone(outputs: dict[str, list[Any]]) -> None:
    assert [each["output_type"] for each in outputs["silent"]] == ["execute_result"]


def test_figures_tables_and_checkups_show_themselves(outputs: dict[str, list[Any]]) -> None:
    assert outputs["plot"][0]["data"]["image/svg+xml"].startswith("<svg")
    assert outputs["table"][0]["data"]["text/html"].count("<tr") == 4
    assert "nothing wrong was found\n" in outputs["check"][0]["data"]["text/plain"]
