"""What a network's last layer is given: the network's own view of an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def last_inputs(network: nn.Module, forward: Callable[[], object]) -> Tensor | None:
    """Return what the last layer with weights is given in forward passes, averaged over space.

    Args:
        network: The network, which gets hooks for as long as that takes.
        forward: Runs it, in one pass or several.

    Returns:
        (N, F) float32 of all passes, failed ones included; None where no layer's input can be taken.
    """
    latest: list[Tensor] = []
    parts: list[Tensor] = []

    def note(layer: nn.Module, inputs: Any) -> None:
        latest[:] = [value for value in inputs if isinstance(value, Tensor)][:1]

    def finish(network: nn.Module, inputs: Any, output: Any) -> None:
        parts.extend(_averaged(value) for value in latest)

    layers = [layer for layer in network.modules() if any(True for _ in layer.parameters(recurse=False))]
    try:
        hooks = [layer.register_forward_pre_hook(note) for layer in layers]
        hooks.append(network.register_forward_hook(finish))
    except RuntimeError:  # a scripted network takes no hooks
        return None
    try:
        forward()
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat(parts) if parts else None


def _averaged(inputs: Tensor) -> Tensor:
    """Return (B, F) of the (B, F, H, W) of a convolution, the (B, T, F) of tokens, or (B, F)."""
    if inputs.ndim == 4:
        return inputs.float().mean((2, 3))
    return inputs.float().mean(1) if inputs.ndim == 3 else inputs.float().flatten(1)
