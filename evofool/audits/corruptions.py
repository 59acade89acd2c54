"""What a few everyday changes of real images do to a network: context for the other figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..targets.robust.transformations import photographed_again, views
from .measured import Measured, share

SCREENSHOT = "screenshot"
"""The chain of a picture that is photographed again: resized, JPEG, blurred."""

STRENGTHS = 5
"""Strengths of a corruption, drawn once for the audit; images take turns."""

Classes = NDArray[np.integer[Any]]


def corrupted(name: str, images: torch.Tensor, seed: int) -> torch.Tensor:
    """Return images (N, C, H, W) uint8 under a corruption; image ``i`` has the strength ``i`` modulo ``STRENGTHS``.

    Args:
        name: ``screenshot``, or one of :data:`~evofool.config.scoring.TRANSFORMATIONS`.
        images: All images of the part, in their order.
        seed: Random seed of the strengths.
    """
    shape = (int(images.shape[1]), int(images.shape[2]), int(images.shape[3]))
    if name == SCREENSHOT:
        return photographed_again(shape, images.device)(images)
    result = images.clone()
    for index, view in enumerate(views(name, shape, STRENGTHS, seed, images.device)):
        if len(chosen := images[index::STRENGTHS]):
            result[index::STRENGTHS] = view(chosen)
    return result


def corruptions(labels: Classes | None, before: Classes, after: Mapping[str, Classes]) -> Measured:
    """Return accuracy and flips under corruptions.

    Args:
        labels: (N,) right classes; None where nobody labelled the images, which leaves the accuracy out.
        before: (N,) classes that the network says of the images as they are.
        after: The same under each corruption, by name; at least one.
    """
    n = len(before)
    rows = {}
    for name, said in after.items():
        flips = share(float((said != before).sum()), n)
        row = {"flips": [flips.value, flips.low, flips.high]}
        if labels is not None:
            right = share(float((said == labels).sum()), n)
            row["accuracy"] = [right.value, right.low, right.high]
        rows[name] = row
    flipped = float(np.mean([said != before for said in after.values()], axis=0).sum())
    figures = {"corrupted_flips": share(flipped, n)}
    if labels is not None:
        figures["corrupted_accuracy"] = share(
            float(np.mean([said == labels for said in after.values()], axis=0).sum()), n
        )
    details: dict[str, Any] = {"images": n, "corruptions": rows}
    if labels is not None:
        details["clean_accuracy"] = float((before == labels).mean())
    return Measured(figures, details, "" if labels is not None else "no accuracy: the images have no labels")
