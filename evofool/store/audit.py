"""An audit's folder.

``config.json``            every option, the target, the data, the plan, the versions
``images.npy``             (N, C, H, W) uint8: the real images, exactly as the target sees them; none without data
``images.jsonl``           a sealed line per image: ID, SHA-256, true class, the target's first guess
``cppn`` ``direct``        runs; ``pixels-1`` ``pixels-3`` ``pixels-5`` campaigns; ``perturb`` an experiment
``measured/NAME.npz``      what the target says of a set of images: see :data:`MEASURED`
``parts.jsonl``            a sealed line for each task that is done
``audit.json`` ``audit.csv`` ``report.html``   made from all these, again and again
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from ..attacks.subject import Subject
from ..config.audit import AuditConfig
from ..errors import RunError, in_words
from ..io.arrays import Arrays, DamagedArrays, read_arrays, write_arrays
from ..io.files import write_atomically, writing
from ..io.lines import append_lines, good_lines, numbered_lines, sealed_line, trim_lines
from .folder import make_folder, read_config, write_config
from .records import Natural, NotNegative, fault
from .subjects import Subjects, write_subjects

MEASURED = ("probabilities", "logits")
"""Arrays (N, K) float32 of a set of images; there are no logits where the target gives none.
Of evolved images ``wanted`` (N,) int64 are the classes that they were evolved for."""


class TaskLine(msgspec.Struct, frozen=True):
    """A line of ``parts.jsonl``: a task that is done, or can't be.

    Attributes:
        task: Its name.
        why: Why nothing or not all came of it; empty where all did.
        queries: Images that the target scored for it.
        seconds: How long it took.
        short: Whether the budget of queries was spent before it was done, so that a larger one does it.
    """

    task: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}$")]
    why: str
    queries: Natural
    seconds: NotNegative
    short: bool = False


class AuditFolder:
    """The folder of one audit."""

    def __init__(self, path: Path, config: AuditConfig) -> None:
        self.path, self.config, self._seal = path, config, config.digest()

    @classmethod
    def create(cls, path: Path, config: AuditConfig, subjects: Sequence[Subject]) -> AuditFolder:
        """Make the folder, with its config and its images.

        Raises:
            RunError: Something is there already, or the folder can't be written.
        """
        make_folder(path, config, ("measured",))
        if subjects:
            write_subjects(path, config, subjects)
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> AuditFolder:
        """Open an audit's folder that exists.

        Raises:
            RunError: No audit is there, its config is damaged, or it is of another version.
        """
        return cls(path, read_config(path, AuditConfig))

    @cached_property
    def subjects(self) -> Sequence[Subject]:
        """The real images; none where there are no data.

        Raises:
            RunError: They are missing or damaged.
        """
        return Subjects(self.path, self.config, "parts.jsonl") if self.config.data else []

    def write_config(self) -> None:
        """Write the config anew."""
        with writing(self.path):
            write_config(self.path, self.config)

    def add(self, line: TaskLine) -> None:
        """Note that a task is done."""
        append_lines(self._lines, [sealed_line(msgspec.to_builtins(line), self._seal)])

    def done(self) -> dict[str, TaskLine]:
        """Return the tasks that are done, by name. A torn last line is left out.

        Raises:
            RunError: A line is damaged.
        """
        done = {}
        for number, line in numbered_lines(self._lines, ("task",), self._seal):
            if wrong := fault(line, TaskLine):
                raise RunError(
                    f"line {number} of {self._lines} is damaged ({wrong}); take it out, so that its task is done "
                    f"again, with: evofool inspect --repair {self.path}"
                )
            done[line["task"]] = msgspec.convert(line, TaskLine)
        return done

    def trim(self) -> None:
        """Cut off a torn last line, so that lines can be added."""
        trim_lines(self._lines, ("task",), self._seal)

    def drop_damaged(self) -> int:
        """Take damaged lines of ``parts.jsonl`` out, and return how many those were.

        Raises:
            RunError: The folder can't be written.
        """
        good = [line for line in good_lines(self._lines, ("task",), self._seal) if not fault(line, TaskLine)]
        lines = self._lines.read_bytes().count(b"\n") if self._lines.exists() else 0
        if lines > len(good):
            with writing(self.path):
                write_atomically(self._lines, "".join(sealed_line(line, self._seal) for line in good))
        return lines - len(good)

    def write_measured(self, name: str, arrays: Arrays) -> None:
        """Keep what the target says of a set of images."""
        with writing(self.path):
            (self.path / "measured").mkdir(exist_ok=True)
            write_arrays(self._measured(name), arrays, compress=True)

    def measured(self, name: str) -> Arrays:
        """Return what the target says of a set of images.

        Raises:
            RunError: It is missing or damaged.
        """
        file = self._measured(name)
        try:
            arrays = read_arrays(file)
        except (OSError, DamagedArrays) as error:
            raise RunError(
                f"{file} is missing or damaged ({in_words(error)}); measure it again with: "
                f"evofool inspect --repair {self.path}"
            ) from error
        if wrong := _wrong(arrays, self.config.target.classes):
            raise RunError(f"{file} is damaged ({wrong}); measure it again with: evofool inspect --repair {self.path}")
        return arrays

    def unmeasured(self) -> list[str]:
        """Return the sets of images that count as measured, and have no whole file."""
        lost = []
        for name, line in self.done().items():
            if not line.why and not (self.path / name).is_dir():  # Jobs have folders, sets of images have files.
                try:
                    self.measured(name)
                except RunError:
                    lost.append(name)
        return lost

    def drop(self, names: Collection[str]) -> None:
        """Forget that tasks are done, so that they are done again.

        Raises:
            RunError: The folder can't be written.
        """
        kept = [msgspec.to_builtins(line) for name, line in self.done().items() if name not in names]
        with writing(self.path):
            write_atomically(self._lines, "".join(sealed_line(line, self._seal) for line in kept))

    def drop_unmeasured(self) -> list[str]:
        """Forget sets of images that have no whole file, so that they are measured again, and return their names.

        Raises:
            RunError: The folder can't be written.
        """
        if lost := self.unmeasured():
            self.drop(lost)
        return lost

    def _measured(self, name: str) -> Path:
        return self.path / "measured" / f"{name}.npz"

    @property
    def _lines(self) -> Path:
        return self.path / "parts.jsonl"


def _wrong(arrays: Arrays, classes: int) -> str | None:
    """Return the first thing that keeps arrays from being what a target says of images, or None."""
    if MEASURED[0] not in arrays:
        return f"it has no {MEASURED[0]}"
    for name in MEASURED:
        if name in arrays:
            array = arrays[name]
            if array.dtype != np.float32 or array.shape != (len(arrays[MEASURED[0]]), classes):
                return f"{name} are not {classes} for each image"
            if not np.isfinite(array).all():
                return f"{name} are not all numbers"
    wanted = arrays.get("wanted")
    if wanted is not None and (wanted.dtype != np.int64 or wanted.shape != (len(arrays[MEASURED[0]]),)):
        return "wanted is no class for each image"
    return None
