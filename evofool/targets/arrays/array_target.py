"""A classifier that is a function of arrays, as a target: ONNX files, Python functions, other frameworks' models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..checks import refused
from ..execution.outputs import Head
from ..understanding import scores_in
from .reading import Reading

Call = Callable[[NDArray[Any]], Any]
"""From a batch, as a :class:`Reading` makes it, to what the classifier returns."""


class ArrayTarget:
    """A function of arrays under test; see :class:`~evofool.targets.protocols.Target`.

    Args:
        call: The function.
        head: What makes probabilities of what it returns.
        name: What records and messages call it.
        classes: The K class names.
        image_shape: (C, H, W) of the images.
        reading: How it takes them.
        rows: Images that it is given at once, at most.
        fixed: Whether it takes exactly so many; the last batch is filled up with black images.
        fingerprint: Digest of what the scores depend on; None where nobody knows.
        in_torch: Whether the function may compute in torch.
    """

    precision = "float32"
    device = "cpu"

    def __init__(
        self,
        call: Call,
        head: Head,
        *,
        name: str,
        classes: Sequence[str],
        image_shape: tuple[int, int, int],
        reading: Reading,
        rows: int = 64,
        fixed: bool = False,
        fingerprint: str | None = None,
        in_torch: bool = True,
    ) -> None:
        self.name, self.classes, self.image_shape = name, list(classes), image_shape
        self.resize = min(image_shape[1:])
        self.reading, self.micro_batch, self.fingerprint = reading, rows, fingerprint
        self.multilabel, self.in_torch = head.multilabel, in_torch
        self._call, self._head, self._fixed = call, head, fixed

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) float32 of (B, C, H, W) uint8 images."""
        return self._head.checked(self._head.probabilities(self._values(images), self.precision), at_once=True)

    def confirm(self, images: Tensor) -> Tensor:
        """Return the same as :meth:`scores`."""
        return self.scores(images)

    @property
    def has_logits(self) -> bool:
        """Whether the function returns logits."""
        return self._head.gives_logits

    def confirm_logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) float32 of (B, C, H, W) uint8 images; see :meth:`scores`.

        Raises:
            TargetError: The function returns others.
        """
        if not self.has_logits:
            raise self._head.refuse_logits()
        values = self._values(images)
        self._head.checked(self._head.probabilities(values, self.precision), at_once=True)
        return values

    def _values(self, images: Tensor) -> Tensor:
        """Return what the function makes of (B, C, H, W) uint8 images, as (B, K) float32."""
        if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.shape[1:] != self.image_shape:
            raise refused(self.name, self.image_shape, images, "uint8 torch tensors")
        return torch.cat([self._called(part) for part in torch.split(images.cpu(), self.micro_batch)])

    def _called(self, images: Tensor) -> Tensor:
        """Call the function once."""
        count = len(images)
        if self._fixed and count < self.micro_batch:
            images = torch.cat([images, images.new_zeros((self.micro_batch - count, *images.shape[1:]))])
        values = scores_in(f"target {self.name}", self._call(self.reading.arrays(images)), len(images))
        return self._head.values(values, len(images), values.device)[:count]
