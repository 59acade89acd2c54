"""``evofool attack`` and ``evofool report``: campaigns against real images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.attack import AttackOptions
from ..targets.members import joined
from .common import Json, Out, Quiet, end_as_stopped, folder_of_job, resume_stopped
from .declared import with_options
from .output import Output, with_output

if TYPE_CHECKING:
    from ..console.console import Console


@with_options(AttackOptions)
@with_output
def attack(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """Find the one pixel (or few) that changes an image's class.

    Many images are attacked at once. Without options these are handwritten digits.
    """
    from ..console.campaign_view import CampaignView

    options = AttackOptions.of(given)
    stem = f"attack-{joined(options.target or Path(options.data or 'digits').stem)}"
    with folder_of_job(out, stem) as folder, output.watch(CampaignView()) as observer:
        from ..jobs import attack as job  # importing torch takes some seconds

        result = job.run(options, out=folder, observer=observer)
    show_campaign(output.console, result, output.as_json)


def report(
    campaigns: Annotated[list[Path], typer.Argument(help="The folder of a campaign; of several, to compare them.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The HTML file. [default: report.html in the folder; of several campaigns, campaigns.html here]",
        ),
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Write the images found as well: adversarial.npz and PNGs.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write a campaign's page anew, or compare several.

    The plots and the table of outcomes of a single campaign are written with it. Several are paired by image and
    criterion.
    """
    from ..console.console import Console
    from ..gallery.pages.campaign_page import write_report
    from ..store.campaign import CampaignFolder
    from ..store.export import export_adversarial

    console = Console(quiet=quiet, to_stderr=as_json)
    written = write_report(campaigns, out)
    console.say(f"report: {written.file}")
    for path in campaigns if export else []:
        count = export_adversarial(CampaignFolder.open(path))
        console.say(f"images: {path / 'adversarial.npz'} ({count})")
    if as_json:
        console.json(written.figures())


def show_campaign(console: Console, result: Any, as_json: bool) -> None:
    """Print what a campaign ended with, and end the command as stopped if it was."""
    if as_json:
        console.json(result.summary())
    else:
        console.finished_campaign(result, resume_stopped(result, result.path))
    end_as_stopped(result.interrupted)
