"""Answers as plain values: rendering in parts, and runs whose files lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import json_lines, small_evolve

from evofool.encodings.banks import bank_path
from evofool.errors import RunError
from evofool.jobs import inspect as report


@pytest.mark.parametrize("bank", ["cifar10-cppn", "mnist-cppn"])
def test_a_genome_rendered_in_parts_is_the_same(bank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bank_path(bank)
    assert folder is not None
    genome = sorted(folder.glob("*.json"))[0]
    report.render_genome(genome, "40x70", tmp_path / "whole.png")
    monkeypatch.setattr(report, "BAND", 40 * 9)
    report.render_genome(genome, "40x70", tmp_path / "parts.png")
    assert (tmp_path / "parts.png").read_bytes() == (tmp_path / "whole.png").read_bytes()


@pytest.mark.parametrize(("key", "value"), [("score", float("nan")), ("top5", [["cat", -1e308]]), ("class", 5)])
def test_an_elite_that_lies_is_named_with_its_line(key: str, value: Any, tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", classes="0,1", gallery=False)
    lines = json_lines(tmp_path / "run" / "elites.jsonl")
    lines[1][key] = value
    (tmp_path / "run" / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(RunError, match=rf"line 2 of .*elites\.jsonl is damaged \({key}"):
        report.inspect_run(tmp_path / "run")
