"""``evofool evolve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.evolve import EvolveOptions
from .common import Gallery, Json, Out, Quiet, end_as_stopped, folder_of_job, resume_command
from .declared import with_options

if TYPE_CHECKING:
    from ..console.console import Console


@with_options(EvolveOptions)
def evolve(
    given: dict[str, Any],
    config: Annotated[
        Path | None,
        typer.Option(help="Make a run again from its folder or its config.json; other options given override it."),
    ] = None,
    out: Out = None,
    gallery: Gallery = True,
    profile: Annotated[bool, typer.Option("--profile", help="Print at the end where the time went.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Evolve images that a classifier is sure about.

    It finds one image for every class of the target, or several that differ. --generations, --evaluations, --minutes
    and --until combine: the first one reached ends the run.
    """
    from ..console.console import Console
    from ..console.run_view import RunView

    console = Console(quiet=quiet, to_stderr=as_json)
    if config is None:
        options = EvolveOptions.of(given)
    else:
        from ..jobs.recorded import recorded_options

        options = recorded_options(config, given)
    with folder_of_job(out, f"{options.target}-{options.encoding}") as folder, console.watch(RunView([])) as observer:
        from ..jobs import evolve as job  # importing torch takes some seconds: not before there is something to see
        from ..search.profiler import Profiler

        profiler = Profiler() if profile else None
        result = job.run(options, out=folder, gallery=gallery, observer=observer, profiler=profiler)
    if spare := result.config.target.spare_tensors:
        console.say(
            f"note: {options.weights} holds tensors that {options.target} has no place for, left out: "
            f"{', '.join(spare)}"
        )
    show_run(console, result, as_json, profiler)


def show_run(console: Console, result: Any, as_json: bool, profiler: Any = None) -> None:
    """Print what a run ended with, and end the command as stopped if it was."""
    shares = profiler.shares() if profiler else None
    if as_json:
        console.json(result.summary() | ({"profile": shares} if shares else {}))
    else:
        further = "" if result.interrupted else f" --evaluations {2 * result.evaluations}"
        console.finished_run(result, resume_command(result.run) + further)
        if shares:
            console.profile(shares)
    end_as_stopped(result.interrupted)
