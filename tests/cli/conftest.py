"""What tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import small_evolve


@pytest.fixture(scope="session")
def cppn_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run of three generations, which nobody changes."""
    run = tmp_path_factory.mktemp("cli") / "run"
    small_evolve(run, encoding="cppn", classes=["3", "8"])
    return run
