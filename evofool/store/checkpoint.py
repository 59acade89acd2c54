"""Checkpoints: what the next step of a job depends on, with a digest, and the one before it for when it is damaged.

``checkpoint/state.npz``      the last one
``checkpoint/previous.npz``   the one before; ``evofool inspect --repair`` goes back to it
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..config.records import FORMAT
from ..errors import RunError, in_words
from ..io.arrays import Arrays, DamagedArrays, read_arrays, write_arrays
from ..io.files import copy_atomically, writing


class Checkpoints:
    """The checkpoints in a job's folder.

    Args:
        job: The job's folder.
        identity: The digest of the job's config; a checkpoint of another job is refused.
    """

    def __init__(self, job: Path, identity: bytes) -> None:
        self.job, self.last, self.previous = job, job / "checkpoint" / "state.npz", job / "checkpoint" / "previous.npz"
        self._identity = np.frombuffer(identity, np.uint8)

    def save(self, state: Arrays) -> None:
        """Keep a state; the last one becomes the one before. At every moment there is a whole one.

        Raises:
            RunError: The folder can't be written.
        """
        with writing(self.job):
            self.last.parent.mkdir(exist_ok=True)
            if self.last.exists():
                copy_atomically(self.last, self.previous)
            write_arrays(self.last, {**state, "format": np.array(FORMAT), "job": self._identity})

    def load(self) -> Arrays:
        """Return the last state.

        Raises:
            RunError: It is missing, damaged, of another version or of another job. The message says what can be done.
        """
        try:
            return self._read(self.last)
        except RunError as error:
            raise RunError(f"{error}; {self._remedy()}") from error

    def peek(self, name: str) -> np.ndarray | None:
        """Return one array of the last state, unchecked; None where it can't be read."""
        try:
            return read_arrays(self.last, (name,))[name]
        except (OSError, DamagedArrays):
            return None

    def go_back(self) -> str | None:
        """Put the checkpoint before in the place of a last one that can't be read.

        Returns:
            What was wrong; None where nothing was.

        Raises:
            RunError: Neither can be read.
        """
        try:
            self._read(self.last)
            return None
        except RunError as error:
            fault = error
        try:
            self._read(self.previous)
        except RunError as error:
            raise RunError(f"{fault}; nor can the one before be used: {error}; start the job anew") from error
        with writing(self.job):
            if self.last.exists():
                os.replace(self.last, self.last.with_name("state.npz.damaged"))
            copy_atomically(self.previous, self.last)
        return str(fault)

    def _remedy(self) -> str:
        """Return what can be done about a last checkpoint that can't be read."""
        if not self.last.exists() and not self.previous.exists():
            return f"the job was stopped before it began: start it again, with `out={self.job}`"
        try:
            self._read(self.previous)
        except RunError:
            return "start the job anew"
        return f"go back to the checkpoint before it with: evofool inspect --repair {self.job}"

    def _read(self, file: Path) -> Arrays:
        try:
            state = read_arrays(file)
            version, job = int(state.pop("format")), state.pop("job")
        except FileNotFoundError as error:
            raise RunError(f"{file} is missing") from error
        except (OSError, DamagedArrays, KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"{file} is damaged ({in_words(error)})") from error
        if version != FORMAT:
            raise RunError(f"{file} has format {version}, this version of evofool reads {FORMAT}")
        if not np.array_equal(job, self._identity):
            raise RunError(f"{file} is not of the job that {self.job / 'config.json'} describes")
        return state
