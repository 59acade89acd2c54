"""A sweep's folder: runs or campaigns that differ in their options, each in a folder of its own.

``config.json``    the runs with their options, and the versions
``NAME/``          the run with that name; see ``evofool.store.run`` and ``evofool.store.campaign``
``runs.jsonl``     a sealed line for each run that is done or failed
``sweep.csv`` ``report.html`` ``index.html``   made from all these, again and again
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import msgspec

from ..config.sweep import SCORING, PlannedRun, RunName, SweepConfig
from ..errors import RunError
from ..io.files import write_atomically, writing
from ..io.lines import append_lines, good_lines, sealed_line
from .folder import CONFIG, make_folder, read_config, write_config
from .records import fault

SWEEP_CSV = "sweep.csv"
"""The table of all runs."""


class RunLine(msgspec.Struct, frozen=True):
    """A line of ``runs.jsonl``: a run that came to its end.

    Attributes:
        run: Its name.
        options: Digest of the options that it came to its end with, but those of :data:`~evofool.config.sweep.SCORING`.
        why: Why it failed; empty where it is done.
    """

    run: RunName
    options: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    why: str


class SweepFolder:
    """The folder of one sweep."""

    def __init__(self, path: Path, config: SweepConfig) -> None:
        self.path, self.config, self._seal = path, config, config.digest()

    @classmethod
    def create(cls, path: Path, config: SweepConfig) -> SweepFolder:
        """Make the folder, with its config.

        Raises:
            RunError: Something is there already, or the folder can't be written.
        """
        make_folder(path, config)
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> SweepFolder:
        """Open a sweep's folder that exists.

        Raises:
            RunError: No sweep is there, its config is damaged, or one of its runs is a link.
        """
        folder = cls(path, read_config(path, SweepConfig))
        for run in folder.config.runs:
            if folder.of(run).is_symlink():
                raise RunError(f"{folder.of(run)} is a link, and what is written there would be elsewhere; remove it")
        return folder

    def of(self, run: PlannedRun) -> Path:
        """Return the folder of a run, begun or not."""
        return self.path / run.name

    def begun(self) -> dict[str, Path]:
        """Return the folders of the runs that have begun, by name."""
        return {run.name: self.of(run) for run in self.config.runs if (self.of(run) / CONFIG).exists()}

    def write_config(self) -> None:
        """Write the config anew."""
        with writing(self.path):
            write_config(self.path, self.config)

    def ended(self) -> dict[str, str]:
        """Return the runs that came to their end with the options that they have now, with why they failed.

        A run that is done has an empty text. Damaged lines are left out, and runs that are done and whose folder is
        gone: these are looked at again.
        """
        options, found = {run.name: _digest(run) for run in self.config.runs}, dict[str, str]()
        for line in good_lines(self._lines, ("run",), self._seal):
            if not fault(line, RunLine) and line["options"] == options.get(line["run"]):
                found[line["run"]] = line["why"]
        begun = self.begun()
        return {name: why for name, why in found.items() if why or name in begun}

    def end(self, run: PlannedRun, why: str = "") -> None:
        """Note that a run is done, or why it failed."""
        append_lines(self._lines, [self._line(run, why)])

    def drop_failed(self) -> None:
        """Leave only the lines of runs that are done, so that those which failed are tried again."""
        ended = self.ended()
        lines = [self._line(run) for run in self.config.runs if ended.get(run.name) == ""]
        with writing(self.path):
            write_atomically(self._lines, "".join(lines))

    def _line(self, run: PlannedRun, why: str = "") -> str:
        return sealed_line(msgspec.to_builtins(RunLine(run.name, _digest(run), why)), self._seal)

    @property
    def _lines(self) -> Path:
        return self.path / "runs.jsonl"


def _digest(run: PlannedRun) -> str:
    """Return what stands for the options that a run came to its end with."""
    given = {name: value for name, value in run.given.items() if name not in SCORING}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:16]
