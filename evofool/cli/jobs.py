"""``evofool resume`` and ``evofool inspect``: jobs that have a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.engine import ENGINE_OPTIONS
from ..config.evolve import BUDGET, EvolveOptions
from ..errors import RunError
from ..store.folder import kind_of
from ..text import counted
from .attack import show_campaign
from .audit import show_audit
from .common import Gallery, Json, end_as_stopped
from .declared import with_options
from .evolve import show_run
from .lab import show_experiment
from .output import Output, with_output
from .sweep import show_sweep

if TYPE_CHECKING:
    from ..console.console import Console


@with_options(EvolveOptions, (*BUDGET, "max_queries", *ENGINE_OPTIONS), defaults=False)
@with_output
def resume(
    given: dict[str, Any],
    output: Output,
    job: Annotated[Path, typer.Argument(help="The folder of a run, a campaign, an experiment, an audit or a sweep.")],
    gallery: Gallery = True,
) -> None:
    """Go on with a job that was stopped, or with a larger budget.

    It ends with the same bytes as if it had never stopped. Limits count in all, not in addition. All limits but
    --max-queries are for runs, and for all runs of a sweep.
    """
    kind = kind_of(job)
    EvolveOptions.of(given)  # limits that can't be are refused before anything heavy is loaded
    from ..console.views import view_of_job
    from ..jobs import life

    result = life.resume(job, limits=given, gallery=gallery, watch=lambda: output.watch(view_of_job(job)))
    console, as_json = output.console, output.as_json
    if kind == "run":
        show_run(console, result, as_json)
    elif kind == "campaign":
        show_campaign(console, result, as_json)
    elif kind == "experiment":
        show_experiment(console, result, as_json)
    elif kind == "audit":
        show_audit(console, result, as_json)
    elif kind == "sweep":
        show_sweep(console, result, as_json)
    else:
        _show(console, result, as_json)


def inspect(
    job: Annotated[Path, typer.Argument(help="The folder of a run, a campaign, an experiment, an audit or a sweep.")],
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Go back to the checkpoint before a damaged one, and take damaged records out."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what a job is and how far it got, or repair it.

    With --repair, what is good stays; damaged parts are set aside or made again. The exit code is 2 where something is
    damaged.
    """
    from ..console.console import Console
    from ..jobs import life

    console = Console(to_stderr=as_json)
    if repair:
        for line in life.repair(job) or ["nothing was damaged"]:
            console.say(f"repair: {line}")
    facts = life.inspect(job)
    if as_json:
        console.json(facts)
    elif "elites" in facts:
        console.inspected_run(facts, facts.pop("elites"))
    else:
        console.facts(facts)
    if damaged := facts.get("damaged"):
        more = f" (and {counted(len(damaged) - 1, 'further fault')})" if len(damaged) > 1 else ""
        raise RunError(f"{damaged[0]}{more}")


def _show(console: Console, result: Any, as_json: bool) -> None:
    """Print the result of a job that has no summary of its own, unless quiet; end the command as stopped if it was."""
    facts = result if isinstance(result, dict) else {"result": str(result)}
    if as_json:
        console.json(facts)
    elif not console.quiet:
        console.facts(facts)
    end_as_stopped(bool(facts.get("interrupted")))
