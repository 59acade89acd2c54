"""What ``probe`` measures around one adversarial image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..config.probe import ProbeOptions
from ..engines.local import LocalEngine
from ..io.arrays import shortest
from ..targets.protocols import Differentiable, rows_of
from .probe_edits import edit_labels
from .probe_levels import NOISES, STARTS, factors
from .probe_sources import Pair
from .probe_space import directions, labels, moments, noise_like, radii


def examined(options: ProbeOptions, target: Differentiable, pair: Pair, seed: int) -> dict[str, Any]:
    """Return what an image and what it became are taken for, and what lies around that.

    Args:
        options: How much is tried.
        target: The classifier.
        pair: The image, and what it became.
        seed: Seeds noise and directions.

    Returns:
        Plain JSON values: ``before`` and ``after``, the two classes; ``around`` as
        :class:`~evofool.store.probe_records.Around`, or None where the image is not adversarial.

    Raises:
        TargetError: The target gives no gradients, or no numbers.
    """
    before, after = labels(target, torch.stack([pair.original, pair.image])).tolist()
    found: dict[str, Any] = {"goal": pair.goal, "before": before, "after": after, "around": None}
    if before == after or pair.goal not in (None, after):
        return found
    generator = torch.Generator().manual_seed(seed)
    perturbation = pair.image - pair.original
    norm = float(perturbation.norm())
    along = directions(target, pair.image, after, options.directions, generator)
    distances = [None if value is None else shortest(value) for value in radii(target, pair.image, after, along, norm)]
    eight_bit = (255 * pair.image).round() / 255
    around = {
        "confidence": shortest(_confidence(target, pair.image, after)),
        "rounded": labels(target, eight_bit[None]).item() == after,
        "norm": shortest(norm),
        "moments": [shortest(value) for value in moments(perturbation.numpy())],
        "counts": _counts(options, target, pair, (before, after), generator),
        "random": distances[:-2],
        "descent": distances[-2],
        "ascent": distances[-1],
        "edits": None,
    }
    if pair.edit is not None:
        original = (255 * pair.original).round().to(torch.uint8).numpy()
        places, colours = edit_labels(LocalEngine(target), original, pair.edit)
        around["edits"] = {"edit": pair.edit.tolist(), "places": places, "colours": colours}
    return found | {"around": around}


def _counts(
    options: ProbeOptions, target: Differentiable, pair: Pair, classes: tuple[int, int], generator: torch.Generator
) -> list[dict[str, Any]]:
    """Return, for each kind of noise and image that it is added to, how many samples of each level have which label."""
    (before, after), counts = classes, []
    for noise in NOISES:
        for start, image in zip(STARTS, (pair.image, pair.original), strict=True):
            kept, reverted = [], []
            for factor in factors(noise, as_published=options.as_published_code):
                found = _labels_under_noise(
                    options, target, image, pair.image - pair.original, (noise, factor), generator
                )
                kept.append(int((found == after).sum()))
                reverted.append(int((found == before).sum()))
            counts.append({"noise": noise, "start": start, "kept": kept, "reverted": reverted})
    return counts


def _labels_under_noise(
    options: ProbeOptions,
    target: Differentiable,
    image: Tensor,
    perturbation: Tensor,
    level: tuple[str, float],
    generator: torch.Generator,
) -> Tensor:
    """Return what all samples of a level are taken for; no more are drawn at once than the target likes."""
    rows, (noise, factor) = rows_of(target), level
    found = []
    for start in range(0, options.samples, rows):
        size = min(rows, options.samples - start)
        drawn = noise_like(perturbation, noise, factor, size, generator, shifted=options.as_published_code)
        noisy = image + drawn
        found.append(labels(target, noisy if options.unclipped else noisy.clamp(0, 1)))
    return torch.cat(found)


@torch.no_grad()
def _confidence(target: Differentiable, image: Tensor, label: int) -> float:
    return float(target.logits(image[None]).softmax(1)[0, label])
