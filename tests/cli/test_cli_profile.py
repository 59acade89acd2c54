"""``evofool evolve --profile``: where the time went, printed and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import EVOLVE, Capture, run_cli

from evofool.search.profiler import PHASES, SAVING


def test_the_command_says_where_the_time_went(tmp_path: Path, capsys: Capture) -> None:
    outcome = run_cli(capsys, *EVOLVE, "--profile", "--out", tmp_path / "a")
    assert outcome.code == 0
    assert all(name in outcome.out for name in [*PHASES.values(), SAVING, "rest"])
    shares = json.loads(run_cli(capsys, *EVOLVE, "--profile", "--json", "--out", tmp_path / "b").out)["profile"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["saving"] > 0
    assert "profile" not in json.loads(run_cli(capsys, *EVOLVE, "--json", "--out", tmp_path / "c").out)
