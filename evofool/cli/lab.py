"""``evofool lab``: the experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..config.experiment_options import ExperimentOptions
from ..config.perturb import PerturbOptions
from .common import Json, Out, Quiet, end_as_stopped, folder_of_job, resume_command
from .declared import with_options

if TYPE_CHECKING:
    from ..console.console import Console


def experiments(ctx: typer.Context, as_json: Json = False) -> None:
    """List the experiments, or run one of them."""
    if ctx.invoked_subcommand is not None:
        return
    from ..console.console import Console
    from ..lab.registry import EXPERIMENTS

    if as_json:
        Console(to_stderr=True).json({name: entry.question for name, entry in EXPERIMENTS.items()})
    else:
        Console().experiments((name, entry.question, entry.source) for name, entry in EXPERIMENTS.items())


@with_options(PerturbOptions)
def perturb(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Change all pixels a little, along the gradient.

    FGSM, its iterated form, PGD in two norms, and L-BFGS, which looks for the smallest distance. What counts is the
    8-bit image.
    """
    _run(PerturbOptions.of(given), out, quiet, as_json)


COMMANDS = (perturb,)
"""The experiments as commands."""


def _run(options: ExperimentOptions, out: Path | None, quiet: bool, as_json: bool) -> None:
    """Run an experiment and print what it ended with."""
    from ..console.console import Console
    from ..console.experiment_view import ExperimentView

    console = Console(quiet=quiet, to_stderr=as_json)
    with folder_of_job(out, options.stem) as folder, console.watch(ExperimentView()) as observer:
        from ..lab import start

        result = start.run(options, out=folder, observer=observer)
    show_experiment(console, result, as_json)


def show_experiment(console: Console, result: Any, as_json: bool) -> None:
    """Print what an experiment ended with, and end the command as stopped if it was."""
    if as_json:
        console.json(result.summary())
    else:
        console.finished_experiment(result, resume_command(result.path))
    end_as_stopped(result.interrupted)
