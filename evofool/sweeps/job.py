"""Sweeps as jobs: runs one after the other, each resumable by itself, and what is asked of such a folder later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ..config.attack import AttackOptions
from ..config.engine import ENGINE_OPTIONS
from ..config.evolve import BUDGET, EvolveOptions
from ..config.records import CampaignConfig, RunConfig
from ..config.sweep import COMMANDS, PlannedRun, SweepConfig
from ..encodings.banks import RANDOM
from ..engines.toolbox import Hook
from ..errors import ConfigError, EvofoolError, RunError
from ..io.lock import is_held
from ..jobs import attack, evolve
from ..jobs.life import inspect, repair, resume
from ..jobs.queries import LIMIT
from ..jobs.schedule import Later, Work
from ..jobs.session import Job, Refresh
from ..store.folder import check_free, read_config
from ..store.run import RunFolder
from ..store.sweep import SweepFolder
from .figures import damage, figures_of
from .report import write_pictures, write_report
from .result import SweepResult

Changes = dict[str, Any]


@dataclass(frozen=True)
class SweepStep:
    """Where a sweep stands; what an observer is given after each run, and after each step of the runs.

    Attributes:
        target: What the sweep's folder is called.
        title: The run that is under way, or came to its end last.
        done, tasks: How many runs came to their end, and how many there are.
        step: The step of the run; None after it.
    """

    target: str
    title: str
    done: int
    tasks: int
    step: Any = None


class SweepJob(Job[SweepStep]):
    """A sweep as a job. Its records are all it needs to go on: a run that is done is not done again.

    Args:
        folder: Its folder.
        own: The user's own target, instead of the one that the options name.
        toolbox: A function that swaps operators of every run.
        gallery: Whether the runs keep their pages up to date, and all of them get one.
    """

    def __init__(
        self, folder: SweepFolder, own: Any = None, toolbox: Hook | None = None, *, gallery: bool = True
    ) -> None:
        self.folder, self.path, self.config, self.gallery = folder, folder.path, folder.config, gallery
        self._own, self._toolbox = own, toolbox
        folder.drop_failed()
        self._ended = folder.ended()

    @property
    def begun(self) -> bool:
        """Whether a run has begun or failed."""
        return bool(self._ended or self.folder.begun())

    @property
    def reached(self) -> int:
        """How many runs came to their end in earlier sessions."""
        return len(self._ended)

    def steps(self) -> Iterator[SweepStep]:
        """Make the runs that are left, one by one. One that fails doesn't keep the others from being made."""
        for run in self.folder.config.runs:
            if run.name in self._ended:
                continue
            try:
                result, why = self._made(run), ""
            except EvofoolError as error:
                result, why = None, str(error)
            stopped = result is not None and result.interrupted
            if not stopped:
                self.folder.end(run, why)
                self._ended[run.name] = why
            yield self._step(run)
            if stopped and not result.note:  # What ran out of queries goes on with more of them.
                return

    def _made(self, run: PlannedRun) -> Any:
        """Make a run, or go on with it. Return its result; None where it is past its budget already."""
        options, path, watch = self._options(run), self.folder.of(run), self._watch(run)
        try:
            check_free(path)
        except RunError:
            changes = _changes(path, options)
            if changes is None:
                return None
            return resume(
                path,
                target=self._own,
                toolbox=self._toolbox,
                limits=changes,
                gallery=self.gallery,
                watch=lambda: nullcontext(watch),
            )
        if isinstance(options, AttackOptions):
            return attack.run(options, self._own, out=path, observer=watch, toolbox=self._toolbox)
        return evolve.run(options, self._own, out=path, gallery=self.gallery, observer=watch, toolbox=self._toolbox)

    def _options(self, run: PlannedRun) -> Any:
        """Return the options of a run. Those of one sweep begin alike, also where earlier versions began it.

        They began with random genomes by default, and left ``init`` open in the configs of runs.
        """
        options = self.folder.config.options_of(run)
        if not isinstance(options, EvolveOptions) or options.init is not None:
            return options
        for path in self.folder.begun().values():
            with suppress(RunError):  # A damaged one is told of where it is its turn.
                if read_config(path, RunConfig).options.init is None:
                    return replace(options, init=RANDOM)
        return options

    def _watch(self, run: PlannedRun) -> Any:
        """Return what passes the steps of a run on to the observer."""
        observer = self.observer
        return (lambda step: observer(self._step(run, step))) if observer else None

    def _step(self, run: PlannedRun, step: Any = None) -> SweepStep:
        return SweepStep(self.folder.path.name, run.name, len(self._ended), len(self.folder.config.runs), step)

    def record(self, step: SweepStep, later: Later) -> None:
        """Do nothing: a run is noted when it came to its end."""

    def refresh(self, interval: float, *, last: bool) -> Refresh | None:
        """Write the table and the page anew, as far as the sweep got; at the end :meth:`finish` does."""
        return None if last else _at_once(partial(write_report, self.folder))

    def finish(self) -> None:
        """Write the table and the pages, as far as the sweep got."""
        write_report(self.folder)
        if self.gallery:
            write_pictures(self.folder)

    def result(self, interrupted: bool) -> SweepResult:
        """Return what the session ended with."""
        return SweepResult.of(self.folder)


def _at_once(work: Work) -> Refresh:
    """Return a refresh that is nothing but work to write."""
    yield from ()
    return work


def _changes(path: Path, options: Any) -> Changes | None:
    """Return the options with which a run goes on that are not as recorded; None where it is past its new budget."""
    evolved = isinstance(options, EvolveOptions)
    recorded: Any = read_config(path, RunConfig).options if evolved else read_config(path, CampaignConfig).options
    names = (LIMIT, *ENGINE_OPTIONS)
    changes: Changes = {
        name: getattr(options, name) for name in names if getattr(options, name) != getattr(recorded, name)
    }
    if isinstance(options, AttackOptions):
        return changes
    budget = options.budget.or_default()
    if recorded.budget == budget:
        return changes
    if RunFolder.open(path).spent(budget):
        return None
    return changes | {name: limit for name, limit in asdict(budget).items() if limit is not None}


def _with_new_options(path: Path, config: SweepConfig, changes: Mapping[str, Any]) -> SweepConfig:
    """Return a sweep's config with some options of all its runs changed.

    Raises:
        ConfigError: The runs have no such option, or its value can't be.
    """
    kind = COMMANDS[config.command]
    if config.command == "attack" and (limits := [name for name in BUDGET if name in changes]):
        raise ConfigError(f"{path} is a sweep of campaigns, which end when all attempts have; leave `{limits[0]}` out")
    if not changes:
        return config
    runs = [
        PlannedRun.of(run.name, run.configuration, kind.given_beside(config.options_of(run), changes))  # type: ignore[arg-type]
        for run in config.runs
    ]
    return replace(config, runs=tuple(runs))


class SweepKind:
    """What can be done with the folder of a sweep."""

    def open(self, path: Path) -> SweepFolder:
        """Read the folder's config."""
        return SweepFolder.open(path)

    def restore(
        self, path: Path, *, target: Any, toolbox: Hook | None, changes: Mapping[str, Any], gallery: bool
    ) -> SweepJob:
        """Return the sweep with the runs that are not done yet."""
        folder = SweepFolder.open(path)
        for name, what, given, made_with in (
            ("target", "a target of your own", target is not None, folder.config.own),
            ("toolbox", "operators of your own", toolbox is not None, folder.config.swapped),
        ):
            if given != made_with:
                raise RunError(
                    f"{path} was made with {what}; give it: evofool.resume(…, {name}=…)"
                    if made_with
                    else f"{path} was made without {what}; leave `{name}` out"
                )
        done = sum(not why for why in folder.ended().values())
        if [*changes] == [LIMIT] and done == len(folder.config.runs):
            raise ConfigError(f"{path} has done all its runs, and leaves nothing to `{LIMIT}`; leave it out")
        folder.config = _with_new_options(path, folder.config, changes)
        if changes:
            folder.write_config()
        return SweepJob(folder, target, toolbox, gallery=gallery)

    def opened(self, path: Path) -> SweepResult:
        """Return what the sweep has come to."""
        return SweepResult.of(SweepFolder.open(path), is_held(path))

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the sweep is and how far it got."""
        folder = SweepFolder.open(path)
        ended, begun = folder.ended(), folder.begun()
        runs = [each for configuration in figures_of(folder) for each in configuration.runs]
        return {
            "sweep": str(path),
            "command": folder.config.command,
            "configurations": len(folder.config.configurations),
            "runs": len(runs),
            "done": sum(not why for why in ended.values()),
            "failed": {name: why for name, why in ended.items() if why},
            "made": {each.run.name: {"state": each.state, **each.figures} for each in runs},
            "damaged": [fault for run in folder.config.runs if run.name in begun for fault in _faults(folder, run)],
            "versions": folder.config.versions,
        }

    def repair(self, path: Path) -> list[str]:
        """Repair every run that can be; those that failed, or whose lines are damaged, are looked at again."""
        folder, lines = SweepFolder.open(path), list[str]()
        for run in folder.begun().values():
            with suppress(RunError):  # What can't be repaired is told of by an inspection.
                lines += repair(run)
        folder.drop_failed()
        return lines


def _faults(folder: SweepFolder, run: PlannedRun) -> list[str]:
    """Return what is damaged in a run that has begun."""
    try:
        faults: list[str] = inspect(folder.of(run)).get("damaged", [])
    except RunError as error:
        return [damage(folder, run, error)]
    return faults


KIND = SweepKind()
