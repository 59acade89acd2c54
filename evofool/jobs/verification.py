"""Whether a target still says what is on record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..engines.base import Engine
from ..errors import TargetError
from ..targets.protocols import compare_scores


def verify_scores(
    engine: Engine,
    path: Path,
    images: Sequence[NDArray[np.uint8]],
    expected: Sequence[tuple[int, float]],
    *,
    resumed: bool = False,
) -> None:
    """Score images again.

    Args:
        engine: Scores for the target.
        path: The job's folder, for messages.
        images: Images (C, H, W).
        expected: For each of them a class index, and the probability of that class which is on record.
        resumed: Whether that was in another session.

    Raises:
        TargetError: The target scores them otherwise than it did.
    """
    scores = engine.confirm(torch.from_numpy(np.stack(images))).cpu()
    engine.check(scores)
    before = torch.tensor([confidence for _, confidence in expected])
    now = scores[range(len(expected)), [index for index, _ in expected]]
    try:
        compare_scores(engine.target.name, before, now, resumed=resumed)
    except TargetError as error:
        raise TargetError(f"{path} has other scores on record: {error}") from error
