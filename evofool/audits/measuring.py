"""What a target says of sets of images: real ones, noise, evolved ones, and real ones under corruptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from ..engines.local import LocalEngine
from ..io.arrays import Arrays
from ..store.run import RunFolder
from ..targets.protocols import Target, gives_logits

Images = NDArray[np.uint8]
"""(B, C, H, W)."""

MEASURED_AT_ONCE = 256
"""Images that are held in memory at once."""


def outputs(target: Target, batches: Iterable[Images]) -> Arrays:
    """Return what a target says of N images: ``probabilities`` (N, K) float32, and ``logits`` where it tells those."""
    engine, logits = LocalEngine(target), gives_logits(target)
    found: dict[str, list[NDArray[np.float32]]] = {"probabilities": [np.empty((0, len(target.classes)), np.float32)]}
    for images in batches:
        for start in range(0, len(images), engine.rows):
            batch = torch.from_numpy(images[start : start + engine.rows])
            values = engine.logits(batch) if logits else engine.confirm(batch)
            engine.check(values)
            scores = values.softmax(1) if logits else values
            found["probabilities"].append(scores.cpu().numpy())
            if logits:
                found.setdefault("logits", []).append(values.cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}


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
