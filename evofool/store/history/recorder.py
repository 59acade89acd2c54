"""Taking down, generation by generation, which elites changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encodings.base import Encoding
from ...encodings.direct.encoding import DirectBatch
from ...engines.population import NO_EVALUATION
from ...io.arrays import Arrays
from ...kernels.images import downscale
from ...search.evolution import Evolution
from .folder import COLUMNS, HistoryFolder

PICTURE = 96
"""longest side, in pixels, of what is kept of a direct genome"""
BUFFER = 16_000_000
"""bytes of genomes that wait in memory for a checkpoint; more are written earlier"""


class Recorder:
    """Keeps the history of a run while it goes on.

    Args:
        folder: of the run's history.
        do: what does a job of writing, now or later but in order.
    """

    def __init__(self, folder: HistoryFolder, do: Callable[[Callable[[], object]], object] = lambda job: job()) -> None:
        self.folder, self._do = folder, do
        self._rows: list[Arrays] = []
        self._genomes: list[tuple[NDArray[np.int64], Any]] = []
        self._size = 0
        self._known: NDArray[np.int64] | None = None

    def note(self, evolution: Evolution) -> None:
        """Take down which elites changed since the last call."""
        archive = evolution.archive
        known = np.full(len(archive), NO_EVALUATION) if self._known is None else self._known
        niches = np.flatnonzero((archive.evaluation_id != known) & (archive.evaluation_id != NO_EVALUATION))
        niches = niches[np.argsort(archive.generation[niches], kind="stable")]
        self._known = archive.evaluation_id.copy()
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
        evaluation_id, first = np.unique(columns["evaluation_id"], return_index=True)
        genomes = _reduced(archive.genomes.take(niches[first]))
        self._genomes.append((evaluation_id, genomes))
        self._size += sum(value.nbytes for value in vars(genomes).values())
        if self._size > BUFFER:
            self.flush(evolution)

    def go_on(self, evolution: Evolution) -> None:
        """After a restart: forget what happened after the checkpoint that the evolution goes on from.

        Elites that the history does not know are taken down: it was removed, or the run is older than histories.

        Raises:
            RunError: the history can't be read or written.
        """
        self.folder.cut(evolution.search.generation)
        changes = self.folder.changes()
        self._known = np.full(len(evolution.archive), NO_EVALUATION)
        rows = changes.elites()
        rows = rows[changes.niche[rows] < len(self._known)]
        self._known[changes.niche[rows]] = changes.evaluation_id[rows]
        self.note(evolution)

    def flush(self, evolution: Evolution) -> None:
        """Write what has gathered; with every checkpoint, before it.

        Raises:
            RunError: the folder can't be written.
        """
        if self._rows:
            rows, genomes, encoding = self._rows, self._genomes, evolution.encoding
            self._rows, self._genomes, self._size = [], [], 0
            self._do(lambda: self.folder.add(_arrays(encoding, rows, genomes)))


def _arrays(encoding: Encoding, rows: list[Arrays], genomes: list[tuple[NDArray[np.int64], Any]]) -> Arrays:
    """What a file of the history holds."""
    arrays = {name: np.concatenate([row[name] for row in rows]) for name in COLUMNS}
    arrays["kept"] = np.concatenate([evaluation_id for evaluation_id, _ in genomes])
    dumps = [encoding.dump(batch) for _, batch in genomes]
    return arrays | {f"genome.{name}": np.concatenate([dump[name] for dump in dumps]) for name in dumps[0]}


def _reduced(genomes: Any) -> Any:
    """Large direct genomes as small pictures; other genomes as they are."""
    if not isinstance(genomes, DirectBatch) or max(genomes.genes.shape[2:]) <= PICTURE:
        return genomes
    height, width = genomes.genes.shape[2:]
    scale = PICTURE / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return DirectBatch(downscale(genomes.genes.cpu(), size))
