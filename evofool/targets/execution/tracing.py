"""A network as a graph of its layers, in which every convolution and batch normalisation is a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import torch.nn.functional as F
from torch import Tensor, fx, nn

_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_NORMALISATION = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
_PADDING = ("input", "pad", "mode", "value")
"""Names of the arguments of torch's functions, in their order."""

_IN_PLACE = ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand", "ior", "ixor", "setitem")
"""Functions of Python's ``operator`` that change their first argument."""

_IDLE = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
"""Layers that do nothing in evaluation mode."""


def trace(module: nn.Module) -> fx.GraphModule:
    """Return a network as a graph of its layers. It shares the network's weights, and knows nothing of its hooks.

    Some networks have layers of their own that call ``conv2d`` or ``batch_norm``. These calls become the modules of
    torch that do the same, and zeros that are padded before such a call become the convolution's own, as far as that is
    less work: the same on opposite sides, or before a depthwise convolution on a CPU.

    Args:
        module: A network in evaluation mode.

    Raises:
        Exception: Any of them: the network does more than call its layers one after the other, or it changes a tensor
            in place that something else reads.
    """
    traced = fx.symbolic_trace(module)
    layers = dict(traced.named_modules())
    for node in traced.graph.nodes:
        if _is_in_place(node, layers) and not (node.users and len(node.args[0].users) == 1):
            raise ValueError(f"{node} changes what others read")
    for node in list(traced.graph.nodes):
        if isinstance(layer_of(node, layers), _IDLE):
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)
        elif node.op == "call_function" and node.target is F.conv2d:
            _make_module(traced, node, *_convolution(traced, layers, node))
        elif node.op == "call_function" and node.target is F.batch_norm:
            _make_module(traced, node, *_normalisation(traced, node))
    traced.graph.eliminate_dead_code()
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def layer_of(node: object, layers: Mapping[str, nn.Module]) -> nn.Module | None:
    """Return the module that a node calls; None where it calls none."""
    return layers.get(str(node.target)) if isinstance(node, fx.Node) and node.op == "call_module" else None


def _is_in_place(node: fx.Node, layers: Mapping[str, nn.Module]) -> bool:
    """Return whether a node changes its first argument."""
    if node.op == "call_method":
        name = str(node.target)
        return (name.endswith("_") and not name.endswith("__")) or name.startswith("__i") or name == "__setitem__"
    if node.op == "call_function":
        name = getattr(node.target, "__name__", "")
        of_operator = getattr(node.target, "__module__", "") == "_operator" and name in _IN_PLACE
        return of_operator or name.endswith("_") or bool(node.kwargs.get("inplace", False))
    return bool(getattr(layer_of(node, layers), "inplace", False))


def arguments(node: fx.Node, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments of a call by name, however they were given."""
    return dict(zip(names, node.args, strict=False)) | dict(node.kwargs)


def _make_module(traced: fx.GraphModule, node: fx.Node, layer: nn.Module | None, images: object) -> None:
    """Have a module do what a call does; with None it stays a call."""
    if layer is None:
        return
    name = f"{node.name}_module"
    traced.add_module(name, layer.eval())
    with traced.graph.inserting_before(node):
        node.replace_all_uses_with(traced.graph.call_module(name, (images,)))  # type: ignore[arg-type]
    traced.graph.erase_node(node)


def _convolution(
    traced: fx.GraphModule, layers: Mapping[str, nn.Module], node: fx.Node
) -> tuple[nn.Module | None, object]:
    """Return a module for a call of ``conv2d``, or None, and what it takes."""
    given = arguments(node, _CONVOLUTION)
    images, weight, bias = given["input"], _tensor(traced, given["weight"]), _tensor(traced, given.get("bias"))
    if weight is None or (bias is None and given.get("bias") is not None):
        return None, images
    padding, groups = given.get("padding", 0), given.get("groups", 1)
    if not isinstance(padding, str):
        before, (left, right, top, bottom) = _without_zeros(images, layers)
        height, width = (padding, padding) if isinstance(padding, int) else padding
        more = (bottom - top, right - left)
        if more == (0, 0):
            images, padding = before, (height + top, width + left)
        elif min(more) >= 0 and _is_light(weight, groups) and given.get("dilation", 1) in (1, (1, 1), [1, 1]):
            images, padding = before, (height + bottom, width + right)
            weight = F.pad(weight, (more[1], 0, more[0], 0))
    channels = (weight.shape[1] * groups, weight.shape[0])
    stride, dilation = (
        value if isinstance(value, int) else tuple(value)
        for value in (given.get("stride", 1), given.get("dilation", 1))
    )
    layer: nn.Conv2d = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Conv2d, *channels, tuple(weight.shape[2:]), stride, padding, dilation, groups, bias=bias is not None
    )
    layer.weight, layer.bias = _parameter(weight), None if bias is None else _parameter(bias)
    return layer, images


def _normalisation(traced: fx.GraphModule, node: fx.Node) -> tuple[nn.Module | None, object]:
    """Return a module for a call of ``batch_norm``, or None, and what it takes."""
    given = arguments(node, _NORMALISATION)
    mean, variance = _tensor(traced, given["running_mean"]), _tensor(traced, given["running_var"])
    weight, bias = _tensor(traced, given.get("weight")), _tensor(traced, given.get("bias"))
    if mean is None or variance is None or weight is None or bias is None or given.get("training", False):
        return None, given["input"]
    layer = nn.BatchNorm2d(len(mean), eps=given.get("eps", 1e-5))
    layer.running_mean, layer.running_var = mean, variance
    layer.weight, layer.bias = _parameter(weight), _parameter(bias)
    return layer, given["input"]


def _without_zeros(images: object, layers: Mapping[str, nn.Module]) -> tuple[object, tuple[int, int, int, int]]:
    """Return what comes before zeros that are padded, and how many of these are left, right, above and below."""
    none, layer = (images, (0, 0, 0, 0)), layer_of(images, layers)
    assert isinstance(images, fx.Node)
    if isinstance(layer, nn.ConstantPad2d) and layer.value == 0:
        edges, before = layer.padding, images.args[0]
    elif images.op == "call_function" and images.target is F.pad:
        given = arguments(images, _PADDING)
        edges, before = given["pad"], given["input"]
        if given.get("mode", "constant") != "constant" or given.get("value"):
            return none
    else:
        return none
    if len(edges) != 4 or not all(isinstance(edge, int) and edge >= 0 for edge in edges):
        return none
    return before, (edges[0], edges[1], edges[2], edges[3])


def _is_light(weight: Tensor, groups: int) -> bool:
    """Return whether larger squares of zeros in the weights cost less than a pass over all activations does: those of a
    depthwise convolution on a CPU."""
    return weight.device.type == "cpu" and groups == len(weight) > 1


def _tensor(traced: fx.GraphModule, node: object) -> Tensor | None:
    """Return the tensor of the network that a node stands for; None where it is none, or is computed."""
    if not isinstance(node, fx.Node) or node.op != "get_attr":
        return None
    tensor = attrgetter(str(node.target))(traced)
    return tensor.detach() if isinstance(tensor, Tensor) else None


def _parameter(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor, requires_grad=False)
