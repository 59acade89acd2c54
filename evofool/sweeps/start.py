"""From options to a sweep in a folder, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from ..config.attack import AttackOptions
from ..config.evolve import EvolveOptions
from ..config.sweep import JobOptions, PlannedRun, SweepConfig
from ..errors import ConfigError, RunError
from ..io.lock import locked
from ..io.slug import slug
from ..jobs.checks import check_attack, check_evolve
from ..jobs.life import resume, start
from ..store.folder import CONFIG, next_folder
from ..store.sweep import SweepFolder
from ..targets.members import joined
from ..targets.protocols import Target
from ..text import cut
from .plan import SweepPlan, read_plan

if TYPE_CHECKING:
    from ..engines.toolbox import Hook
    from .job import SweepStep
    from .result import SweepResult

Observer: TypeAlias = "Callable[[SweepStep], object]"


def planned(source: Path | Mapping[str, Any], own: Target | None = None) -> SweepPlan:
    """Return what a sweep's file plans, checked as far as that needs no torch.

    Args:
        source: A TOML file, or what it would hold.
        own: The user's own target, instead of the one that the options name.

    Raises:
        ConfigError: Something in it can't be.
    """

    def check(name: str, options: JobOptions) -> None:
        _check(options, own)

    return read_plan(source, check)


def planned_seeds(options: EvolveOptions, seeds: Sequence[int], own: Target | None = None) -> SweepPlan:
    """Return a plan of the same run with several seeds.

    Raises:
        EvofoolError: One of its family, for options that can't be.
    """
    _check(options, own)
    runs = [PlannedRun.of(f"seed-{seed}", "", replace(options, seed=seed)) for seed in seeds]
    return SweepPlan("evolve", tuple(runs), slug(f"{joined(options.target)}-{options.encoding}") + "-sweep")


def _check(options: JobOptions, own: Target | None) -> None:
    if isinstance(options, AttackOptions):
        check_attack(options, named=own is None, out=None)
    else:
        check_evolve(options, named=own is None, out=None)


def run(
    plan: SweepPlan,
    own: Target | None = None,
    *,
    out: Path | None = None,
    gallery: bool = True,
    observer: Observer | None = None,
    toolbox: Hook | None = None,
) -> SweepResult:
    """Begin a sweep, or go on with the one in a folder: with its runs, further ones, and larger budgets.

    Args:
        plan: What it is to do.
        own: The user's own target, instead of the one that the options name.
        out: The folder. None: the first one in ``outputs/`` that is free, or has a sweep that this one goes on with.
        gallery: Whether the runs keep their pages up to date, and all of them get one.
        observer: Called after every run, and after every step of the runs.
        toolbox: A function that swaps operators of every run.

    Raises:
        EvofoolError: One of its family, for options that can't be; or ``out`` holds something else, or runs with other
            options.
    """
    if toolbox is not None and not callable(toolbox):
        raise ConfigError(f"`toolbox` must be a function that takes a DEAP toolbox, got {type(toolbox).__name__}")
    from ..targets.prepare import versions  # This and the next import torch.
    from .job import SweepJob

    config = SweepConfig(
        command=plan.command, runs=plan.runs, own=own is not None, swapped=toolbox is not None, versions=versions()
    )
    path = out if out is not None else next_folder(plan.stem, lambda path: _goes_on(path, config))
    if (path / CONFIG).exists():
        _merge(path, config)
        result: SweepResult = resume(
            path, target=own, toolbox=toolbox, limits={}, gallery=gallery, watch=lambda: nullcontext(observer)
        )
        return result

    def create() -> SweepJob:
        return SweepJob(SweepFolder.create(path, config), own, toolbox, gallery=gallery)

    begun: SweepResult = start(path, create, observer)
    return begun


def of_runs(observer: Any) -> Any:
    """Return an observer, or several, of which functions are called after every step of every run.

    Others, such as trackers, are told of the sweep as a whole.
    """
    if isinstance(observer, list | tuple):
        return [of_runs(each) for each in observer]
    if not callable(observer) or isinstance(observer, type):
        return observer

    def called(step: SweepStep) -> None:
        if step.step is not None:
            observer(step.step)

    return called


def _goes_on(path: Path, config: SweepConfig) -> bool:
    """Return whether a folder has a sweep that this one goes on with."""
    with suppress(RunError):
        return (path / CONFIG).exists() and _difference(SweepFolder.open(path).config, config) is None
    return False


def _merge(path: Path, config: SweepConfig) -> None:
    """Add the runs that a folder's sweep doesn't have yet, and give those that it has their options.

    Raises:
        ConfigError: The folder's runs have other options.
        RunError: No sweep is there, or another process works on it.
    """
    folder = SweepFolder.open(path)
    if difference := _difference(folder.config, config):
        raise ConfigError(f"{path} has runs with other options ({difference}); choose another `out`")
    with locked(path):
        asked, had = ({run.name: run for run in each.runs} for each in (config, folder.config))
        runs = tuple({**had, **asked}.values())
        if runs != folder.config.runs:
            folder.config = replace(folder.config, runs=runs)
            folder.write_config()


def _difference(recorded: SweepConfig, asked: SweepConfig) -> str | None:
    """Return in words the first option in which a sweep's runs are others than those asked for, or None."""
    for name, value in asked.identity().items():
        if (before := recorded.identity()[name]) != value:
            return f"{name} {_text(before)}, not {_text(value)}"
    had = {name: runs[0].same(recorded.command) for name, runs in recorded.configurations.items()}
    names = {run.name: run.configuration for run in recorded.runs}
    for configuration, runs in asked.configurations.items():
        for run in runs:
            if names.get(run.name, configuration) != configuration:
                return f"{run.name} is of {names[run.name]}, not of {configuration}"
        now = runs[0].same(asked.command)
        for name, before in had.get(configuration, now).items():
            if before != now[name]:
                of = f" of {configuration}" if configuration else ""
                return f"{name}{of} {_text(before)}, not {_text(now[name])}"
    return None


def _text(value: Any) -> str:
    return "left open" if value is None else cut(" ".join(str(value).split()), 60)
