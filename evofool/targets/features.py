"""What a network's last layer is given: its own view of an image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..errors import TargetError
from .torch_target import Target


def penultimate(target: Target, images: Tensor) -> Tensor:
    """(B, F) float32: what the last layer with weights is given, averaged over space.

    Args:
        target: whose network.
        images: (B, C, H, W) uint8.

    Raises:
        TargetError: the network has no such layer, or what it is given can't be taken.
    """
    last: list[Tensor] = []
    parts: list[Tensor] = []

    def note(module: nn.Module, given: Any) -> None:
        last[:] = [one for one in given if isinstance(one, Tensor)][:1]

    def finish(module: nn.Module, given: Any, output: Any) -> None:
        parts.extend(_pooled(one) for one in last)

    layers = [layer for layer in target.network.modules() if any(True for _ in layer.parameters(recurse=False))]
    try:
        hooks = [layer.register_forward_pre_hook(note) for layer in layers]
        hooks.append(target.network.register_forward_hook(finish))
    except RuntimeError as error:  # a scripted network's
        raise _none(target) from error
    try:
        target.confirm(images)
    finally:
        for hook in hooks:
            hook.remove()
    found = torch.cat(parts)[-len(images) :] if parts else torch.empty(0)  # passes that ran out of memory come first
    if len(found) != len(images) or not bool(torch.isfinite(found).all()):
        raise _none(target)
    return found


def _pooled(given: Tensor) -> Tensor:
    """(B, F) of what a layer is given: (B, F, H, W) of a convolution, (B, T, F) of tokens, (B, F) as it is."""
    if given.ndim == 4:
        return given.float().mean((2, 3))
    return given.float().mean(1) if given.ndim == 3 else given.float().flatten(1)


def _none(target: Target) -> TargetError:
    return TargetError(f"{target.name} has no last layer whose input can be taken; choose --novelty pixels")
