"""A network whose layers are joined for a search's passes: with fewer readings and writings of every activation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from .folding import fold, gives_the_same, has_normalisations
from .fusing import fusable, fuse, is_fused
from .modules import in_bfloat16
from .tracing import trace


@dataclass(frozen=True)
class Joined:
    """A network whose layers can be joined.

    Attributes:
        graph_module: The network in float32, with its batch normalisations folded.
        images: A few images that it takes.
        fused: Whether its convolutions do what follows them as well.
    """

    graph_module: fx.GraphModule
    images: Tensor
    fused: bool

    def made(self, precision: str, rows: int) -> nn.Module:
        """Return the joined network in a precision, for passes of so many rows."""
        network, images = self.graph_module, self.images
        if precision == "bfloat16":
            network, images = in_bfloat16(network), images.bfloat16()
        if not self.fused:
            return network
        try:
            return fuse(network, images, rows)
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
        None where nothing can be joined: there is nothing, or the network does more than call its layers one after the
        other.
    """
    folded = fold(module, images)
    if not fusable(module, images.device):
        return None if folded is None else Joined(folded, images, fused=False)
    try:
        graph_module = trace(module) if folded is None else folded
        fused = fuse(graph_module, images, len(images))
        if is_fused(fused) and gives_the_same(fused, module, images):
            return Joined(graph_module, images, fused=True)
    except Exception:  # a user's module may do anything with what is no tensor
        pass
    return None if folded is None else Joined(folded, images, fused=False)


def joinable(module: nn.Module, device: torch.device) -> bool:
    """Return whether there may be something to join."""
    return has_normalisations(module) or fusable(module, device)
