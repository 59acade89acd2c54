"""What a target makes of image files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..io.images import fit, open_image
from . import registry
from .prepare import fitting_of


def score_files(
    images: Sequence[Path], target: str, *, weights: str | Path | None = None, device: str = "auto", top: int = 5
) -> list[dict[str, Any]]:
    """Return the best guesses for image files, in float32. Images are fitted the way the target's card says.

    Raises:
        ImageError: A file is no image.
        TargetError: The target is unknown or its weights can't be had.
    """
    loaded = registry.load(target, weights=weights, device=device, precision="float32")
    network, fitting = loaded.target, fitting_of(loaded)
    results = []
    for path in images:
        pixels = fit(open_image(path), fitting.image_shape, fitting.resize, fitting.interpolation)
        scores = network.confirm(torch.from_numpy(pixels[None].copy()))[0]
        values, columns = scores.topk(min(top, len(network.classes)))
        guesses = [
            {"class": network.classes[column], "index": column, "confidence": value}
            for value, column in zip(values.tolist(), columns.tolist(), strict=True)
        ]
        results.append({"image": str(path), "top5": guesses})
    return results
