"""A target that scores images under transformations, so that only what survives them counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

import torch
from torch import Tensor

from ...config.records import RobustRecord
from ...config.scoring import PHOTOGRAPHED_AGAIN, UNCHANGED
from ..checked import CheckedTarget
from ..checks import check_finite
from ..itemised import Itemised
from ..protocols import Target, precision_of, rows_of
from .transformations import View, photographed_again, views


class RobustTarget:
    """A target whose score of a class is the lowest, or the mean, of its scores of the image and of its transforms.

    Their strengths are drawn once, by the record's seed, and are the same for all images. So a score depends on the
    image and the seed, and not on what is scored beside it. Transforms are 8-bit images as well. The lowest of several
    probabilities are no probabilities: those of all classes sum to at most 1.

    Args:
        target: What scores the images; it may be an ensemble.
        record: The transformations, how often each is drawn, the seed, and how scores are combined.

    Attributes:
        members: The target.
    """

    checks_itself = True
    multilabel = True
    """Scores don't sum to 1."""

    def __init__(self, target: Target, record: RobustRecord) -> None:
        self.members, self.record = (target,), record
        self.name, self.classes, self.image_shape = target.name, target.classes, target.image_shape
        self._checked = CheckedTarget(target)
        self.device = self._checked.device
        self._views: dict[str, list[View]] = {UNCHANGED: [lambda images: images]}
        for name in record.to:
            self._views[name] = views(name, self.image_shape, record.draws, record.seed, self.device)

    @property
    def precision(self) -> str:
        """The precision of :meth:`scores`."""
        return precision_of(self.members[0])

    @property
    def micro_batch(self) -> int:
        """How many images the target likes to be given at once."""
        return rows_of(self.members[0])

    def scores(self, images: Tensor, *, checked: bool = True) -> Tensor:
        """Return the scores (B, K) float32 of (B, C, H, W) uint8 images.

        Args:
            images: The images, on any device.
            checked: Whether to look for NaN at once, which waits for a GPU; otherwise the caller does it.
        """
        return self._all(self._checked.scores, images, self.micro_batch, checked)

    def confirm(self, images: Tensor, *, rows: int | None = None, checked: bool = True) -> Tensor:
        """Return the same in float32: what goes on record.

        Args:
            images: The images, on any device.
            rows: Rows of every pass, where the target takes that.
            checked: As in :meth:`scores`.
        """
        rows_at_once = rows or self.micro_batch
        return self._all(lambda seen: self._checked.confirm(seen, rows), images, rows_at_once, checked)

    def itemise(self, images: Tensor) -> dict[str, dict[str, Tensor]]:
        """Return what an image's score is made of: the scores (B, K) under each transformation.

        Those of a picture that is photographed again stand beside them and don't count. So do those of each network,
        for the image as it is, where there are several.
        """
        images = images.to(self.device)
        under = {
            name: self._combined(self._checked.confirm(view(images)) for view in drawn)
            for name, drawn in self._views.items()
        }
        chain = photographed_again(self.image_shape, self.device)
        under[PHOTOGRAPHED_AGAIN] = self._checked.confirm(chain(images))
        (target,) = self.members
        return {**(target.itemise(images) if isinstance(target, Itemised) else {}), "robust": under}

    def _all(self, ask: Callable[[Tensor], Tensor], images: Tensor, rows: int, checked: bool) -> Tensor:
        """Return the scores of images, of which so many rows are transformed at once: transforms take much memory."""
        parts = torch.split(images.to(self.device), rows)
        drawn = [view for views_of_one in self._views.values() for view in views_of_one]
        scores = torch.cat([self._combined(ask(view(part)) for view in drawn) for part in parts])
        if checked:
            check_finite(self.name, scores)
        return scores

    def _combined(self, scores: Iterable[Tensor]) -> Tensor:
        """Return the lowest or the mean of scores (B, K), which are summed in the order they come in."""
        if self.record.how == "worst":
            return reduce(torch.minimum, scores)
        each = list(scores)
        return sum(each[1:], each[0]) / len(each)
