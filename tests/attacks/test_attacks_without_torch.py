"""Folders of campaigns are read without torch, so what reading needs of the attacks doesn't import it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["plan", "tasks", "outcome", "statistics", "subject", "searches.registry"])
def test_what_reading_a_folder_needs_does_not_import_torch(module: str) -> None:
    program = f"import sys, evofool.attacks.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
