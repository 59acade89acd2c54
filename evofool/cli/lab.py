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
from .common import Json, Out, end_as_stopped, folder_of_job, resume_stopped
from .declared import with_options
from .output import Output, with_output

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
@with_output
def perturb(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """Change all pixels a little, along the gradient.

    FGSM, its iterated form, PGD in two norms, and L-BFGS, which looks for the smallest distance. What counts is the
    8-bit image.
    """
    _run(PerturbOptions.of(given), out, output)


@with_options(AscendOptions)
@with_output
def ascend(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """Climb from noise to every class, along the gradient.

    Through pixels, through decorrelated Fourier coefficients, or through the weights of evolved CPPNs. What counts is
    the 8-bit image.
    """
    _run(AscendOptions.of(given), out, output)


@with_options(OccludeOptions)
@with_output
def occlude(given: dict[str, Any], output: Output, genomes: Genomes = None, out: Out = None) -> None:
    """Cover every part of evolved images, one after the other.

    It shows what is left of the confidence, and so where the network looks. Any classifier will do.
    """
    _run(OccludeOptions.of(_with_genomes(given, genomes)), out, output)


@with_options(AblateOptions)
@with_output
def ablate(given: dict[str, Any], output: Output, genomes: Genomes = None, out: Out = None) -> None:
    """Take evolved images apart: nodes, pairs, repeated elements.

    It shows what is left of the confidence. Any classifier will do.
    """
    _run(AblateOptions.of(_with_genomes(given, genomes)), out, output)


@with_options(ProbeOptions)
@with_output
def probe(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """Look around adversarial images: noise, directions, pixels.

    The images come from L-BFGS, from edits of one pixel, and from evolution.
    """
    _run(ProbeOptions.of(given), out, output)


@with_options(TransferOptions)
@with_output
def transfer(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """See whether images that fool one network fool another.

    Evolved images, edits of pixels and perturbations are made for each network, or taken from runs and banks, and
    shown to all.
    """
    _run(TransferOptions.of(given), out, output)


@with_options(FeaturesOptions)
@with_output
def features(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """Train networks on features that only networks see.

    Four data sets are made along gradients (Ilyas et al. 2019). D_R: images optimised from others until a robust
    network has the same features of them as of the originals. D_NR: the same for a standard network. D_rand and D_det:
    images perturbed until they are taken for a random class, or for the class after theirs, and labelled as that. New
    networks learn from each set and are tested on real images. Then images are evolved against the standard and the
    robust network.
    """
    _run(FeaturesOptions.of(given), out, output)


@with_options(HardenOptions)
@with_output
def harden(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """Train a network on images that fool it; fool it again.

    In every round it learns evolved images as one class more, or perturbed images with their true labels. The network
    of each round is saved and can be used as a target.
    """
    _run(HardenOptions.of(given), out, output)


@with_options(DetectOptions)
@with_output
def detect(given: dict[str, Any], output: Output, out: Out = None) -> None:
    """See whether fooling images can be told from real ones.

    Scores are the network's confidence, what its gradients and features tell, and detectors that are trained on one
    kind of fooling images and tested on all kinds. Any classifier will do; scores that it can't give are left out.
    """
    _run(DetectOptions.of(given), out, output)


COMMANDS = (ascend, perturb, transfer, features, harden, probe, detect, occlude, ablate)
"""The experiments as commands."""


def _with_genomes(given: Mapping[str, Any], genomes: Sequence[Path] | None) -> dict[str, Any]:
    """Return options with the evolved images that stand on the command line, if any do."""
    return {**given, **({"genomes": genomes} if genomes else {})}


def _run(options: ExperimentOptions, out: Path | None, output: Output) -> None:
    """Run an experiment and print what it ended with."""
    from ..console.experiment_view import ExperimentView

    with folder_of_job(out, options.stem) as folder, output.watch(ExperimentView()) as observer:
        from ..lab import start

        result = start.run(options, out=folder, observer=observer)
    show_experiment(output.console, result, output.as_json)


def show_experiment(console: Console, result: Any, as_json: bool) -> None:
    """Print what an experiment ended with, and end the command as stopped if it was."""
    if as_json:
        console.json(result.summary())
    else:
        console.finished_experiment(result, resume_stopped(result, result.path))
    end_as_stopped(result.interrupted)
