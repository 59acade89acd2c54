"""Options are documented where they are declared."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import evofool
from evofool.config.evolve import EvolveOptions
from evofool.config.options import declarations

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_of_options_is_that_of_the_declarations() -> None:
    spec = importlib.util.spec_from_file_location("make_options", DOCS / "make_options.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "OPTIONS.md").read_text(encoding="utf-8") == module.content(), "run: python docs/make_options.py"


def test_help_shows_every_option() -> None:
    signature = inspect.signature(evofool.evolve)
    for name, declaration in declarations(EvolveOptions).items():
        assert name in signature.parameters
        assert signature.parameters[name].default == declaration.default
        assert declaration.help in (evofool.evolve.__doc__ or "") or name in ("target", "encoding")
