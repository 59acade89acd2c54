"""Which other places and colours of a one-pixel edit work as well."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..encodings.apply_edits import apply_edits
from ..encodings.pixels import Edits, Pixels
from ..engines.local import LocalEngine
from .probe_grid import colours, places


def edit_labels(engine: LocalEngine, image: NDArray[np.uint8], edit: NDArray[np.int16]) -> tuple[list[int], list[int]]:
    """Return what edits are taken for that have another place, and those that have another colour.

    Args:
        engine: Scores the 8-bit images.
        image: (C, H, W) without any edit.
        edit: (2 + C,) the edit: x, y and a colour.

    Returns:
        A class for each place of :func:`~.probe_grid.places`, row by row, and for each colour of
        :func:`~.probe_grid.colours`.
    """
    space, (x, y) = Pixels(image.shape, 1), edit[:2].tolist()
    columns, rows = places(space.width, space.height, x, y)
    spots = (rows[:, None] * space.width + columns).reshape(-1, 1)
    palette = colours(space.channels)
    elsewhere = space.join(spots, np.broadcast_to(edit[2:], (len(spots), 1, space.channels)))
    recoloured = space.join(np.full((len(palette), 1), y * space.width + x), palette[:, None])
    return _labels(engine, image, elsewhere), _labels(engine, image, recoloured)


def _labels(engine: LocalEngine, image: NDArray[np.uint8], edits: Edits) -> list[int]:
    base, found = torch.from_numpy(image).to(engine.device), list[int]()
    for start in range(0, len(edits), engine.rows):
        part = torch.from_numpy(edits[start : start + engine.rows]).to(engine.device)
        scores = engine.confirm(apply_edits(base.repeat(len(part), 1, 1, 1), part))
        engine.check(scores)
        found += scores.argmax(1).tolist()
    return found
