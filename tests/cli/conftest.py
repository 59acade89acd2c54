"""What tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import small_evolve

import evofool


@pytest.fixture(scope="session")
def cppn_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run of three generations, which nobody changes."""
    run = tmp_path_factory.mktemp("cli") / "run"
    small_evolve(run, encoding="cppn", classes=["3", "8"])
    return run


@pytest.fixture(scope="session")
def digit_campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a campaign of three pixels against six digits, with its images exported, which nobody changes."""
    path = tmp_path_factory.mktemp("attack") / "campaign"
    evofool.attack(out=path, count=6, pixels=3, queries=300, device="cpu", export=True)
    return path
