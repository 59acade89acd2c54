"""The experiments as functions; each is ``evofool lab NAME`` on the command line.

As in :mod:`~evofool.api.jobs`, a function's keyword arguments are declared options.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..config.arguments import path_of
from ..config.ascend import AscendOptions
from ..config.detect import DetectOptions
from ..config.documented import documented
from ..config.elites import AblateOptions, OccludeOptions
from ..config.features import FeaturesOptions
from ..config.harden import HardenOptions
from ..config.perturb import PerturbOptions
from ..config.probe import ProbeOptions
from ..config.transfer import TransferOptions
from .jobs import data_argument, own_target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..config.experiment_options import ExperimentOptions
    from ..lab.result import ExperimentResult
    from ..observers.registry import Observing
    from ..targets.protocols import Target


@documented(PerturbOptions)
def perturb(
    target: str | Target | None = None,
    data: str | Path | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """Perturb labelled images along a network's gradient, and see what of it survives rounding to 8 bits.

    Args:
        target: A name (see ``evofool targets``) or a target of your own that gives gradients; None: the data's own.
        data: A data set's name, a folder of pictures or an ``.npz`` archive; None: the target's own.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every part of the work; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    return _experiment(PerturbOptions, {"data": data_argument(data), **options}, target, out, progress, observer)


@documented(OccludeOptions)
def occlude(
    genomes: str | Path | Sequence[str | Path] = "cifar10-cppn",
    target: str | Target | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """Cover every part of evolved images, one after the other, and see what is left of their confidence.

    Args:
        genomes: Runs, genome files, folders of them, banks, entries of these such as ``cifar10-cppn#cat``, or pictures.
        target: A name (see ``evofool targets``) or a target of your own; None: the one that they were evolved for.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every image; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, genomes and folders.
    """
    return _experiment(OccludeOptions, {"genomes": _paths(genomes), **options}, target, out, progress, observer)


@documented(AblateOptions)
def ablate(
    genomes: str | Path | Sequence[str | Path] = "cifar10-cppn",
    target: str | Target | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """Take evolved images apart, and see what is left of their confidence.

    Nodes of their CPPNs are removed one by one and in pairs, and copies of repeated elements.

    Args:
        genomes: Runs, genome files, folders of them, banks, entries of these such as ``cifar10-cppn#cat``, or pictures.
        target: A name (see ``evofool targets``) or a target of your own; None: the one that they were evolved for.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every image; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, genomes and folders.
    """
    return _experiment(AblateOptions, {"genomes": _paths(genomes), **options}, target, out, progress, observer)


@documented(ProbeOptions)
def probe(
    target: str | Target | None = None,
    data: str | Path | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """Look around adversarial images: under noise, along directions, and at other edits of one pixel.

    Args:
        target: A name (see ``evofool targets``) or a target of your own that gives gradients; None: the data's own.
        data: A data set's name, a folder of pictures or an ``.npz`` archive; None: the target's own.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every part of the work; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    return _experiment(ProbeOptions, {"data": data_argument(data), **options}, target, out, progress, observer)


@documented(AscendOptions)
def ascend(
    target: str | Target = "cifar10",
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """Climb from noise to every class of a network along its gradient, and see how sure it is of the 8-bit images.

    Args:
        target: A name (see ``evofool targets``) or a target of your own that gives gradients.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every batch of classes; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets and folders.
    """
    return _experiment(AscendOptions, options, target, out, progress, observer)


@documented(TransferOptions)
def transfer(
    target: Sequence[str | Target] | None = None,
    data: str | Path | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """See whether images that fool one network fool another.

    Args:
        target: The networks, two or more: names (see ``evofool targets``) or targets of your own. Kinds that are
            perturbed take gradients.
        data: A data set's name, a folder of pictures or an ``.npz`` archive; None: the networks' own.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every part of the work; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data, genomes and folders.
    """
    return _experiment(TransferOptions, {"data": data_argument(data), **options}, target, out, progress, observer)


@documented(FeaturesOptions)
def features(
    target: str = "digits",
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """Make data sets of robust and of non-robust features, and see what networks learn from each.

    Args:
        target: ``digits``, ``mnist`` or ``cifar10``: whose images are learnt from.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every part of the work; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, data and folders.
    """
    return _experiment(FeaturesOptions, options, target, out, progress, observer)


@documented(HardenOptions)
def harden(
    target: str = "digits",
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """Train a network with what fools it, fool it again, and so on, and see what that helps against.

    Its networks are files of weights in the folder's ``networks``, one for each round.

    Args:
        target: The network: digits, mnist or cifar10.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every part of the work; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    return _experiment(HardenOptions, options, target, out, progress, observer)


@documented(DetectOptions)
def detect(
    target: str | Target | None = None,
    data: str | Path | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    **options: Any,
) -> ExperimentResult:
    """See whether images that fool a network can be told from real ones, by its scores and by detectors that learn.

    Args:
        target: A name (see ``evofool targets``) or a target of your own. One without gradients or logits has fewer
            scores; None: the data's own.
        data: A data set's name, a folder of pictures or an ``.npz`` archive; None: the target's own.
        out: A new folder for the experiment.
        progress: Whether to show on standard error how far it is. None: in a terminal and in a notebook.
        observer: Called after every part of the work; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data, genomes and folders.
    """
    return _experiment(DetectOptions, {"data": data_argument(data), **options}, target, out, progress, observer)


def _experiment(
    kind: type[ExperimentOptions],
    given: Mapping[str, Any],
    target: str | Target | Sequence[str | Target] | None,
    out: str | Path,
    progress: bool | None,
    observer: Observing | None,
) -> ExperimentResult:
    """Run an experiment and show how far it is."""
    from ..console.experiment_view import ExperimentView
    from ..console.progress import going_on, watched
    from ..lab import start

    targets: list[Any] = list(target) if isinstance(target, list | tuple) else [target]
    own = [own_target(each) for each in targets]
    names = [found.name if found else each for found, each in zip(own, targets, strict=True)]
    options = kind.of({"target": names if isinstance(target, list | tuple) else names[0], **given})
    folder = path_of(out, "out")
    with watched(ExperimentView, progress, observer, going_on(folder)) as noting:
        return start.run(options, [found for found in own if found], out=folder, observer=noting)


def _paths(paths: str | Path | Sequence[str | Path]) -> list[str]:
    """Return what names evolved images, one or several, as text."""
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    return [str(path_of(path, "genomes")) for path in several]
