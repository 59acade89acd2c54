"""Sweeps: the same run with several seeds, each in a folder of its own, and one page of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from ..config.class_names import listed
from ..config.evolve import EvolveOptions
from ..config.records import SweepConfig
from ..errors import ConfigError, RunError
from ..gallery.pages.notebook import fragment
from ..gallery.pages.run_page import PAGE, write_gallery
from ..gallery.prints.figure import Figure
from ..gallery.prints.growth import growth_curves
from ..io.interrupts import kept, last_signal
from ..io.lock import is_held
from ..io.slug import slug
from ..store.folder import CONFIG, make_folder, next_folder, read_config
from ..store.run import RunFolder
from ..store.sweep import folder_of_seed, run_folders
from ..targets.members import joined
from ..targets.protocols import Target
from ..text import counted, cut, ending, percent
from .checks import check_evolve
from .evolve import Observer, run
from .life import repair, resume
from .tables import data_frame

if TYPE_CHECKING:
    from ..engines.toolbox import Hook

SHOWN = ("generation", "evaluations", "confirmations", "seconds", "median", "mean", "min", "at_99")
"""Figures of a run's last generation that a summary has."""


@dataclass(frozen=True)
class SweepResult:
    """What several runs that differ in their seeds ended with.

    Attributes:
        path: The folder that the runs' folders are in.
        runs: The folders of the runs that have begun, by seed.
        page: The page that shows them side by side, or None.
        interrupted: Whether they were stopped before all budgets were spent; ``running`` if another process worked on
            one of them when they were opened.
        unequal: What is said where the folder's runs have had unequal budgets; else empty.
    """

    path: Path
    runs: dict[int, Path]
    page: Path | None
    interrupted: bool
    unequal: str = ""
    running: bool = False

    def __repr__(self) -> str:
        summary = self.summary()
        medians = summary["medians"]
        spread = f"from {percent(medians['min'])} to {percent(medians['max'])}" if medians else "none yet"
        return (
            f"{ending(self.interrupted, self.running)}: {counted(len(self.runs), 'run')}, seeds "
            f"{', '.join(map(str, self.runs))}\n"
            f"medians {spread}\n"
            + (f"warning: {self.unequal}\n" if self.unequal else "")
            + f"folder {self.path}, page {self.page}; .summary()"
        )

    def _repr_html_(self) -> str:
        title, *lines = repr(self).split("\n")
        return fragment(title, [("medians", lines[0].removeprefix("medians "))], page=self.page)

    def to_dataframe(self, table: str | None = None) -> Any:
        """Return the runs' last figures as a ``pandas.DataFrame``: a row a run.

        Args:
            table: ``runs``, which is all there is.

        Raises:
            ConfigError: There is no such table, or pandas is missing.
        """
        return data_frame({"runs": lambda: self.summary()["runs"]}, table)

    def plot(self) -> Figure:
        """Return the median confidence of every run against its evaluations."""
        runs = {f"seed {seed}": RunFolder.open(path).metrics() for seed, path in self.runs.items()}
        return Figure("growth", growth_curves(runs, "Median confidence against evaluations"))

    def summary(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        runs = [{"run": str(path), "seed": seed, **_last(path)} for seed, path in self.runs.items()]
        medians = [each["median"] for each in runs if "median" in each]
        spread = {"min": min(medians), "median": median(medians), "max": max(medians)} if medians else None
        return {
            "folder": str(self.path),
            "page": str(self.page) if self.page else None,
            "medians": spread,
            "warning": self.unequal or None,
            "runs": runs,
            "interrupted": self.interrupted,
        }


class Sweep:
    """Runs that differ in their seeds, in one folder.

    Args:
        options: The options of all runs; their seed doesn't matter.
        seeds: One for each run.
        user_target: The user's own target, instead of the one that the options name.
        out: The folder. None: the first one in ``outputs/`` that is free, or has runs with the same options.
        toolbox: A function that swaps operators of every run.

    Raises:
        EvofoolError: One of its family, for options that can't be; or ``out`` holds something else, or runs with other
            options.
    """

    def __init__(
        self,
        options: EvolveOptions,
        seeds: tuple[int, ...],
        user_target: Target | None = None,
        *,
        out: Path | None = None,
        toolbox: Hook | None = None,
    ) -> None:
        check_evolve(options, named=user_target is None, out=None)  # Before a folder is made.
        from ..targets.prepare import versions  # This imports torch.

        self.seeds, self._target, self._toolbox = seeds, user_target, toolbox
        self._options = msgspec.structs.replace(options, seed=0, **asdict(options.budget.or_default()))
        self._config = SweepConfig(options=self._options, versions=versions())
        self.path = self._claimed(out) if out is not None else self._next()
        self.interrupted = False

    def run(self, seed: int, *, gallery: bool = True, observer: Observer | None = None) -> None:
        """Begin the run of a seed, or go on where it was left, until its budget is spent or it is stopped."""
        with kept(
            lambda: "what was saved last is kept, and the same command goes on" if run_folders(self.path) else ""
        ):
            self._run(seed, gallery=gallery, observer=observer)

    def _run(self, seed: int, *, gallery: bool, observer: Observer | None) -> None:
        folder = folder_of_seed(self.path, seed)
        if not (folder / CONFIG).exists() or not RunFolder.open(folder).checkpoints.last.exists():
            options = msgspec.structs.replace(self._options, seed=seed)
            result = run(options, self._target, out=folder, gallery=gallery, observer=observer, toolbox=self._toolbox)
        else:
            limits = self._limits_left(folder)
            if limits is None:
                return
            if self._options.max_queries is not None:
                limits["max_queries"] = self._options.max_queries
            result = resume(
                folder,
                target=self._target,
                toolbox=self._toolbox,
                limits=limits,
                gallery=gallery,
                watch=lambda: nullcontext(observer),
            )
        self.interrupted = result.interrupted or last_signal() is not None  # a signal may come as a run ends

    def finish(self, *, gallery: bool = True) -> SweepResult:
        """Write the page of all runs in the folder, and return what they have come to."""
        runs = {seed: folder for seed, folder in run_folders(self.path).items() if seed in self.seeds}
        begun = any(RunFolder.open(folder).elites() for folder in runs.values())
        page = write_gallery([self.path]) if gallery and begun else None
        return SweepResult(self.path, runs, page, self.interrupted, "" if self.interrupted else _unequal(self.path))

    def _limits_left(self, folder: Path) -> dict[str, Any] | None:
        """Return the limits that a run goes on with: none where it has its own, None where it is past the new ones."""
        budget, recorded = self._options.budget, RunFolder.open(folder)
        if recorded.config.options.budget == budget:
            return {}
        for last in recorded.metrics()[-1:]:
            if budget.spent(last["generation"], last["evaluations"], last["seconds"], last["median"]):
                return None
        return {name: limit for name, limit in asdict(budget).items() if limit is not None}

    def _next(self) -> Path:
        """Return the first folder in ``outputs/`` that is free or has runs with these options."""

        def has_these(path: Path) -> bool:
            with suppress(RunError):
                return (path / CONFIG).exists() and self._difference(path) is None
            return False

        stem = slug(f"{joined(self._options.target)}-{self._options.encoding}")
        return self._claimed(next_folder(f"{stem}-sweep", has_these))

    def _claimed(self, path: Path) -> Path:
        """Return a folder that is free, which then gets its config, or that has runs with these options."""
        if not (path / CONFIG).exists():
            make_folder(path, self._config)
        elif difference := self._difference(path):
            raise ConfigError(f"{path} has runs with other options ({difference}); choose another `out`")
        return path

    def _difference(self, path: Path) -> str | None:
        """Return in words the first option in which a folder's runs are others, or None."""
        recorded = read_config(path, SweepConfig).identity()
        for name, value in self._config.identity().items():
            if recorded[name] != value:
                return f"{name} {_text(recorded[name])}, not {_text(value)}"
        return None


def _unequal(path: Path) -> str:
    """Return what is said where the runs in a folder, which a page compares, have had unequal budgets; else nothing."""
    seeds: dict[str, list[str]] = {}
    for seed, folder in run_folders(path).items():
        limits = asdict(RunFolder.open(folder).config.options.budget)
        budget = ", ".join(f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)
        seeds.setdefault(budget, []).append(str(seed))
    if len(seeds) < 2:
        return ""
    parts = "; ".join(f"{budget}: {listed(of, 10)}" for budget, of in seeds.items())
    return f"the runs have unequal budgets, by seed ({parts}); give all seeds the largest one to compare them"


def _last(path: Path) -> dict[str, Any]:
    """Return the figures of a run's last generation."""
    return {name: last[name] for last in RunFolder.open(path).metrics()[-1:] for name in SHOWN}


def _text(value: Any) -> str:
    return "left open" if value is None else cut(" ".join(str(value).split()), 60)


class SweepKind:
    """What can be done with a folder of runs."""

    def open(self, path: Path) -> SweepConfig:
        """Read the folder's config."""
        return read_config(path, SweepConfig)

    def restore(self, path: Path, *, target: Any, toolbox: Any, changes: Mapping[str, Any], gallery: bool) -> Any:
        """Refuse: the command that made the folder goes on with it."""
        raise ConfigError(
            f"{path} is a sweep; go on with the command that made it (evolve with `seeds` and `out={path}`), "
            f"or with one of its runs, as in evofool resume {path / 'seed-0'}"
        )

    def opened(self, path: Path) -> SweepResult:
        """Return what the runs have come to."""
        self.open(path)
        runs, page = run_folders(path), path / PAGE
        running = any(map(is_held, runs.values()))
        ended = [RunFolder.open(folder).spent() for folder in runs.values()]
        return SweepResult(path, runs, page if page.exists() else None, not all(ended), _unequal(path), running)

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the runs have in common, and how far they got."""
        config = self.open(path)
        return {
            "sweep": str(path),
            "target": config.options.target,
            "encoding": config.options.encoding,
            "preset": config.options.preset,
            **{folder.name: _last(folder) for folder in run_folders(path).values()},
            "damaged": [fault for folder in run_folders(path).values() for fault in RunFolder.open(folder).damage()],
            "versions": config.versions,
        }

    def repair(self, path: Path) -> list[str]:
        """Repair every run."""
        return [line for folder in run_folders(path).values() for line in repair(folder)]


KIND = SweepKind()
