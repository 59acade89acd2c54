"""A user's module made ready for forward passes: evaluation mode, float32, its device; and its copies."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def made_ready(module: nn.Module, device: torch.device) -> nn.Module:
    """Return a module in evaluation mode, float32 and on a device.

    It is the module itself, but a copy where all of its numbers are in another precision.
    """
    if is_in_other_precision(module):
        module = copy.deepcopy(module).float()
    _evaluate(module)
    return module.to(device)


def in_bfloat16(module: Network) -> Network:
    """Return a copy of a module in bfloat16."""
    return copy.deepcopy(module).to(torch.bfloat16)


def is_in_other_precision(module: nn.Module) -> bool:
    """Return whether a module has real numbers, and none of them in float32."""
    kinds = _kinds(module)
    return bool(kinds) and torch.float32 not in kinds


def is_mixed(module: nn.Module) -> bool:
    """Return whether a module has real numbers in several precisions."""
    return len(_kinds(module)) > 1


def ends_in_sigmoid(module: nn.Module) -> bool:
    """Return whether the last layer of a module is a sigmoid."""
    last = list(module.modules())[-1]
    return getattr(last, "original_name", type(last).__name__) == nn.Sigmoid.__name__  # TorchScript's has that


def fixed_rows(module: nn.Module) -> int | None:
    """Return the one batch size that an exported module takes; None where it takes several, or doesn't say."""
    if not isinstance(module, torch.fx.GraphModule):
        return None
    inputs = [node for node in module.graph.nodes if node.op == "placeholder"]
    shape = getattr(inputs[0].meta.get("val"), "shape", ()) if inputs else ()
    rows = next(iter(shape), None)
    return rows if type(rows) is int else None


@contextmanager
def evaluating(network: nn.Module, layers: Sequence[nn.Module]) -> Iterator[None]:
    """Have a network in evaluation mode for a while, whatever its user has put it into since.

    Args:
        network: The network.
        layers: Its modules, as far as they are known.
    """
    if not any(layer.training for layer in layers):
        yield
        return
    modes = [(layer, layer.training) for layer in network.modules()]
    _evaluate(network)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for layer, mode in modes:  # a network stands before its layers
                if layer.training != mode:
                    layer.train(mode)


def _evaluate(module: nn.Module) -> None:
    with suppress(NotImplementedError):  # an exported module stays in the mode that it was exported in
        module.eval()


def _kinds(module: nn.Module) -> set[torch.dtype]:
    return {tensor.dtype for tensor in chain(module.parameters(), module.buffers()) if tensor.is_floating_point()}
