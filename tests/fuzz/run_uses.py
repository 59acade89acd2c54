"""Runs under attack, and what commands do with them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import evofool
from evofool.console.console import Console
from evofool.errors import ConfigError, EvofoolError
from evofool.gallery.pages.run_page import write_run_page
from evofool.jobs.run import RunStep

RUNS: dict[str, dict[str, Any]] = {
    "cppn": {"encoding": "cppn", "emitters": "vary,tweak,restart,refine"},
    "direct": {"encoding": "direct"},
    "several": {"encoding": "direct", "descriptors": "brightness,symmetry", "bins": 2},
}
"""Options of the runs, which have three classes and three generations."""

USES = ("show", "inspect", "resume")


def use(what: str, run: Path) -> None:
    """Do with a run what commands do.

    ``resume`` stops before it evolves, since the budget is spent, or after a generation where a stranger's checkpoint
    says that it is not. ``go on`` evolves a generation.
    """
    if what == "show":
        write_run_page(run)
    elif what == "inspect":
        facts = evofool.inspect(run)
        elites = facts.pop("elites")
        console = Console()
        console.rich.file = io.StringIO()
        console.inspected_run(facts, elites)
    else:
        try:
            evofool.resume(run, generations={"resume": 1, "go on": 4}[what], gallery=False, observer=_end)
        except _End:
            pass
        except ConfigError as error:
            if "is past that already" not in str(error):
                raise


class _End(EvofoolError):
    """Ends an evolution."""


def _end(step: RunStep) -> None:
    raise _End(f"ended after generation {step.progress.generation}")
