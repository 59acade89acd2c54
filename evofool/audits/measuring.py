"""The images that audits ask a target about in bulk: noise, and evolved ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..store.run import RunFolder

Images = NDArray[np.uint8]
"""(B, C, H, W)."""

MEASURED_AT_ONCE = 256
"""Images that are held in memory at once."""


def noise(count: int, shape: tuple[int, int, int], seed: int) -> Iterator[Images]:
    """Yield images of noise: every value is drawn for itself, all of them equally likely."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, count)))
    for start in range(0, count, MEASURED_AT_ONCE):
        yield rng.integers(0, 256, (min(MEASURED_AT_ONCE, count - start), *shape), np.uint8)


def elites(run: RunFolder) -> Iterator[Images]:
    """Yield the pictures of a run's elites, in the order of ``elites.jsonl``.

    Raises:
        RunError: One is missing or damaged.
    """
    lines = run.elites()
    for start in range(0, len(lines), MEASURED_AT_ONCE):
        yield np.stack([run.pixels(line) for line in lines[start : start + MEASURED_AT_ONCE]])
