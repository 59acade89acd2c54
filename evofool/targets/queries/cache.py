"""Scores that were paid for, kept on disk by the hash of their image."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TargetError

Scores = NDArray[np.float32]

_WAIT_SECONDS = 60.0
"""Longest wait for another process that writes into the same file."""

_KEYS_PER_QUESTION = 500
"""Keys of one SQL statement; SQLite takes 999 at least."""


class ScoreCache:
    """A file of scores that several jobs on the same target share.

    A transaction ends before :meth:`put` returns, so a killed process loses nothing that it was given.

    Args:
        path: An SQLite file, which is made if it is missing; None keeps all in memory.
        classes: How many scores an image has.

    Raises:
        TargetError: The file can't be opened or is damaged.
    """

    def __init__(self, path: Path | None, classes: int) -> None:
        self.path, self._bytes = path, 4 * classes
        with self._named_faults():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(
                path or ":memory:", timeout=_WAIT_SECONDS, check_same_thread=False, isolation_level=None
            )
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS scores (image BLOB PRIMARY KEY, scores BLOB NOT NULL) WITHOUT ROWID"
            )

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Scores]:
        """Return the (K,) scores of those images that the file knows, by key."""
        wanted, found = list(keys), {}
        with self._named_faults():
            for first in range(0, len(wanted), _KEYS_PER_QUESTION):
                part = wanted[first : first + _KEYS_PER_QUESTION]
                marks = ",".join("?" * len(part))
                rows = self._file.execute(f"SELECT image, scores FROM scores WHERE image IN ({marks})", part)
                found.update({key: np.frombuffer(scores, "<f4") for key, scores in rows if len(scores) == self._bytes})
        return found

    def put(self, scores: Mapping[bytes, Scores]) -> None:
        """Keep the (K,) scores of images, by key."""
        rows = [(key, row.astype("<f4").tobytes()) for key, row in scores.items()]
        with self._named_faults(), self._transaction():
            self._file.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?)", rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextmanager
    def _named_faults(self) -> Iterator[None]:
        """Give errors of the file its name and the fix."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise TargetError(
                f"the cache of paid queries {self.path} can't be used ({error}); free the disk, or move the file away "
                "if it is damaged"
            ) from error
