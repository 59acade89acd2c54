"""Scripts of the documentation, which are in no package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

REASON = "notebooks need nbclient and ipykernel (evofool[test])"
"""Why tests are skipped where these are missing."""

DOCS = Path(__file__).parents[2] / "docs"


def loaded_script(name: str) -> ModuleType:
    """Return the module that a script in ``docs/`` is."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
