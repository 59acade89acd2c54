"""The history on disk: files that are added, merged, thinned and cut, and read again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...config.records import FORMAT
from ...errors import RunError, in_words
from ...io.arrays import Arrays, DamagedArrays, read_arrays, write_arrays
from ...io.files import writing
from .changes import EliteChanges, select_genomes
from .columns import COLUMNS, before, check_columns, genome_arrays, joined, unique_rows


@dataclass(frozen=True)
class Limits:
    """What keeps a history small.

    Attributes:
        history_bytes: Largest size of all files, in bytes; beyond it, genomes are dropped.
        small_file_bytes: Files below this size, in bytes, are merged.
        small_files: Number of small files at which they become one.
    """

    history_bytes: int = 64_000_000
    small_file_bytes: int = 1_000_000
    small_files: int = 16


LIMITS = Limits()
"""The limits of every run's history."""


class HistoryFolder:
    """The history in a run's folder.

    Args:
        run: The run's folder.
        identity: The digest of the run's config; files of another run are refused.
        limits: What keeps the history small; None for ``LIMITS``.
    """

    def __init__(self, run: Path, identity: bytes, limits: Limits | None = None) -> None:
        self.path, self._limits = run / "history", limits or LIMITS
        self._identity = np.frombuffer(identity, np.uint8)

    @property
    def remedy(self) -> str:
        """What can be done about a damaged file, in words."""
        return f"go on without it with: evofool inspect --repair {self.path.parent}"

    def add(self, arrays: Arrays) -> None:
        """Write a file with these arrays: ``COLUMNS``, ``genome_id`` and ``genome.*``.

        Raises:
            RunError: The folder can't be written.
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
            RunError: A file can't be read or written.
        """
        for file in self._files():
            if (self._load(file, ("generation",))["generation"] > generation).any():
                arrays = before(self._load(file), generation)
                with writing(self.path):
                    if len(arrays["evaluation_id"]):
                        self._write(file, arrays)
                    else:
                        file.unlink()

    def changes(self) -> EliteChanges:
        """Return all changes; none where the run has no history.

        Raises:
            RunError: A file is damaged.
        """
        parts = [self._load(file, tuple(COLUMNS)) for file in self._files()]
        empty: Arrays = {name: np.empty(0, kind) for name, kind in COLUMNS.items()}
        columns = {name: np.concatenate([empty[name], *(part[name] for part in parts)]) for name in COLUMNS}
        # A process that was killed while it made one file of many leaves rows twice.
        rows = unique_rows(columns["generation"], columns["niche"])
        return EliteChanges(**{name: column[rows] for name, column in columns.items()})

    def genome_ids(self) -> NDArray[np.int64]:
        """Return the evaluation IDs (G,) of the children whose genomes are kept, sorted.

        Raises:
            RunError: A file is damaged.
        """
        return np.unique(np.concatenate([np.empty(0, np.int64), *map(self._genome_ids, self._files())]))

    def genomes(self, wanted: set[int]) -> Iterator[tuple[NDArray[np.int64], Arrays]]:
        """Yield the genomes of these children that are kept, file by file.

        Yields:
            The evaluation IDs (G,) and the encoding's arrays (G, …).

        Raises:
            RunError: A file is damaged.
        """
        missing = np.array(sorted(wanted), np.int64)
        for file in self._files():
            children, first = np.unique(self._genome_ids(file), return_index=True)
            rows = first[np.isin(children, missing)]
            if len(rows):
                arrays = self._load(file)
                missing = np.setdiff1d(missing, arrays["genome_id"][rows])
                genomes = {name: array[rows] for name, array in genome_arrays(arrays).items()}
                yield arrays["genome_id"][rows], genomes

    def damaged(self) -> Iterator[tuple[Path, str]]:
        """Yield files that can't be read, and why. One that a working process merges meanwhile is gone, and whole."""
        for file in self._files():
            try:
                self._load(file)
            except RunError as error:
                if file.exists():
                    yield file, str(error).removesuffix(f"; {self.remedy}")

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(file for file in self.path.iterdir() if re.fullmatch(r"\d{5,}\.npz", file.name))

    def _merge(self) -> None:
        """Make one file of many small ones. These are the last ones, so that the order stays."""
        small: list[Path] = []
        for file in reversed(self._files()):
            if file.stat().st_size >= self._limits.small_file_bytes:
                break
            small.insert(0, file)
        if len(small) < self._limits.small_files:
            return
        self._write(small[0], joined([self._load(file) for file in small]))
        for file in small[1:]:
            file.unlink()

    def _thin(self) -> None:
        """Drop genomes where they are too many; see :func:`select_genomes`."""
        files = self._files()
        total, limit = sum(file.stat().st_size for file in files), self._limits.history_bytes
        if total <= limit:
            return
        ids = [self._genome_ids(file) for file in files]
        selected = select_genomes(self.changes(), int(sum(map(len, ids)) * limit / 2 / total))
        for file, children in zip(files, ids, strict=True):
            rows = np.flatnonzero(np.isin(children, selected))
            if len(rows) < len(children):
                arrays = self._load(file)
                for name in ("genome_id", *(f"genome.{name}" for name in genome_arrays(arrays))):
                    arrays[name] = arrays[name][rows]
                self._write(file, arrays)

    def _genome_ids(self, file: Path) -> NDArray[np.int64]:
        return np.asarray(self._load(file, ("genome_id",))["genome_id"], np.int64)

    def _write(self, file: Path, arrays: Arrays) -> None:
        write_arrays(file, {**arrays, "format": np.array(FORMAT), "job": self._identity}, compress=True)

    def _load(self, file: Path, names: tuple[str, ...] = ()) -> Arrays:
        """Return a file's arrays, or some of them.

        Raises:
            RunError: It is damaged, of another version or of another run.
        """
        try:
            arrays = read_arrays(file, (*names, "format", "job") if names else ())
            version, job = int(arrays.pop("format")), arrays.pop("job")
            if version != FORMAT:
                raise RunError(f"{file} has format {version}, this version of evofool reads {FORMAT}; {self.remedy}")
            if not np.array_equal(job, self._identity):
                raise RunError(f"{file} is of another run; {self.remedy}")
            check_columns(arrays, whole=not names)
        except (OSError, DamagedArrays, KeyError, ValueError, TypeError, OverflowError) as error:
            raise RunError(f"{file} is damaged ({in_words(error)}); {self.remedy}") from error
        return arrays
