"""Scores image files and returns a target's best guesses for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..io.images import fit, open_image
from ..targets import registry
from ..targets.prepare import fitting_of
from .local import LocalEngine


def score_files(
    images: Sequence[Path], target: str, *, weights: str | Path | None = None, device: str = "auto", top: int = 5
) -> list[dict[str, Any]]:
    """Return the best guesses for image files, in float32. Images are fitted the way the target's card says.

    Raises:
        ImageError: A file is no image.
        TargetError: The target is unknown or its weights can't be had.
    """
    loaded = registry.load(target, weights=weights, device=device, precision="float32")
    engine, fitting = LocalEngine(loaded.target), fitting_of(loaded)
    classes = loaded.target.classes
    results = []
    for path in images:
        pixels = fit(open_image(path), fitting.image_shape, fitting.resize, fitting.interpolation)
        scores = engine.confirm(torch.from_numpy(pixels[None].copy()))
        engine.check(scores)
        values, columns = scores[0].topk(min(top, len(classes)))
        guesses = [
            {"class": classes[column], "index": column, "confidence": value}
            for value, column in zip(values.tolist(), columns.tolist(), strict=True)
        ]
        results.append({"image": str(path), "top5": guesses})
    return results
