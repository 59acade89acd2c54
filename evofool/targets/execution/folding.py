"""Batch normalisations taken into the layers before them: fewer passes over every activation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FOLDED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

ALIKE = 1e-3
"""how far outputs of the folded network may be from the network's, as a share of the largest; rounding gives 1e-6"""


@torch.no_grad()
def fold(module: nn.Module, images: Tensor) -> nn.Module | None:
    """A copy whose batch normalisations are part of the convolutions and linear layers before them.

    In evaluation mode a batch normalisation scales and shifts each channel, which weights and biases can do as well
    (Markuš 2018, "Fusing batch normalization and convolution in runtime"). The copy's outputs have other last digits.

    Args:
        module: in evaluation mode and float32; it stays as it is.
        images: a few that it takes, which the copy has to give the same outputs for.

    Returns:
        None where there is nothing to fold, or where what the network does depends on more than the layers that it
        calls, so that it can't be traced, or does something else then.
    """
    if not foldable(module):
        return None
    from torch.fx.experimental.optimization import fuse

    try:
        folded = fuse(module)
        if _normalisations(folded) == _normalisations(module):
            return None
        ours, theirs = folded(images), module(images)
        alike = bool((ours - theirs).abs().max() <= ALIKE * theirs.abs().max())
    except Exception:  # whatever a module of the user's does with what is no tensor
        return None
    return folded if alike else None


def foldable(module: nn.Module) -> bool:
    """Whether there may be something to fold."""
    return not isinstance(module, torch.jit.ScriptModule) and _normalisations(module) > 0


def _normalisations(module: nn.Module) -> int:
    return sum(isinstance(one, _FOLDED) for one in module.modules())
