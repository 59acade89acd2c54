"""``evofool evolve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.evolve import EvolveOptions
from ..config.seeds import parse_seeds
from ..errors import ConfigError
from ..targets.members import joined
from .common import Gallery, Out, end_as_stopped, folder_of_job, resume_command, resume_stopped
from .declared import with_options
from .output import Output, with_output
from .sweep import show_sweep

if TYPE_CHECKING:
    from ..console.console import Console


@with_options(EvolveOptions)
@with_output
def evolve(
    given: dict[str, Any],
    output: Output,
    config: Annotated[
        Path | None,
        typer.Option(help="Make a run again from its folder or its config.json; other options given override it."),
    ] = None,
    out: Out = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Make a run for each of several seeds, and one page of them: 0-4, or 0,3,7-9."),
    ] = None,
    gallery: Gallery = True,
    profile: Annotated[bool, typer.Option("--profile", help="Print at the end where the time went.")] = False,
) -> None:
    """Evolve images that a classifier is sure about.

    It finds one image for every class of the target, or several that differ. --generations, --evaluations, --minutes
    and --until combine: the first one reached ends the run.

    With --seeds, each run has a folder inside --out. The same command goes on where it was stopped.
    """
    from ..console.run_view import RunView

    if config is None:
        options = EvolveOptions.of(given)
    else:
        from ..jobs.recorded import recorded_options

        options = recorded_options(config, given)
    if seeds is not None:
        _sweep(output, options, given, seeds, out, gallery=gallery, profile=profile)
        return
    with (
        folder_of_job(out, f"{joined(options.target)}-{options.encoding}") as folder,
        output.watch(RunView([])) as observer,
    ):
        from ..jobs import evolve as job  # importing torch takes some seconds: not before there is something to see
        from ..search.profiler import Profiler

        profiler = Profiler() if profile else None
        result = job.run(options, out=folder, gallery=gallery, observer=observer, profiler=profiler)
    if spare := result.config.target.spare_tensors:
        output.console.note(
            f"{options.weights} holds tensors that {joined(options.target)} has no place for, left out: "
            f"{', '.join(spare)}"
        )
    show_run(output.console, result, output.as_json, profiler)


def _sweep(
    output: Output,
    options: EvolveOptions,
    given: dict[str, Any],
    seeds: str,
    out: Path | None,
    *,
    gallery: bool,
    profile: bool,
) -> None:
    """Run each of several seeds, and print what they ended with."""
    from ..console.sweep_view import SweepView
    from ..sweeps import start

    if "seed" in given or profile:
        raise ConfigError(f"give either `seeds` or {'`profile`' if profile else '`seed`'}")
    plan = start.planned_seeds(options, parse_seeds(seeds))
    with output.watch(SweepView()) as observer:
        result = start.run(plan, out=out, gallery=gallery, observer=observer)
    show_sweep(output.console, result, output.as_json)


def show_run(console: Console, result: Any, as_json: bool, profiler: Any = None) -> None:
    """Print what a run ended with, and end the command as stopped if it was."""
    shares = profiler.shares() if profiler else None
    if as_json:
        console.json(result.summary() | ({"profile": shares} if shares else {}))
    else:
        further = f"{resume_command(result.run)} --evaluations {2 * result.evaluations}"
        console.finished_run(result, resume_stopped(result, result.run) if result.interrupted else further)
        if shares:
            console.profile(shares)
    end_as_stopped(result.interrupted)
