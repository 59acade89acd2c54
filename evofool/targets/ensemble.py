"""Several targets as one: an image fools the ensemble as far as it fools all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

import torch
from torch import Tensor

from ..errors import TargetError
from .checked import CheckedTarget
from .checks import check_finite
from .execution.devices import device_for
from .members import check_combine, check_names, class_orders, common_shape, joined
from .own_target import check_target
from .protocols import Target, device_of, precision_of, rows_of, runs_in_torch
from .torch_target import TorchTarget


class Ensemble:
    """Several targets as one. ``evofool.Ensemble`` is this class.

    Its score of a class is the lowest of its members' probabilities of that class, or their mean. The lowest are no
    probabilities: those of an image sum to at most 1. An image whose score is 0.99 has that in every member.

    Args:
        members: Two or more targets, each of another name, for images of one shape on one device, with the same
            classes; their order may differ, and is that of the first.
        combine: ``min`` (the lowest counts) or ``mean``.

    Attributes:
        members: The targets.
        combine: How their scores become one.
        name, classes, image_shape, device, precision, micro_batch: As of any target.

    Raises:
        ConfigError: There is no such way to combine scores.
        TargetError: A member is no target, or they don't fit each other.

    Example:
        >>> import evofool
        >>> def small(name):
        ...     network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        ...     return evofool.Target(network, classes=["a", "b"], image_shape=(1, 8, 8), name=name, device="cpu")
        >>> ensemble = evofool.Ensemble([small("one"), small("two")])
        >>> ensemble.name, ensemble.scores(torch.zeros(5, 1, 8, 8, dtype=torch.uint8)).shape
        ('one + two', torch.Size([5, 2]))
    """

    checks_itself = True

    def __init__(self, members: Sequence[Target], *, combine: str = "min") -> None:
        check_combine(combine)
        self.members, self.combine = tuple(members), combine
        for member in self.members:
            check_target(member)
        names = [member.name for member in self.members]
        check_names(names)
        self.name, self.device = joined(names), device_for(self.members[0])
        self.image_shape = common_shape({member.name: member.image_shape for member in self.members})
        self.classes = list(self.members[0].classes)
        orders = class_orders({member.name: member.classes for member in self.members})
        for member in self.members:
            if device_for(member) != self.device:
                raise TargetError(
                    f"{names[0]} runs on {self.device} and {member.name} on {device_of(member)}; targets that are "
                    "fooled together must run on one device"
                )
        self._orders = [None if order is None else torch.tensor(order, device=self.device) for order in orders]
        self._checked = [CheckedTarget(member) for member in self.members]
        resizes = {member.name: getattr(member, "resize", min(self.image_shape[1:])) for member in self.members}
        if len(set(resizes.values())) > 1:
            said = ", ".join(f"{name}: {resize}" for name, resize in resizes.items())
            raise TargetError(
                f"targets that are fooled together see the same images; give all the same `resize` ({said})"
            )
        self.resize = resizes[self.members[0].name]
        self.in_torch = any(map(runs_in_torch, self.members))

    def __repr__(self) -> str:
        return f"Ensemble({self.name}, {self.combine})"

    @property
    def precision(self) -> str:
        """The precision of :meth:`scores`: float32 if that of all members is."""
        return next((found for member in self.members if (found := precision_of(member)) != "float32"), "float32")

    @property
    def micro_batch(self) -> int:
        """The fewest images that a member in torch likes to be given at once; where there is none, that any does."""
        return min(map(rows_of, torch_targets(self) or self.members))

    @property
    def multilabel(self) -> bool:
        """Always true: scores don't sum to 1, since the lowest of several probabilities don't."""
        return True

    def scores(self, images: Tensor, *, checked: bool = True) -> Tensor:
        """Return the combined scores (B, K) float32 of (B, C, H, W) uint8 images.

        Args:
            images: The images, on any device.
            checked: Whether to look for NaN at once, which waits for a GPU; otherwise the caller does it.

        Raises:
            TargetError: A member fails; the message names it.
        """
        return self._combined([member.scores for member in self._checked], images, checked)

    def confirm(self, images: Tensor, *, rows: int | None = None, checked: bool = True) -> Tensor:
        """Return the same in float32: what goes on record.

        Args:
            images: The images, on any device.
            rows: Rows of every pass of the members that take that.
            checked: As in :meth:`scores`.
        """
        asked = [lambda batch, member=member: member.confirm(batch, rows) for member in self._checked]
        return self._combined(asked, images, checked)

    def itemise(self, images: Tensor) -> dict[str, dict[str, Tensor]]:
        """Return what an image's score is made of: the confirmed scores (B, K) of each member, by its name."""
        own = (member.confirm(images) for member in self._checked)
        ordered = (self._ordered(scores, order) for scores, order in zip(own, self._orders, strict=True))
        return {"networks": dict(zip((member.name for member in self.members), ordered, strict=True))}

    def _combined(self, asked: Sequence[Callable[[Tensor], Tensor]], images: Tensor, checked: bool) -> Tensor:
        each = [self._ordered(ask(images), order) for ask, order in zip(asked, self._orders, strict=True)]
        scores = reduce(torch.minimum, each) if self.combine == "min" else sum(each[1:], each[0]) / len(each)
        if checked:
            check_finite(self.name, scores)
        return scores

    @staticmethod
    def _ordered(scores: Tensor, order: Tensor | None) -> Tensor:
        """Return a member's scores with its classes in the order of the first."""
        return scores if order is None else scores[:, order]


def torch_targets(target: Target) -> list[TorchTarget]:
    """Return those parts of a target that run in torch: itself, or members."""
    return [part for part in getattr(target, "members", (target,)) if isinstance(part, TorchTarget)]


def run_alike(target: Target) -> None:
    """Run the members that are torch's in one way, so that one record of it says how all do.

    That is the way of the member with the smallest micro-batch, in what was left open; in float32, where members
    differ in precision.
    """
    if not isinstance(target, Ensemble) or not (parts := torch_targets(target)):
        return
    way = min(parts, key=rows_of).execution
    if len(set(map(precision_of, target.members))) > 1:
        way = replace(way, precision="float32")
    for part in parts:
        part.apply(replace(part.execution, **{name: getattr(way, name) for name in part.tunable}))
