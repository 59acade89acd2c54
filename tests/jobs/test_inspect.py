"""Answers as plain values: runs whose files lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import json_lines, small_evolve

from evofool.errors import RunError
from evofool.jobs import inspect as report


@pytest.mark.parametrize(("key", "value"), [("score", float("nan")), ("top5", [["cat", -1e308]]), ("class", 5)])
def test_an_elite_that_lies_is_named_with_its_line(key: str, value: Any, tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", classes="0,1", gallery=False)
    lines = json_lines(tmp_path / "run" / "elites.jsonl")
    lines[1][key] = value
    (tmp_path / "run" / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(RunError, match=rf"line 2 of .*elites\.jsonl is damaged \({key}"):
        report.inspect_run(tmp_path / "run")
