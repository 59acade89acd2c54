"""``evofool sweep``: many runs that differ in their options, as one job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.class_names import listed
from ..config.evolve import EvolveOptions
from ..errors import RunError
from ..text import counted
from .common import Gallery, end_as_stopped, resume_command
from .declared import with_options
from .output import Output, with_output

if TYPE_CHECKING:
    from ..console.console import Console


@with_options(EvolveOptions, ())
@with_output
def sweep(
    given: dict[str, Any],
    output: Output,
    file: Annotated[Path, typer.Argument(help="The TOML file that says which runs there are.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The folder, in which each run has its own. [default: the next in outputs/, or the one that this "
            "file's sweep began in]",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print which runs there would be and how long they would take.")
    ] = False,
    gallery: Gallery = True,
) -> None:
    """Make many runs of different options, and compare them.

    The file has the options of evofool evolve by name. Lists under [grid] are multiplied, [[runs]] are variants that
    each get all of that, and seeds = "0-4" makes each with five seeds. With command = "attack" they are campaigns.

    The same command goes on where it was stopped, and so does evofool resume. A run that fails doesn't keep the others
    from being made; the exit code is 2 then.
    """
    from ..sweeps import start

    if dry_run:
        output.without_job()
    plan = start.planned(file)
    if dry_run:
        from ..sweeps.estimate import estimate

        output.console.say("measuring how fast configurations are, two seconds each …")
        facts = estimate(plan)
        if output.as_json:
            output.console.json(facts)
        else:
            output.console.planned_sweep(facts)
        return
    from ..console.sweep_view import SweepView

    with output.watch(SweepView()) as observer:
        result = start.run(plan, out=out, gallery=gallery, observer=observer)
    show_sweep(output.console, result, output.as_json)


def show_sweep(console: Console, result: Any, as_json: bool) -> None:
    """Print what a sweep has come to; end the command as stopped if it was, and with an error if runs failed."""
    if as_json:
        console.json(result.summary())
    else:
        console.finished_sweep(result, resume_command(result.path))
    end_as_stopped(result.interrupted)
    if result.failed:
        raise RunError(
            f"{counted(len(result.failed), 'run')} of {len(result.rows):,} failed ({listed(list(result.failed), 4)}); "
            f"see sweep.csv and report.html in {result.path}; when that is mended, go on with: "
            f"{resume_command(result.path)}"
        )
