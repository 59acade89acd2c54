"""The pictures of a run's history, all at one size."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ... import encodings
from ...config.evolve import settings_of
from ...errors import ConfigError, GenomeError, RunError
from ...io.arrays import Arrays
from ...io.images import to_image
from ...store.folder import CONFIG, damaged
from ...store.history import EliteChanges
from ...store.run import RunFolder

MAX_CACHED = 80
"""Number of drawn pictures that stay in memory: most elites live for several frames."""


class HistoryPictures:
    """The pictures of a run's history, drawn when they are asked for.

    Args:
        run: The run.
        changes: The changes of its history.
        longest: Longer side of a picture, in pixels.

    Raises:
        RunError: The run's config or history is damaged.
    """

    def __init__(self, run: RunFolder, changes: EliteChanges, longest: int) -> None:
        self.changes, self._history = changes, run.history
        options, shape = run.config.options, run.config.target.image_shape
        scale = longest / max(shape[1:])
        self.size = (max(1, round(shape[1] * scale)), max(1, round(shape[2] * scale)))
        try:
            self._encoding = encodings.build(options.encoding, settings_of(options), shape, "cpu")
        except ConfigError as error:
            raise damaged(run.path / CONFIG, error) from error
        self._kept = np.isin(changes.evaluation_id, run.history.genome_ids())
        self._genomes: dict[int, tuple[Arrays, int]] = {}
        self._drawn: dict[int, Image.Image] = {}

    def rows(self, niche: int, generations: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the change that made a niche's elite as of each generation (T,), and the one to show for it (T,).

        These differ where the history no longer has the elite's genome: the nearest earlier one is shown. A row is −1
        where there is none.
        """
        rows = self.changes.of(niche)
        return self._as_of(rows, generations), self._as_of(rows[self._kept[rows]], generations)

    def load(self, rows: Iterable[int]) -> None:
        """Load the genomes of some changes.

        Raises:
            RunError: A file of the history is damaged.
        """
        wanted = {int(self.changes.evaluation_id[row]) for row in rows if row >= 0}
        for evaluation_ids, arrays in self._history.genomes(wanted):
            self._genomes |= {child: (arrays, row) for row, child in enumerate(evaluation_ids.tolist())}

    def picture(self, row: int) -> Image.Image | None:
        """Return the picture of a change whose genome is loaded; None for row −1.

        Raises:
            RunError: The genome is damaged.
        """
        if row < 0:
            return None
        evaluation_id = int(self.changes.evaluation_id[row])
        if evaluation_id not in self._drawn:
            if evaluation_id not in self._genomes:
                raise RunError(f"{self._history.path} was changed while it was read; try again")
            while len(self._drawn) >= MAX_CACHED:
                del self._drawn[next(iter(self._drawn))]
            try:
                self._drawn[evaluation_id] = self._draw(*self._genomes[evaluation_id])
            except GenomeError as error:
                raise RunError(f"{self._history.path} is damaged ({error}); remove it to go on without it") from error
        self._drawn[evaluation_id] = self._drawn.pop(evaluation_id)  # The one used last goes last.
        return self._drawn[evaluation_id]

    def _draw(self, arrays: Arrays, row: int) -> Image.Image:
        """Return a CPPN rendered anew, or a direct genome scaled: with hard edges where it gets larger."""
        if "genes" in arrays:
            genes = arrays["genes"]
            if genes.dtype != np.uint8 or genes.ndim != 4 or genes.shape[1] not in (1, 3):
                raise GenomeError(f"direct genomes must be uint8 (N, C, H, W), found {genes.dtype} {genes.shape}")
            image = to_image(genes[row]).convert("RGB")
            method = Image.Resampling.NEAREST if image.width <= self.size[1] else Image.Resampling.LANCZOS
            return image.resize(self.size[::-1], method)
        genome = self._encoding.load({name: array[row : row + 1] for name, array in arrays.items()})
        import torch

        with torch.inference_mode():
            pixels = self._encoding.decode_at(genome, self.size)[0]
        return to_image(pixels.numpy()).convert("RGB")

    def _as_of(self, rows: NDArray[np.int64], generations: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the last of some changes as of each generation (T,); −1 before the first."""
        if not len(rows):
            return np.full(len(generations), -1)
        last = np.searchsorted(self.changes.generation[rows], generations, side="right") - 1
        return np.where(last >= 0, rows[last], -1)
