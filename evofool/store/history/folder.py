"""The history on disk: files that are added, merged, thinned and cut, and read again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...config.records import FORMAT
from ...errors import RunError
from ...io.arrays import Arrays, DamagedArrays, read_arrays, write_arrays
from ...io.files import writing
from .changes import Changes, worth_keeping

CAP = 64_000_000
"""bytes of genomes on disk"""
SMALL, MANY = 1_000_000, 16
"""so many files of fewer than so many bytes become one"""

COLUMNS = {
    "generation": np.int32,
    "niche": np.int32,
    "evaluation_id": np.int64,
    "parent": np.int64,
    "score": np.float32,
}


class HistoryFolder:
    """The history in a run's folder.

    Args:
        run: the run's folder.
        identity: The digest of the run's config; files of another run are refused.
    """

    def __init__(self, run: Path, identity: bytes) -> None:
        self.path = run / "history"
        self._identity = np.frombuffer(identity, np.uint8)

    def add(self, arrays: Arrays) -> None:
        """Write a file with these arrays: ``COLUMNS``, ``kept`` and ``genome.*``.

        Raises:
            RunError: the folder can't be written.
        """
        with writing(self.path):
            files = self._files()
            number = int(files[-1].stem) + 1 if files else 1
            self.path.mkdir(exist_ok=True)
            self._write(self.path / f"{number:05d}.npz", arrays)
            self._merge()
            self._thin()

    def cut(self, generation: int) -> None:
        """Forget what happened after a generation.

        Raises:
            RunError: a file can't be read or written.
        """
        for file in self._files():
            if (self._load(file, ("generation",))["generation"] > generation).any():
                with writing(self.path):
                    self._write_or_remove(file, _before(self._load(file), generation))

    def changes(self) -> Changes:
        """All changes; empty where the run has no history.

        Raises:
            RunError: a file is damaged.
        """
        parts = [self._load(file, tuple(COLUMNS)) for file in self._files()]
        empty: Arrays = {name: np.empty(0, kind) for name, kind in COLUMNS.items()}
        columns = {name: np.concatenate([empty[name], *(part[name] for part in parts)]) for name in COLUMNS}
        # A process that was killed while it made one file of many leaves rows twice.
        once = _first(columns["generation"], columns["niche"])
        return Changes(**{name: column[once] for name, column in columns.items()})

    def kept(self) -> NDArray[np.int64]:
        """(G,) the children (``evaluation_id``) whose genomes are kept, sorted.

        Raises:
            RunError: a file is damaged.
        """
        return np.unique(np.concatenate([np.empty(0, np.int64), *map(self._kept, self._files())]))

    def genomes(self, wanted: set[int]) -> Iterator[tuple[NDArray[np.int64], Arrays]]:
        """The genomes of these children that are kept, file by file: ``evaluation_id`` (G,) and the encoding's arrays (G, …).

        Raises:
            RunError: a file is damaged.
        """
        missing = np.array(sorted(wanted), np.int64)
        for file in self._files():
            kept, first = np.unique(self._kept(file), return_index=True)
            rows = first[np.isin(kept, missing)]
            if len(rows):
                arrays = self._load(file)
                missing = np.setdiff1d(missing, arrays["kept"][rows])
                yield arrays["kept"][rows], {name: array[rows] for name, array in _genomes(arrays).items()}

    def damaged(self) -> Iterator[tuple[Path, str]]:
        """Files that can't be read, and why."""
        for file in self._files():
            try:
                self._load(file)
            except RunError as error:
                yield file, str(error).partition(";")[0]

    # Keeping it small

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(file for file in self.path.iterdir() if re.fullmatch(r"\d{5,}\.npz", file.name))

    def _merge(self) -> None:
        """Make one file of many small ones; they are neighbours, and the order stays."""
        small: list[Path] = []
        for file in reversed(self._files()):
            if file.stat().st_size >= SMALL:
                break
            small.insert(0, file)
        if len(small) < MANY:
            return
        self._write(small[0], _joined([self._load(file) for file in small]))
        for file in small[1:]:
            file.unlink()

    def _thin(self) -> None:
        """Drop genomes where they are too many; see :func:`worth_keeping`."""
        files = self._files()
        total = sum(file.stat().st_size for file in files)
        if total <= CAP:
            return
        heads = [self._kept(file) for file in files]
        count = sum(map(len, heads))
        keep = worth_keeping(self.changes(), most=int(count * CAP / 2 / total))
        for file, kept in zip(files, heads, strict=True):
            rows = np.flatnonzero(np.isin(kept, keep))
            if len(rows) < len(kept):
                arrays = self._load(file)
                for name in ("kept", *(f"genome.{name}" for name in _genomes(arrays))):
                    arrays[name] = arrays[name][rows]
                self._write(file, arrays)

    # Its files

    def _kept(self, file: Path) -> NDArray[np.int64]:
        return np.asarray(self._load(file, ("kept",))["kept"], np.int64)

    def _write_or_remove(self, file: Path, arrays: Arrays) -> None:
        if len(arrays["evaluation_id"]):
            self._write(file, arrays)
        else:
            file.unlink()

    def _write(self, file: Path, arrays: Arrays) -> None:
        write_arrays(file, {**arrays, "format": np.array(FORMAT), "run": self._identity}, compress=True)

    def _load(self, file: Path, names: tuple[str, ...] = ()) -> Arrays:
        """A file's arrays, or some of them.

        Raises:
            RunError: it is damaged, of another version or of another run.
        """
        way = f"go on without it with: evofool inspect --repair {file.parent.parent}"
        try:
            arrays = read_arrays(file, (*names, "format") if names else (), optional=["run"], require_digest=False)
            version, run = int(arrays.pop("format")), arrays.pop("run", self._identity)  # once it was not written
            if version != FORMAT:
                raise RunError(f"{file} has format {version}, this version reads {FORMAT}")
            if not np.array_equal(run, self._identity):
                raise RunError(f"{file} is of another run; {way}")
            _check(arrays, whole=not names)
        except (OSError, DamagedArrays, KeyError, ValueError, TypeError, OverflowError) as error:
            raise RunError(f"{file} is damaged ({error}); {way}") from error
        return arrays


def _before(arrays: Arrays, generation: int) -> Arrays:
    """A file's arrays without what happened after a generation."""
    rows = arrays["generation"] <= generation
    kept = np.isin(arrays["kept"], arrays["evaluation_id"][rows])
    return {name: array[rows if name in COLUMNS else kept] for name, array in arrays.items()}


def _joined(parts: list[Arrays]) -> Arrays:
    """The arrays of several files as one; what a process that was killed while it did this left twice is there once."""
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rows, kept = _first(arrays["generation"], arrays["niche"]), _first(arrays["kept"])
    return {name: array[rows if name in COLUMNS else kept] for name, array in arrays.items()}


def _first(*keys: np.ndarray) -> NDArray[np.int64]:
    """Where each combination of keys stands first, in order."""
    _, first = np.unique(np.stack(keys), axis=1, return_index=True)
    return np.asarray(np.sort(first), np.int64)


def _genomes(arrays: Arrays) -> Arrays:
    return {name.removeprefix("genome."): array for name, array in arrays.items() if name.startswith("genome.")}


def _check(arrays: Arrays, whole: bool) -> None:
    """Raises ValueError or KeyError where the arrays don't fit together."""
    if whole and {*COLUMNS, "kept"} - arrays.keys():
        raise KeyError("columns are missing")
    kinds: dict[str, type] = {**COLUMNS, "kept": np.int64}
    for name, array in arrays.items():
        if name in kinds and (array.dtype != kinds[name] or array.ndim != 1):
            raise ValueError(f"{name} is {array.dtype} with {array.ndim} dimensions")
    lengths = {len(array) for name, array in arrays.items() if name in COLUMNS}
    genomes = {len(array) if array.ndim else -1 for array in _genomes(arrays).values()}
    if len(lengths) > 1 or genomes - {len(arrays.get("kept", ()))}:
        raise ValueError("its arrays differ in length")
