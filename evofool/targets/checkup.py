"""``evofool targets check``: whether a classifier was understood rightly, and the usual mistakes with the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config.model import ModelOptions
from ..errors import EvofoolError
from .protocols import SCORE_TOLERANCE, Target, is_multilabel
from .understanding import pictures

Labels = NDArray[np.int64]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and std of ImageNet's pixels, by which most colour networks normalise."""

Z = 1.96
"""Standard deviations of a difference that counts as real, once chance and ties are taken into account."""

SATURATED = 0.999
"""Confidence in noise, grey, black and white alike from which a classifier counts as saturated."""


@dataclass(frozen=True)
class Finding:
    """One thing that a checkup found.

    Attributes:
        what: Short name of the mistake.
        evidence: What was measured, as a sentence.
        fix: What to do, in the words of options or code; empty where nothing is wrong.
    """

    what: str
    evidence: str
    fix: str = ""


@dataclass(frozen=True)
class Variant:
    """Another way to understand a classifier.

    Attributes:
        what: The mistake that it would mend.
        changes: The options that differ.
        fix: What to do if it is the right one.
    """

    what: str
    changes: Mapping[str, Any]
    fix: str


def scores_of_pictures(target: Target) -> Iterator[Finding]:
    """Yield what a classifier's scores of noise and flat pictures give away."""
    images = pictures(target.image_shape)
    first, second = target.confirm(images).cpu(), target.confirm(images).cpu()
    difference = float((first - second).abs().max())
    if not difference <= SCORE_TOLERANCE:
        yield Finding(
            "random scores",
            f"two scores of one image differ by {difference:.2g}",
            "put the network into evaluation mode, and take dropout, noise and random crops out of it",
        )
    alone = torch.cat([target.confirm(image[None]).cpu() for image in images])
    together = float((alone - first).abs().max())
    if difference <= SCORE_TOLERANCE and not together <= SCORE_TOLERANCE:
        yield Finding(
            "scores depend on the batch",
            f"an image's score alone and beside others differ by {together:.2g}",
            "put batch normalisations into evaluation mode",
        )
    top = first.amax(1)
    if not is_multilabel(target) and float(top.min()) >= SATURATED:
        yield Finding(
            "saturated",
            f"it is at least {SATURATED:.1%} sure of noise, grey, black and white alike",
            "look for pixels from 0 to 255 where it expects 0 to 1, or for logits that are scaled up",
        )
    count = first.shape[1]
    ceiling = np.e / (np.e + count - 1)
    flat = float((first.max(1).values - first.min(1).values).max())
    if not is_multilabel(target) and count > 2 and float(top.max()) <= ceiling + 1e-4 and flat > 1e-6:
        yield Finding(
            "softmax twice",
            f"no score of any picture is above {ceiling:.3g}, the largest that a softmax of probabilities can give",
            "say `outputs=probabilities`, or take the softmax out",
        )
    if flat <= 1e-6:
        yield Finding("constant", "every class has the same score for every picture", "load weights into the network")


def variants(options: ModelOptions, channels: int) -> list[Variant]:
    """Return other ways to understand a classifier: what users most often get wrong.

    Args:
        options: How it is understood now.
        channels: The channels of its images.
    """
    found = []
    if channels == 3:
        other = "rgb" if options.channels == "bgr" else "bgr"
        found.append(Variant("red and blue swapped", {"channels": other}, f"`channels={other}`"))
    for value_range, mean, std, what in (
        ("0-255", None, None, "pixels from 0 to 255"),
        ("0-1", None, None, "pixels from 0 to 1"),
        ("0-1", (0.0,), (1.0,), "not normalised, or normalised inside the network"),
        ("-1-1", (0.0,), (1.0,), "pixels from -1 to 1"),
        *([("0-1", *IMAGENET, "normalised as ImageNet")] if channels == 3 else []),
    ):
        changes: dict[str, Any] = {"range": value_range}
        if mean is not None:
            changes |= {"mean": mean, "std": std}
        if any(getattr(options, name) != value for name, value in changes.items()):
            words = " ".join(f"`{name}={_text(value)}`" for name, value in changes.items())
            found.append(Variant(what, changes, words))
    return found


def compare(
    understood: Target,
    options: ModelOptions,
    images: Tensor,
    labels: Labels,
    load: Callable[[ModelOptions], Target],
) -> Iterator[Finding]:
    """Yield what labelled images say of how a classifier is understood.

    Args:
        understood: The classifier, as it is understood.
        options: How that is.
        images: (N, C, H, W) uint8.
        labels: (N,) class indices.
        load: Returns the classifier as understood by other options.
    """
    from msgspec.structs import replace

    guesses = guess(understood, images)
    right = int((guesses == labels).sum())
    chance = 1 / len(understood.classes)
    yield Finding("accuracy", f"{right} of {len(labels)} images are classified correctly ({right / len(labels):.1%})")
    yield from _order(understood.classes, guesses, labels)
    best: tuple[int, Variant] | None = None
    for variant in variants(options, understood.image_shape[0]):
        try:
            other = int((guess(load(replace(options, **variant.changes)), images) == labels).sum())
        except EvofoolError:
            continue  # it can't be understood so
        if best is None or other > best[0]:
            best = other, variant
    if best is not None and _is_more(best[0], right, len(labels)):
        yield Finding(
            best[1].what, f"understood so, {best[0]} of {len(labels)} are right instead of {right}", best[1].fix
        )
    elif not _is_more(right, round(chance * len(labels)), len(labels)):
        yield Finding(
            "near chance",
            f"{right} of {len(labels)} right is what guessing gives ({chance:.1%}), however it is understood",
            "check that weights, class order and images belong together",
        )


def guess(target: Target, images: Tensor) -> Labels:
    """Return the (N,) first guesses of a classifier."""
    parts = [target.confirm(part).argmax(1).cpu() for part in torch.split(images, 64)]
    return torch.cat(parts).numpy()


def _order(classes: Sequence[str], guesses: Labels, labels: Labels) -> Iterator[Finding]:
    """Yield a finding where each class is almost always taken for one other: the names stand in another order."""
    pairs: dict[int, int] = {}
    agreed = 0
    for label in np.unique(labels):
        values, counts = np.unique(guesses[labels == label], return_counts=True)
        pairs[int(label)] = int(values[counts.argmax()])
        agreed += int(counts.max())
    permuted = len(set(pairs.values())) == len(pairs) and len(pairs) > 1
    moved = [label for label, guessed in pairs.items() if label != guessed]
    if (
        permuted
        and moved
        and _is_more(agreed, int((guesses == labels).sum()), len(labels))
        and agreed > len(labels) / 2
    ):
        few = ", ".join(f"{classes[label]} → {classes[pairs[label]]}" for label in moved[:4])
        yield Finding(
            "class order",
            f"{len(moved)} classes are nearly always taken for one other each ({few}); with names in that order "
            f"{agreed} of {len(labels)} are right",
            "give the class names in the network's order with `classes_file`",
        )


def _is_more(one: int, other: int, count: int) -> bool:
    """Return whether a count of right images is larger than another by more than chance, as independent proportions."""
    pooled = (one + other) / (2 * count)
    deviation = (2 * pooled * (1 - pooled) / count) ** 0.5
    return bool((one - other) / count > Z * max(deviation, 1 / count))


def _text(value: object) -> str:
    return ",".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)
