"""What a classifier's scores give away without labels: chance, the batch, saturation, a softmax too many."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..errors import TargetError
from ..targets.protocols import SCORE_TOLERANCE
from .asking import Asking
from .result import Finding

SATURATED = 1e-6
"""How near to 1 the highest score of every picture is, where a classifier counts as saturated."""

FLAT = 1e-6
"""Largest difference of the scores of two pictures that counts as none."""

TWICE_SLACK = 1e-3
"""How far outside [0, 1] the implied inputs of a second softmax may lie: scores are float32."""

SURE = 0.9
"""Score from which a classifier is sure of a picture. One that never is isn't taken for a softmax twice."""

ALIKE = 0.2
"""Largest difference of a class's scores of two pictures, where they hardly differ. A file that was given pixels from 0
to 1 instead of 0 to 255 had 0.14, and rightly read 0.53."""

ENOUGH = 30
"""Pictures that are needed to say that a classifier is never sure, or that two classes are never far apart."""


def unsteady(asking: Asking, images: Tensor, scores: Tensor) -> Iterator[Finding]:
    """Yield whether an image's score changes when it is scored again, or alone.

    Args:
        asking: How it is asked.
        images: (N, C, H, W) uint8.
        scores: (N, K): what it said of them at once.
    """
    again = float((asking.engine().confirm(images).cpu() - scores).abs().max())
    if not again <= SCORE_TOLERANCE:
        yield Finding(
            "an image's score is another one each time",
            f"two scores of one image differ by up to {again:.2g}",
            "put the network into evaluation mode, and take dropout, noise and random crops out of it",
        )
        return
    fix = "put batch normalisations into evaluation mode, and take softmax over the classes (dim=1), not over the batch"
    engine = asking.engine()
    try:
        alone = torch.cat([engine.confirm(image[None]).cpu() for image in images])
    except TargetError as error:
        yield _failing(asking, images[:1], error, fix)
        return
    difference = float((alone - scores).abs().max())
    if not difference <= SCORE_TOLERANCE:
        yield Finding(
            "scores depend on the batch",
            f"the scores of an image alone and of the same image beside others differ by up to {difference:.2g}",
            fix,
        )


def _failing(asking: Asking, image: Tensor, error: TargetError, fix: str) -> Finding:
    """Return whether a classifier that failed on an image alone always does."""
    try:
        asking.engine().confirm(image)
    except TargetError:
        return Finding("scores depend on the batch", f"an image alone can't be scored ({error})", fix)
    again = "mend what fails, or have questions repeated with `count_queries`"
    return Finding("it fails now and then", f"{error}; asked again, it answered", again)


def constant(scores: Tensor) -> bool:
    """Return whether all pictures have the same (N, K) scores."""
    return float((scores.amax(0) - scores.amin(0)).max()) <= FLAT


def shape_of_scores(scores: Tensor, black: int, outputs: str, *, explained: bool) -> Iterator[Finding]:
    """Yield what the scores of pictures and images look like.

    Args:
        scores: (N, K), of noise, flat pictures and, where there are some, real images.
        black: The row of the black picture, which scaled-up pixels leave as it is.
        outputs: What the classifier is taken to return.
        explained: Whether another way to read the images is better, which explains scores that saturate or hardly
            differ.
    """
    if constant(scores):
        yield Finding(
            "all pictures have the same scores",
            f"no score of {len(scores)} pictures differs by more than {FLAT:g}",
            "load trained weights, or look for pixels that are rounded or cut to 0 before the network sees them",
        )
        return
    if outputs.startswith("multilabel"):
        return
    if is_softmax_twice(scores):
        say = "say `outputs=probabilities`, or " if outputs == "logits" else ""
        yield Finding(
            "softmax twice",
            f"the highest score of all {len(scores)} pictures is {float(scores.max()):.3g}, and all scores are such as "
            "a softmax makes of probabilities",
            f"{say}take a softmax out of the classifier",
        )
        return
    if explained:
        return
    spread = float((scores.amax(0) - scores.amin(0)).max())
    if len(scores) >= ENOUGH and spread < ALIKE and float(scores.max()) < SURE:
        yield Finding(
            "the scores hardly differ",
            f"of {len(scores)} pictures and images no two differ by more than {spread:.2g} in the score of any class, "
            f"and the highest score of all is {float(scores.max()):.2g}",
            "look for pixels from 0 to 1 where it expects 0 to 255 (`range=0-255`), or for untrained weights",
        )
    top = torch.cat([scores[:black], scores[black + 1 :]]).amax(1)
    if float(top.min()) >= 1 - SATURATED:
        yield Finding(
            "the confidence saturates",
            f"of {len(top)} pictures of noise and flat colours, and images where given, every one has a score of "
            f"{float(top.min()):.7g} or more, so nothing tells a sure answer from a surer one",
            "look for pixels from 0 to 255 where it expects 0 to 1 (`range`), or for logits that are scaled up",
        )


def is_softmax_twice(scores: Tensor) -> bool:
    """Return whether (N, K) scores are such as a softmax makes of probabilities.

    Up to a constant, a score's logarithm is what the softmax was given. If those were probabilities their sum is 1,
    which tells the constant, and all of them lie in [0, 1]. Logits don't: nearly always one lies far below their mean.
    """
    count = scores.shape[1]
    if count == 2 and len(scores) < ENOUGH:
        return False
    logs = scores.double().clamp_min(1e-300).log()
    implied = logs + (1 - logs.sum(1, keepdim=True)) / count
    inside = bool((implied >= -TWICE_SLACK).all() & (implied <= 1 + TWICE_SLACK).all())
    return inside and float(implied.max()) >= SURE
