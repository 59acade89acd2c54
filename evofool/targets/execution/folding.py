"""Batch normalisations folded into the layers before them: fewer passes over every activation."""

from __future__ import annotations

import torch
from torch import Tensor, fx, nn

from .tracing import trace

_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

TOLERANCE = 1e-4
"""Largest difference of a copy's outputs from the network's in float32, as a share of the largest output; rounding
gives 1e-6."""


@torch.no_grad()
def fold(module: nn.Module, images: Tensor) -> fx.GraphModule | None:
    """Return a copy whose batch normalisations are folded into the convolutions and linear layers before them.

    In evaluation mode a batch normalisation scales and shifts each channel, which weights and biases can do as well
    (Markuš 2018, "Fusing batch normalization and convolution in runtime"). The copy's outputs have other last digits.

    Args:
        module: A network in evaluation mode and float32. It stays as it is.
        images: A few images that it takes, for which the copy has to give the same outputs.

    Returns:
        None where there is nothing to fold, or where the network does more than call its layers one after the other, so
        that it can't be traced or does something else once it is.
    """
    if not has_normalisations(module):
        return None
    from torch.fx.experimental.optimization import fuse

    try:
        folded = fuse(trace(module), no_trace=True)
        assert isinstance(folded, fx.GraphModule)
        less = _count_normalisations(folded) < _count_normalisations(module)
        return folded if less and gives_the_same(folded, module, images) else None
    except Exception:  # a user's module may do anything with what is no tensor
        return None


def has_normalisations(module: nn.Module) -> bool:
    """Return whether there may be something to fold."""
    return not isinstance(module, torch.jit.ScriptModule) and _count_normalisations(module) > 0


def gives_the_same(copy: fx.GraphModule, module: nn.Module, images: Tensor, tolerance: float = TOLERANCE) -> bool:
    """Return whether a copy's outputs are those of a network, but for rounding."""
    outputs = type(copy).forward(copy, images)  # called as a module, it prints where it fails
    expected = module(images)
    return bool((outputs - expected).abs().max() <= tolerance * expected.abs().max())


def _count_normalisations(module: nn.Module) -> int:
    return sum(isinstance(layer, _NORMALISATIONS) for layer in module.modules())
