"""The files of docs/SWEEP.md plan what the page says of them, and run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from runs import Capture, succeed

from evofool.sweeps.start import planned

PAGE = (Path(__file__).parents[2] / "docs" / "SWEEP.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```toml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
"""The files that the page shows, by name."""


@pytest.mark.parametrize(
    ("name", "configurations", "runs"), [("encodings", 4, 20), ("emitters", 3, 15), ("attacks", 6, 18)]
)
def test_a_documented_file_plans_its_runs(name: str, configurations: int, runs: int) -> None:
    plan = planned(tomllib.loads(FILES[f"{name}.toml"]))
    assert len(plan.runs) == runs
    assert len({run.configuration for run in plan.runs}) == configurations


def test_the_first_documented_file_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    small = FILES["encodings.toml"].replace("2000", "100").replace('"0-4"', "[0]").replace("[50, 100]", "[50]")
    Path("encodings.toml").write_text(small, encoding="utf-8")
    shown = succeed(capsys, "sweep", "encodings.toml", "--no-gallery").out
    assert "done: 2 of 2 runs" in shown
    assert (tmp_path / "outputs" / "encodings-001" / "cppn-seed-0" / "config.json").exists()
