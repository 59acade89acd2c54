"""Checkpoints: what the next generation depends on, sealed, with the one before it kept for when it is damaged.

``checkpoint/state.npz``      the last one
``checkpoint/previous.npz``   the one before; ``evofool inspect --repair`` goes back to it
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..errors import RunError
from ..io.arrays import Arrays, DamagedArrays, read_arrays, write_arrays
from ..io.files import copy_atomically, writing
from .folder import FORMAT
from .identity import Identity


class Checkpoints:
    """The checkpoints in a run's folder.

    Args:
        run: the run's folder.
        identity: the run's; a checkpoint of another run is refused.
    """

    def __init__(self, run: Path, identity: Identity) -> None:
        self.run, self.last, self.previous = run, run / "checkpoint" / "state.npz", run / "checkpoint" / "previous.npz"
        self._identity = identity

    def save(self, state: Arrays) -> None:
        """Keep a state; the last one becomes the one before. At every moment there is a whole one.

        Raises:
            RunError: the folder can't be written.
        """
        with writing(self.run):
            self.last.parent.mkdir(exist_ok=True)
            if self.last.exists():
                copy_atomically(self.last, self.previous)
            write_arrays(self.last, {**state, "format": np.array(FORMAT), "run": self._identity})

    def load(self) -> Arrays:
        """The last state.

        Raises:
            RunError: it is missing, damaged, of another version or of another run; with what can be done.
        """
        try:
            return self._read(self.last)
        except RunError as error:
            raise RunError(f"{error}; {self._way()}") from error

    def go_back(self) -> str | None:
        """Put the checkpoint before in the place of a last one that can't be read.

        Returns:
            what was wrong; None where nothing was.

        Raises:
            RunError: neither can be read.
        """
        try:
            self._read(self.last)
            return None
        except RunError as error:
            fault = error
        try:
            self._read(self.previous)
        except RunError as error:
            raise RunError(f"{fault}; nor can the one before be used: {error}; start the run anew") from error
        with writing(self.run):
            if self.last.exists():
                os.replace(self.last, self.last.with_name("state.npz.damaged"))
            copy_atomically(self.previous, self.last)
        return str(fault)

    def _way(self) -> str:
        if not self.last.exists() and not self.previous.exists():
            return f"the run was stopped before it began: start it again, with --out {self.run}"
        try:
            self._read(self.previous)
        except RunError:
            return "start the run anew"
        return f"go back to the checkpoint before it with: evofool inspect --repair {self.run}"

    def _read(self, file: Path) -> Arrays:
        try:
            state = read_arrays(file)
            version, run = int(state.pop("format")), state.pop("run")
        except FileNotFoundError as error:
            raise RunError(f"{file} is missing") from error
        except (OSError, DamagedArrays, KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"{file} is damaged ({error})") from error
        if version != FORMAT:
            raise RunError(f"{file} has format {version}, this version of evofool reads {FORMAT}")
        if not np.array_equal(run, self._identity):
            raise RunError(f"{file} is not of the run that {self.run / 'config.json'} describes")
        return state
