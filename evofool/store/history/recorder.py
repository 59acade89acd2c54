"""What records, generation by generation, which elites changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encodings.base import Encoding
from ...encodings.direct.batch import DirectBatch
from ...engines.population import NO_EVALUATION
from ...io.arrays import Arrays
from ...kernels.images import downscale
from ...search.evolution import Evolution
from .columns import COLUMNS
from .folder import HistoryFolder

MAX_PICTURE_EDGE = 96
"""Longest side of the pictures that are kept of direct genomes, in pixels."""

MAX_WAITING_BYTES = 16_000_000
"""Largest size of genomes that wait in memory for a checkpoint, in bytes; more are written earlier."""


class Recorder:
    """Keeps the history of a run while it goes on.

    Args:
        folder: The run's history.
        write: Runs what writes a file, at once or later but in order.
    """

    def __init__(self, folder: HistoryFolder, write: Callable[[Callable[[], object]], object]) -> None:
        self.folder, self._write = folder, write
        self._rows: list[Arrays] = []
        self._genomes: list[tuple[NDArray[np.int64], Any]] = []
        self._waiting_bytes = 0
        self._last_ids: NDArray[np.int64] | None = None

    def resume(self, evolution: Evolution) -> None:
        """Forget what happened after the checkpoint that an evolution goes on from.

        Elites that the history doesn't have, since it was removed, are recorded.

        Raises:
            RunError: The history can't be read or written.
        """
        self.folder.cut(evolution.search.generation)
        changes = self.folder.changes()
        self._last_ids = np.full(len(evolution.archive), NO_EVALUATION)
        rows = changes.elites()
        rows = rows[changes.niche[rows] < len(self._last_ids)]
        self._last_ids[changes.niche[rows]] = changes.evaluation_id[rows]
        self.record(evolution)

    def record(self, evolution: Evolution) -> None:
        """Record which elites changed since the last call."""
        archive = evolution.archive
        last_ids = np.full(len(archive), NO_EVALUATION) if self._last_ids is None else self._last_ids
        niches = np.flatnonzero((archive.evaluation_id != last_ids) & (archive.evaluation_id != NO_EVALUATION))
        niches = niches[np.argsort(archive.generation[niches], kind="stable")]
        self._last_ids = archive.evaluation_id.copy()
        if not len(niches):
            return
        columns: dict[str, NDArray[Any]] = {
            "generation": archive.generation[niches],
            "niche": niches,
            "evaluation_id": archive.evaluation_id[niches],
            "parent": archive.parent[niches],
            "score": archive.confidence[niches],
        }
        self._rows.append({name: columns[name].astype(kind) for name, kind in COLUMNS.items()})
        children, first = np.unique(columns["evaluation_id"], return_index=True)
        genomes = reduced(archive.genomes.take(niches[first]))
        self._genomes.append((children, genomes))
        self._waiting_bytes += sum(value.nbytes for value in vars(genomes).values())
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self.flush(evolution)

    def flush(self, evolution: Evolution) -> None:
        """Write what was recorded since the last call. Every checkpoint needs this before it.

        Raises:
            RunError: The folder can't be written.
        """
        if self._rows:
            rows, genomes, encoding = self._rows, self._genomes, evolution.encoding
            self._rows, self._genomes, self._waiting_bytes = [], [], 0
            self._write(partial(_add, self.folder, encoding, rows, genomes))


def reduced(genomes: Any) -> Any:
    """Return large direct genomes as pictures of at most ``MAX_PICTURE_EDGE`` a side, other genomes as they are."""
    if not isinstance(genomes, DirectBatch) or max(genomes.genes.shape[2:]) <= MAX_PICTURE_EDGE:
        return genomes
    height, width = genomes.genes.shape[2:]
    scale = MAX_PICTURE_EDGE / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return DirectBatch(downscale(genomes.genes.cpu(), size))


def _add(
    folder: HistoryFolder, encoding: Encoding, rows: list[Arrays], genomes: list[tuple[NDArray[np.int64], Any]]
) -> None:
    """Add a file with these changes and genomes."""
    arrays = {name: np.concatenate([row[name] for row in rows]) for name in COLUMNS}
    arrays["genome_id"] = np.concatenate([children for children, _ in genomes])
    dumps = [encoding.dump(batch) for _, batch in genomes]
    folder.add(arrays | {f"genome.{name}": np.concatenate([dump[name] for dump in dumps]) for name in dumps[0]})
