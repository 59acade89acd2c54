"""``evofool gallery``, ``timelapse``, ``poster``, ``render`` and ``breed``: what there is to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..text import counted
from .common import Classes, Quiet
from .declared import real_number, whole_number


def gallery(
    paths: Annotated[
        list[Path],
        typer.Argument(help="A run, a campaign, genomes or a bank such as cifar10-cppn; several runs side by side."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The HTML file. [default: index.html in the folder; of several, comparison.html here]"
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="A title instead of the page's own.")] = None,
    classes: Classes = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a page of pictures to look at and explore.

    It shows the pictures, what the network made of them and how they came about.
    """
    from ..console.console import Console
    from ..gallery.pages.run_page import write_gallery

    page = write_gallery(paths, out, title, classes)
    Console(quiet=quiet).say(f"gallery: {page}")
    if show:
        typer.launch(page.absolute().as_uri())


def timelapse(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .gif or .webp file to write.")],
    classes: Classes = None,
    size: Annotated[
        int, typer.Option(help="Pixels of a picture's longer side.", parser=whole_number, metavar="<int>")
    ] = 256,
    frames: Annotated[int, typer.Option(help="Number of pictures.", parser=whole_number, metavar="<int>")] = 60,
    seconds: Annotated[float, typer.Option(help="How long it plays.", parser=real_number, metavar="<float>")] = 8.0,
    quiet: Quiet = False,
) -> None:
    """Show how a run's elites grew, as a GIF or WebP.

    The confidence stands under every frame. At most 20 classes are shown unless some are named.
    """
    from ..console.console import Console
    from ..console.phrases import describe_missing
    from ..gallery.prints.timelapse import write_timelapse

    console = Console(quiet=quiet)
    timelapse = write_timelapse(run, out, classes=classes, size=size, frames=frames, seconds=seconds)
    console.say(f"{out}: {counted(timelapse.frames, 'frame')}")
    if timelapse.missing:
        console.say(f"note: {describe_missing(timelapse.missing)}")


def poster(
    paths: Annotated[list[Path], typer.Argument(help="A run, genomes, or a bank such as cifar10-cppn.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .png or .pdf file to write.")],
    size: Annotated[str, typer.Option(help="Pixels, as 7016x4961, or a0 … a5 at 300 dpi; a2-portrait.")] = "a2",
    title: Annotated[str | None, typer.Option(help="A title instead of the poster's own.")] = None,
    classes: Classes = None,
    light: Annotated[bool, typer.Option("--light", help="Dark on white, for paper: it needs little ink.")] = False,
    quiet: Quiet = False,
) -> None:
    """Set elites as a poster for print.

    CPPNs are rendered at its full size, in bands that need little memory.
    """
    from ..console.console import Console
    from ..console.phrases import describe_missing
    from ..gallery.prints.poster import write_poster

    console = Console(quiet=quiet)
    poster = write_poster(paths, size, out, title=title, classes=classes, light=light)
    console.say(f"{out}: {poster.width} × {poster.height}")
    if not poster.named:
        console.say("note: the pictures are too small for names; choose a larger --size, or fewer --classes")
    if poster.missing:
        console.say(f"note: {describe_missing(poster.missing)}")


def render(
    genome: Annotated[
        Path,
        typer.Argument(
            help="A CPPN genome (.json), one of a bank, a folder or a run (cifar10-cppn#cat), or a picture."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The .png file to write; .json writes the genome itself, to read.")
    ],
    size: Annotated[str, typer.Option(help="Pixels: 1024 for the shorter side, or 1600x900.")] = "1024",
    quiet: Quiet = False,
) -> None:
    """Render a genome at any size.

    CPPNs come out sharp, pictures with hard pixel edges.
    """
    from ..console.console import Console
    from ..gallery.prints.render import render_genome

    width, height = render_genome(genome, size, out)
    Console(quiet=quiet).say(f"{out}: {width} × {height}")


def breed(
    target: Annotated[
        str, typer.Option("--target", "-t", help="The network: cifar10, mnist, mnist:logistic or digits.")
    ] = "cifar10",
    init: Annotated[
        Path | None,
        typer.Option(
            help="CPPN genomes to begin with: a file, a run or a bank such as cifar10-cppn. [default: random]"
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file.")] = Path("breed.html"),
    seed: Annotated[
        int | None,
        typer.Option(
            help="Begin with the same pictures whenever the page is opened.", parser=whole_number, metavar="<int>"
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a page in which you breed pictures that fool a network.

    The network runs in the browser and says below each picture what it sees. The page is one file and needs no server.
    """
    from ..console.console import Console
    from ..gallery.pages.breed_page import write_breed_page

    page = write_breed_page(target, out, init=init, seed=seed)
    Console(quiet=quiet).say(f"breed: {page}")
    if show:
        typer.launch(page.absolute().as_uri())
