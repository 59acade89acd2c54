"""``evofool lab``: the experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.ascend import AscendOptions
from ..config.detect import DetectOptions
from ..config.elites import AblateOptions, OccludeOptions
from ..config.experiment_options import ExperimentOptions
from ..config.features import FeaturesOptions
from ..config.harden import HardenOptions
from ..config.perturb import PerturbOptions
from ..config.probe import ProbeOptions
from ..config.transfer import TransferOptions
from .common import Json, Out, Quiet, end_as_stopped, folder_of_job, resume_stopped
from .declared import with_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..console.console import Console

Genomes = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Runs, genome files, banks, one of their genomes (cifar10-cppn#cat), or pictures. [default: cifar10-cppn]",
        show_default=False,
    ),
]


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


@with_options(AscendOptions)
def ascend(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Climb from noise to every class, along the gradient.

    Through pixels, through decorrelated Fourier coefficients, or through the weights of evolved CPPNs. What counts is
    the 8-bit image.
    """
    _run(AscendOptions.of(given), out, quiet, as_json)


@with_options(OccludeOptions)
def occlude(
    given: dict[str, Any], genomes: Genomes = None, out: Out = None, quiet: Quiet = False, as_json: Json = False
) -> None:
    """Cover every part of evolved images, one after the other.

    It shows what is left of the confidence, and so where the network looks. Any classifier will do.
    """
    _run(OccludeOptions.of(_with_genomes(given, genomes)), out, quiet, as_json)


@with_options(AblateOptions)
def ablate(
    given: dict[str, Any], genomes: Genomes = None, out: Out = None, quiet: Quiet = False, as_json: Json = False
) -> None:
    """Take evolved images apart: nodes, pairs, repeated elements.

    It shows what is left of the confidence. Any classifier will do.
    """
    _run(AblateOptions.of(_with_genomes(given, genomes)), out, quiet, as_json)


@with_options(ProbeOptions)
def probe(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Look around adversarial images: noise, directions, pixels.

    The images come from L-BFGS, from edits of one pixel, and from evolution.
    """
    _run(ProbeOptions.of(given), out, quiet, as_json)


@with_options(TransferOptions)
def transfer(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """See whether images that fool one network fool another.

    Evolved images, edits of pixels and perturbations are made for each network, or taken from runs and banks, and
    shown to all.
    """
    _run(TransferOptions.of(given), out, quiet, as_json)


@with_options(FeaturesOptions)
def features(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Train networks on images that show people one class and networks another.

    Four data sets are made along gradients (Ilyas et al. 2019). D_R: images optimised from others until a robust
    network has the same features of them as of the originals. D_NR: the same for a standard network. D_rand and D_det:
    images perturbed until they are taken for a random class, or for the class after theirs, and labelled as that. New
    networks learn from each set and are tested on real images. Then images are evolved against the standard and the
    robust network.
    """
    _run(FeaturesOptions.of(given), out, quiet, as_json)


@with_options(HardenOptions)
def harden(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Train a network on images that fool it, and try to fool it again.

    In every round it learns evolved images as one class more, or perturbed images with their true labels. The network
    of each round is saved and can be used as a target.
    """
    _run(HardenOptions.of(given), out, quiet, as_json)


@with_options(DetectOptions)
def detect(given: dict[str, Any], out: Out = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """See whether fooling images can be told from real ones.

    Scores are the network's confidence, what its gradients and features tell, and detectors that are trained on one
    kind of fooling images and tested on all kinds. Any classifier will do; scores that it can't give are left out.
    """
    _run(DetectOptions.of(given), out, quiet, as_json)


COMMANDS = (ascend, perturb, transfer, features, harden, probe, detect, occlude, ablate)
"""The experiments as commands."""


def _with_genomes(given: Mapping[str, Any], genomes: Sequence[Path] | None) -> dict[str, Any]:
    """Return options with the evolved images that stand on the command line, if any do."""
    return {**given, **({"genomes": genomes} if genomes else {})}


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
        console.finished_experiment(result, resume_stopped(result, result.path))
    end_as_stopped(result.interrupted)
