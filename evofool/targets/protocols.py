"""What a target is to everyone who uses one: the classifier under test as a function of 8-bit images."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..errors import TargetError

if TYPE_CHECKING:
    from torch import Tensor

SCORE_TOLERANCE = 1e-3
"""Largest difference of two scores of one image, scored twice in different batches."""

GRADIENT_PASSES = 3
"""Forward passes that a gradient counts as: its own forward pass, and a backward pass, which counts as two."""

ROWS = 64
"""Images per batch for a target that doesn't say how many it likes."""


@runtime_checkable
class Target(Protocol):
    """A classifier under test. Search and attacks know no more of it than this.

    A target may say more of itself: ``device`` (where it takes its images; the CPU where it has none), ``precision``
    (of :meth:`scores`; ``float32`` where it has none), ``micro_batch`` (how many images it likes at once) and
    ``multilabel`` (whether several classes can be true of one image, so that its scores don't sum to 1). Its
    ``fingerprint``, text or a method that returns some, tells it from others of its name: a model's version, say, or
    the digest of a file. It is recorded, and a job that was made with another one doesn't go on. One that knows the
    logits behind its probabilities may have :meth:`LogitTarget.confirm_logits`.

    Attributes:
        name: What records and messages call it.
        classes: The K class names, in the order of the scores.
        image_shape: (C, H, W) of its images; C is 1 (grey) or 3 (RGB).
    """

    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> Sequence[str]: ...
    @property
    def image_shape(self) -> tuple[int, int, int]: ...

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) float32 of (B, C, H, W) uint8 images, as fast as the target can."""
        ...

    def confirm(self, images: Tensor) -> Tensor:
        """Return the same in the precision that goes on record.

        Where ``precision`` is ``float32``, what :meth:`scores` returns goes on record as it is, and this is not called
        for it.
        """
        ...


@runtime_checkable
class Differentiable(Target, Protocol):
    """A target whose insides can be looked at: what gradients and features are taken from."""

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits (B, K) of float images (B, C, H, W) in [0, 1], with gradients."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """Return (B, F) float32: what the last layer with weights is given, averaged over space.

        Images are uint8, or float in [0, 1], whose features have gradients.
        """
        ...


@runtime_checkable
class LogitTarget(Target, Protocol):
    """A target that tells the logits behind its probabilities. Where it knows none, its ``has_logits`` is False."""

    def confirm_logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) float32 of (B, C, H, W) uint8 images, whose softmax :meth:`confirm` returns."""
        ...


def gives_logits(target: Target) -> bool:
    """Return whether a target tells the logits behind its probabilities, so that one query gives both."""
    return isinstance(target, LogitTarget) and bool(getattr(target, "has_logits", True))


def most_told_by(target: Target) -> Callable[[Tensor], Tensor]:
    """Return what asks a target for most: for logits where it tells those, else for the probabilities on record."""
    ask: Callable[[Tensor], Tensor] = getattr(target, "confirm_logits" if gives_logits(target) else "confirm")
    return ask


def differentiable(
    target: Target, *, instead: str = " (a search for diverse images can use `novelty=pixels`)"
) -> Differentiable:
    """Return the target as one that gives gradients and features.

    Args:
        target: The target.
        instead: What else can be done without them, for the message.

    Raises:
        TargetError: It gives neither.
    """
    if not isinstance(target, Differentiable):
        raise TargetError(
            f"target {target.name} gives neither gradients nor features; take one that runs in torch: cifar10 and the "
            "other embedded ones, torchvision:NAME, timm:NAME, hf:NAME, a .pt2, TorchScript or checkpoint file, a "
            f"torch module or an evofool.Target{instead}"
        )
    return target


def device_of(target: Target) -> str:
    """Return the name of the device that a target takes its images on."""
    return str(getattr(target, "device", "cpu"))


def precision_of(target: Target) -> str:
    """Return the precision that a target scores in."""
    return str(getattr(target, "precision", "float32"))


def runs_in_torch(target: Target) -> bool:
    """Return whether a target may compute in torch; where it says nothing of it (``in_torch``), it may."""
    return bool(getattr(target, "in_torch", True))


def can_be_asked_beside(target: Target) -> bool:
    """Return whether a target takes another batch while it is asked about one, and gains by it (``concurrency``)."""
    return int(getattr(target, "concurrency", 1)) > 1


def is_multilabel(target: Target) -> bool:
    """Return whether several of a target's classes can be true of one image, so that scores don't sum to 1."""
    return bool(getattr(target, "multilabel", False))


def rows_of(target: Target) -> int:
    """Return how many images a target likes to be given at once.

    Raises:
        TargetError: It says so with what is no whole number of at least 1.
    """
    rows = getattr(target, "micro_batch", ROWS)
    if not isinstance(rows, int) or rows < 1:
        raise TargetError(f"target {target.name}: `micro_batch` must be a whole number of at least 1, got {rows!r:.60}")
    return rows


def runs_side_by_side(target: Target) -> bool:
    """Return whether a target, or all that it is made of, runs its passes side by side, each on one thread."""
    parts = getattr(target, "members", (target,))
    return all(getattr(getattr(part, "execution", None), "parallel", False) is True for part in parts)


def takes_rows(target: Target) -> bool:
    """Return whether a target's ``confirm`` takes ``rows``, the size of its passes."""
    return "rows" in inspect.signature(target.confirm).parameters


def compare_scores(name: str, before: Tensor, now: Tensor, *, resumed: bool = False) -> None:
    """Compare the scores of the same images, scored twice.

    Args:
        name: The target's name.
        before: Scores of the first time.
        now: Scores of the second time.
        resumed: Whether the first time was in another session, so that the target may be another one by now.

    Raises:
        TargetError: They differ by more than ``SCORE_TOLERANCE``.
    """
    difference = float((before - now).abs().max()) if len(before) else 0.0
    if resumed and not difference <= SCORE_TOLERANCE:
        raise TargetError(
            f"target {name} gives images other scores than are on record (by up to {difference:.2g}); give the same "
            "weights and preprocessing as before, or look for dropout or noise that evaluation mode does not stop"
        )
    if not difference <= SCORE_TOLERANCE:
        raise TargetError(
            f"target {name} gives the same image other scores each time (by up to {difference:.2g}), so nothing it "
            "says can be recorded; look for dropout or noise that evaluation mode does not stop, or for other weights"
        )
