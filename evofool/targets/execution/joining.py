"""A network whose layers are joined for a search's passes: with fewer readings and writings of every activation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from .execution import FORMATS
from .folding import fold, gives_the_same, has_normalisations
from .fusing import fusable, fuse, is_fused
from .modules import in_bfloat16
from .side_by_side import has_hooks
from .tracing import trace

ROUNDED = 0.1
"""Largest difference of the outputs of fused layers from those of others in bfloat16, as a share of the largest."""


@dataclass(frozen=True)
class Joined:
    """A network whose layers are joined.

    Attributes:
        exact: It, in float32.
        graph_module: The network in float32, with its batch normalisations folded and nothing else.
        images: A few images that it takes.
    """

    exact: fx.GraphModule
    graph_module: fx.GraphModule
    images: Tensor

    @torch.no_grad()
    def in_bfloat16(self) -> fx.GraphModule:
        """Return the joined network in bfloat16."""
        network, images = in_bfloat16(self.graph_module), self.images.bfloat16()
        if self.exact is self.graph_module:
            return network
        try:
            fused = fuse(network, images)
            return fused if gives_the_same(fused, network, images, ROUNDED) else network
        except Exception:  # it can't run in this precision, which its first pass will say
            return network


@torch.no_grad()
def join(module: nn.Module, images: Tensor) -> Joined | None:
    """Return a network whose layers are joined: batch normalisations with the layers before them, and on a CPU
    activation functions and sums with convolutions. Its outputs have other last digits.

    Args:
        module: A network in evaluation mode and float32. It stays as it is.
        images: A few images that it takes, on its device, for which the joined network has to give the same outputs.

    Returns:
        None where nothing can be joined: there is nothing, the network does more than call its layers one after the
        other, or somebody watches or changes what goes through it by hooks.
    """
    if has_hooks(list(module.modules())):
        return None
    folded = fold(module, images)
    plain = None if folded is None else Joined(folded, folded, images)
    if not fusable(module, images.device):
        return plain
    try:
        graph_module = trace(module) if folded is None else folded
        fused = fuse(graph_module, images)
        formats = (images.contiguous(memory_format=name) for name in FORMATS.values())
        if is_fused(fused) and all(gives_the_same(fused, module, part) for part in formats):
            return Joined(fused, graph_module, images)
    except Exception:  # a user's module may do anything with what is no tensor
        pass
    return plain


def joinable(module: nn.Module, device: torch.device) -> bool:
    """Return whether there may be something to join."""
    return has_normalisations(module) or fusable(module, device)
