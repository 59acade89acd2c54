"""The public functions: they take what Python users pass, show progress to whoever watches, and have the jobs done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..config.arguments import kind_of_data, path_of
from ..config.attack import AttackOptions
from ..config.check import CheckOptions
from ..config.documented import documented
from ..config.evolve import EvolveOptions
from ..errors import ConfigError, TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ..checkup.result import Checkup
    from ..engines.toolbox import Hook
    from ..jobs.life import Observer
    from ..jobs.result import CampaignResult, Result
    from ..observers.registry import Observing
    from ..search.profiler import Profiler
    from ..sweeps.result import SweepResult
    from ..targets.protocols import Target

STOPPED_SWEEP = "stopped; what is done is saved, and the same call goes on"
"""What is said of a sweep that somebody stopped."""


@documented(EvolveOptions)
def evolve(
    target: str | Sequence[str] | Target = "cifar10",
    encoding: str = "cppn",
    *,
    out: str | Path | None = None,
    gallery: bool = True,
    progress: bool | None = None,
    observer: Observing | None = None,
    profiler: Profiler | None = None,
    toolbox: Hook | None = None,
    **options: Any,
) -> Result:
    """Evolve images that a target is sure about: MAP-Elites over its classes.

    Args:
        target: A name (see ``evofool targets``) or a target of your own; several names, or an
            :class:`evofool.Ensemble`, to fool all of them.
        encoding: ``cppn`` or ``direct``.
        out: A new run folder to write and to resume from; nothing is written when None.
        gallery: Whether ``index.html`` in the run folder is kept up to date and a contact sheet is written at the end.
        progress: Whether to show on standard error how far the run is. None: in a terminal and in a notebook.
        observer: Called after every generation; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        profiler: Measures where the time goes.
        toolbox: A function that swaps operators: it is given the run's DEAP toolbox and calls ``register`` on it. Give
            it to :func:`evofool.resume` as well.
        options: See below. The same seed, versions and machine give the same bytes.

    Raises:
        EvofoolError: One of its family, for bad options, targets, genomes and folders.

    Example:
        >>> import evofool
        >>> result = evofool.evolve("digits", "direct", generations=2, classes=["3", "8"], device="cpu")
        >>> result.images.shape, result.evaluations
        ((2, 1, 8, 8), 200)
    """
    from ..console.progress import going_on, watched
    from ..console.run_view import RunView
    from ..jobs import evolve as job

    own = own_target(target)
    given = EvolveOptions.of({"target": own.name if own else target, "encoding": encoding, **options})
    folder = path_of(out, "out") if out is not None else None
    with watched(RunView, progress, observer, going_on(folder)) as noting:
        return job.run(
            given,
            own,
            out=folder,
            gallery=bool(gallery),
            observer=noting,
            profiler=profiler,
            toolbox=toolbox,
        )


@documented(EvolveOptions)
def evolve_seeds(
    target: str | Sequence[str] | Target = "cifar10",
    encoding: str = "cppn",
    *,
    seeds: str | int | Iterable[int],
    out: str | Path | None = None,
    gallery: bool = True,
    progress: bool | None = None,
    observer: Observing | None = None,
    toolbox: Hook | None = None,
    **options: Any,
) -> SweepResult:
    """Evolve with several seeds: a run for each, and one page that shows them side by side.

    The same call goes on where an earlier one was stopped: runs that are finished stay, and one that was killed ends
    with the same bytes as if it had never stopped. A larger budget, or further seeds, go on with the same folder.

    Args:
        target: A name (see ``evofool targets``) or a target of your own; several names, or an
            :class:`evofool.Ensemble`, to fool all of them.
        encoding: ``cppn`` or ``direct``.
        seeds: As ``range(5)`` or ``"0-4"``.
        out: The folder, in which each run has its own, ``seed-0`` and so on. None: the first one in ``outputs/`` that
            is free, or has runs with the same options.
        gallery: Whether pages and contact sheets are written.
        progress: Whether to show on standard error how far a run is. None: in a terminal and in a notebook.
        observer: Called after every generation of every run; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        toolbox: A function that swaps operators, as in :func:`evofool.evolve`.
        options: See below, without ``seed``.

    Raises:
        EvofoolError: One of its family, for bad options, targets, genomes and folders.
    """
    from ..config.seeds import parse_seeds
    from ..console.progress import watched
    from ..console.sweep_view import SweepView
    from ..sweeps import start

    if "seed" in options:
        raise ConfigError("give either `seed` or `seeds`")
    own = own_target(target)
    given = EvolveOptions.of({"target": own.name if own else target, "encoding": encoding, **options})
    folder = path_of(out, "out") if out is not None else None
    plan = start.planned_seeds(given, parse_seeds(seeds), own)
    with watched(SweepView, progress, start.of_runs(observer), STOPPED_SWEEP) as noting:
        return start.run(plan, own, out=folder, gallery=bool(gallery), observer=noting, toolbox=toolbox)


@documented(AttackOptions)
def attack(
    target: str | Sequence[str] | Target | None = None,
    data: str | Path | None = None,
    *,
    out: str | Path,
    progress: bool | None = None,
    observer: Observing | None = None,
    toolbox: Hook | None = None,
    **options: Any,
) -> CampaignResult:
    """Attack labelled images by changing one or a few pixels of each.

    Args:
        target: A name (see ``evofool targets``), several names, or a target of your own; None: the data's own.
        data: A data set's name, a folder of pictures or an ``.npz`` archive; None: the target's own.
        out: A new folder for the campaign.
        progress: Whether to show on standard error how far the campaign is. None: in a terminal and in a notebook.
        observer: Called after every batch; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        toolbox: A function that swaps operators of the searches: it is given a DEAP toolbox and calls ``register`` on
            it. Give it to :func:`evofool.resume` as well.
        options: See below.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    from ..console.campaign_view import CampaignView
    from ..console.progress import going_on, watched
    from ..jobs import attack as job

    own = own_target(target)
    given = AttackOptions.of({"target": own.name if own else target, "data": data_argument(data), **options})
    folder = path_of(out, "out")
    with watched(CampaignView, progress, observer, going_on(folder)) as noting:
        return job.run(given, own, out=folder, observer=noting, toolbox=toolbox)


@documented(CheckOptions)
def check_target(target: str | Target = "cifar10", data: str | Path | None = None, **options: Any) -> Checkup:
    """Check that a classifier is understood rightly: look for the usual mistakes, with evidence.

    It is shown noise and flat pictures. With labelled images, other ways to read it are tried on the same images: red
    and blue swapped, other ranges and normalisations, other axes, class names in another order. A way is called better
    only where the exact McNemar test says that chance would hardly make such a difference, at a level of 1 % for all
    ways together.

    Args:
        target: A name (see ``evofool targets``) or a target of your own.
        data: A data set's name, a folder of pictures with a folder for each class, or an ``.npz`` archive.
        options: See below.

    Returns:
        What was understood and found; ``findings`` is empty where nothing is wrong. It shows itself as text.

    Raises:
        EvofoolError: One of its family, for bad options, targets and data.

    Example:
        >>> import evofool
        >>> evofool.check_target("digits", "digits", device="cpu").findings
        ()
    """
    from ..checkup.request import request_of

    own = own_target(target)
    chosen = request_of(None if own else str(target), {"data": data, **options})
    from ..checkup.check import check

    return check(own or str(target), chosen)


def resume(
    path: str | Path,
    *,
    target: Any = None,
    toolbox: Any = None,
    gallery: bool = True,
    progress: bool | None = None,
    observer: Observing | None = None,
    **limits: Any,
) -> Any:
    """Go on with a run, a campaign or an experiment: the same bytes as if it had never stopped.

    Args:
        path: The job's folder.
        target: The same target of your own that the job was made with, where it was.
        toolbox: The same function that swaps operators, where the job was made with one.
        gallery: Whether the page is kept up to date.
        progress: Whether to show on standard error how far the job is. None: in a terminal and in a notebook.
        observer: Called after every step; or a :class:`~evofool.JobObserver`, a tracker such as
            ``tensorboard``, or a list of these.
        limits: A new budget for a run: ``generations``, ``evaluations``, ``minutes``, ``until``. It counts in all and
            not in addition. Without one, the run's own budget stays. Runs and campaigns also take
            another ``engine`` with its options.

    Returns:
        A :class:`~evofool.jobs.result.Result`, a :class:`~evofool.jobs.result.CampaignResult` or a
        :class:`~evofool.lab.result.ExperimentResult`.

    Raises:
        RunError: No job is there, it is damaged or of another version, its weights changed, it was made with other
            operators, or another process works on it.
        ConfigError: The new budget is spent already, or the job has none.
    """
    from ..console.progress import going_on, watched
    from ..console.views import view_of_job
    from ..jobs import life

    folder, given = path_of(path, "path"), {name: limit for name, limit in limits.items() if limit is not None}

    def watch() -> AbstractContextManager[Observer | None]:
        return watched(lambda: view_of_job(folder), progress, observer, going_on(folder))

    return life.resume(folder, target=target, toolbox=toolbox, limits=given, gallery=bool(gallery), watch=watch)


def open(path: str | Path) -> Any:  # noqa: A001
    """Return the result of a job from its folder, whether it is finished, was stopped or runs elsewhere.

    No target is loaded, and nothing is written.

    Args:
        path: The folder of a run, a campaign, an experiment, an audit or a sweep.

    Returns:
        What the job's function returned: a :class:`~evofool.jobs.result.Result`, a
        :class:`~evofool.jobs.result.CampaignResult`, a :class:`~evofool.lab.result.ExperimentResult`, a
        :class:`~evofool.audits.result.AuditResult` or a :class:`~evofool.jobs.sweep.SweepResult`.

    Raises:
        RunError: No job is there, it is damaged, or it has no results yet.
    """
    from ..jobs import life

    return life.opened(path_of(path, "path"))


def inspect(path: str | Path) -> dict[str, Any]:
    """Return what a job is and how far it got, as plain JSON values.

    Raises:
        RunError: No job is there, or it is damaged.
    """
    from ..jobs import life

    return life.inspect(path_of(path, "path"))


def repair(path: str | Path) -> list[str]:
    """Make a damaged folder one that can go on: what is good stays, what isn't is set aside or made again.

    Returns:
        What was done, in words; empty where nothing was wrong.

    Raises:
        RunError: No job is there, another process works on it, or it can't be repaired.
    """
    from ..jobs import life

    return life.repair(path_of(path, "path"))


def score(
    files: str | Path | Sequence[str | Path],
    target: str | Sequence[str] | Target | None = None,
    *,
    weights: str | Path | Sequence[str] | None = None,
    device: str = "auto",
    top: int = 5,
    **options: Any,
) -> dict[str, Any]:
    """Return a target's best guesses for image files and genomes, in float32.

    A picture of another size than the target's is resized as the target's card says. A genome is drawn at the target's
    size, so its score is that of the pixels which the target saw when it evolved.

    Args:
        files: Pictures, genome files, entries of banks such as ``imagenet-cppn#volcano``; one or several.
        target: A name, several names, or a target of your own. None: that of the run or campaign in whose folder a file
            lies, else that which the genomes were evolved for, else ``cifar10``.
        weights: Weights of your own for a named target.
        device: Where a named target runs.
        top: Number of guesses.
        options: How a classifier of your own is understood, as in :func:`evofool.load_target`.

    Returns:
        Plain JSON values: ``target``, ``weights_sha256`` and ``images``, and as ``target_of`` the folder of the job
        whose target it is, where none was named. Each image has its path as ``image``, its own ``size`` and that which
        it was ``scored_at`` (width and height in pixels), whether it was ``cropped`` to its centre for that and had its
        colours ``made_grey``, its guesses as ``top5``, and as ``recorded`` the score that a
        genome's file has, if it has one.

    Raises:
        ConfigError: An argument can't be, files of several targets are given without a target, or a path names several
            genomes.
        GenomeError, ImageError: A genome or an image can't be read.
        TargetError: The target is unknown, is no target, or its weights can't be had.
    """
    from ..engines.guesses import paths_of
    from ..jobs import scoring

    return scoring.score(paths_of(files), target, weights=weights, device=device, top=top, options=options)


def data_argument(data: Any) -> Any:
    """Return what names labelled images.

    Raises:
        ConfigError: It is images themselves.
    """
    if not isinstance(data, str | os.PathLike | None) and getattr(data, "shape", None) != ():
        raise ConfigError(
            f"`data` must be a data set's name, a folder or an .npz archive, got {kind_of_data(data)}; save arrays by "
            'np.savez("my.npz", images=…, labels=…), images (N, H, W, C) uint8 and labels (N,), and give "my.npz"'
        )
    return data


def own_target(target: str | Sequence[str] | Target | None) -> Target | None:
    """Return the user's own target, None where a name was given.

    Raises:
        TargetError: It is neither a name nor a target.
    """
    if target is None or isinstance(target, str):
        return None
    if isinstance(target, list | tuple):
        if all(isinstance(name, str) for name in target):
            return None
        raise TargetError("a list as `target` must be of names; of objects make one target, evofool.Ensemble([…])")
    from ..targets.own_target import check_target

    check_target(target)
    return target  # type: ignore[return-value]
