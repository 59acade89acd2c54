"""Convolutions that do on a CPU what follows them as well: their activation, and the addition of a way around them.

A convolution writes its outputs to memory, and an activation function reads and writes all of them again. oneDNN, which
torch's convolutions on a CPU are made of, applies both while an output is still in a register, and keeps weights in the
order in which its kernels read them. What pools in bfloat16 is replaced by a faster layer.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.node import Argument

from .pooling import MaxPooling
from .tracing import arguments, layer_of

Unary = tuple[str, list[float]]
"""What oneDNN calls an activation function, and its parameters."""

_RELU: Unary = ("relu", [])
_RELU6: Unary = ("hardtanh", [0.0, 6.0])
_SILU: Unary = ("swish", [])
_HARDSWISH: Unary = ("hardswish", [])
_ACTIVATIONS: dict[object, Unary] = {
    nn.ReLU: _RELU, F.relu: _RELU, torch.relu: _RELU, "relu": _RELU, "relu_": _RELU,
    nn.ReLU6: _RELU6, F.relu6: _RELU6,
    nn.SiLU: _SILU, F.silu: _SILU,
    nn.Hardswish: _HARDSWISH, F.hardswish: _HARDSWISH,
}  # fmt: skip
"""Activation functions: modules, functions, and methods of tensors."""

_POSITIVE = (_RELU, _RELU6)
"""Those whose values are never below zero."""

_POOLING = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
"""Names of the arguments of ``max_pool2d``, in their order; those of its layer are called alike."""

_ADDITIONS = (operator.add, operator.iadd, torch.add)


class FusedConvolution(nn.Module):
    """A convolution with what follows it, (B, C, H, W) -> (B, D, H', W').

    Args:
        layer: The convolution.
        shape: The shape (B, C, H, W) of what it is given, for which its weights are laid out. It takes any B.
        unary: The activation function that follows, or None.
    """

    def __init__(self, layer: nn.Conv2d, shape: list[int], unary: Unary | None) -> None:
        super().__init__()
        weight, bias = layer.weight.detach(), None if layer.bias is None else layer.bias.detach()
        way = (list(layer.padding), list(layer.stride), list(layer.dilation), layer.groups)
        self._given = (torch.ops.mkldnn._reorder_convolution_weight(weight, *way, shape), bias, *way)
        self.unary, self._shape = unary, shape

    def __getstate__(self) -> dict[str, Any]:
        weight, *others = self._given
        return self.__dict__ | {"_given": (weight.to_dense(), *others)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        weight, *others = self._given
        self._given = (torch.ops.mkldnn._reorder_convolution_weight(weight, *others[1:], self._shape), *others)

    def forward(self, images: Tensor, added: Tensor | None = None) -> Tensor:
        """Return the activation of the convolution of ``images``, plus ``added``, which has its shape."""
        name, parameters = self.unary or (None, [])
        if added is None:
            outputs: Tensor = torch.ops.mkldnn._convolution_pointwise(
                images, *self._given, name or "none", parameters, ""
            )
        else:
            outputs = torch.ops.mkldnn._convolution_pointwise.binary(
                images, added, *self._given, "add", 1.0, name, parameters, ""
            )
        return outputs


def fusable(module: nn.Module, device: torch.device) -> bool:
    """Return whether there may be something to fuse."""
    here = device.type == "cpu" and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    traceable = not isinstance(module, torch.jit.ScriptModule)
    return here and traceable and any(isinstance(layer, nn.Conv2d) for layer in module.modules())


@torch.no_grad()
def fuse(graph_module: fx.GraphModule, images: Tensor) -> fx.GraphModule:
    """Return a copy of a network whose convolutions do what follows them as well.

    Sums lose a rounding by it; in bfloat16 the copy's outputs differ by as much.

    Args:
        graph_module: A network as :func:`~.tracing.trace` returns it, on the CPU and in the precision that it runs in.
        images: A few images that it takes, in this precision. The copy takes any number.

    Raises:
        Exception: Any of them: torch can't run it so.
    """
    fused = copy.deepcopy(graph_module)
    _Shapes(fused).run(images)
    layers = dict(fused.named_modules())
    for node in list(fused.graph.nodes):
        if _is_convolution(layer_of(node, layers)):
            _fuse_at(fused, layers, node)
        elif images.dtype == torch.bfloat16 and (pooling := _pooling(node, layers)):
            _insert(fused, layers, pooling, node.args[:1], [node])
    fused.delete_all_unused_submodules()
    fused.recompile()
    return fused


def is_fused(module: nn.Module) -> bool:
    """Return whether a network has a fused convolution."""
    return any(isinstance(layer, FusedConvolution) for layer in module.modules())


class _Shapes(fx.Interpreter):
    """Runs a network and notes the shape of every tensor. That of torch imports sympy, which takes seconds."""

    def run_node(self, node: fx.Node) -> object:
        value = super().run_node(node)
        node.meta["shape"], node.meta["dtype"] = (
            (list(value.shape), value.dtype) if isinstance(value, Tensor) else (None, None)
        )
        return value


def _fuse_at(fused: fx.GraphModule, layers: dict[str, nn.Module], node: fx.Node) -> None:
    """Replace a convolution, the addition after it and the activation function after that, as far as they are there."""
    replaced, given = [node], [node.args[0]]
    if (addition := _only_user(node)) and (added := _added(addition, node)):
        replaced, given = [*replaced, addition], [*given, added]
    unary = None
    if (user := _only_user(replaced[-1])) and (found := _activation(user, layers)):
        grouped = layers[str(node.target)].groups != 1 and node.meta["dtype"] == torch.bfloat16
        if len(given) == 1 or (found is _RELU and not grouped):  # oneDNN has no other together with a sum
            unary = found
            replaced.append(user)
    shape = node.args[0].meta["shape"]  # type: ignore[union-attr]
    layer = FusedConvolution(layers[str(node.target)], shape, unary)  # type: ignore[arg-type]
    _insert(fused, layers, layer, tuple(given), replaced)


def _insert(
    fused: fx.GraphModule,
    layers: dict[str, nn.Module],
    layer: nn.Module,
    given: tuple[Argument, ...],
    replaced: Sequence[fx.Node],
) -> None:
    """Have a new layer do what some nodes do, one after the other."""
    last = replaced[-1]
    name = f"{last.name}_fused"
    fused.add_module(name, layer)
    layers[name] = layer
    with fused.graph.inserting_before(last):
        replacement = fused.graph.call_module(name, given)
    replacement.meta = last.meta
    last.replace_all_uses_with(replacement)
    for node in reversed(replaced):
        fused.graph.erase_node(node)


def _is_convolution(layer: nn.Module | None) -> bool:
    return type(layer) is nn.Conv2d and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def _only_user(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _activation(node: fx.Node, layers: Mapping[str, nn.Module]) -> Unary | None:
    """Return the activation function that a node applies; None where it applies none that is known."""
    if node.op == "call_module":
        return _ACTIVATIONS.get(type(layer_of(node, layers)))
    return _ACTIVATIONS.get(node.target) if node.op in ("call_function", "call_method") else None


def _added(addition: fx.Node, node: fx.Node) -> fx.Node | None:
    """Return what a node adds to another that has its shape; None where it does not."""
    if addition.op != "call_function" or addition.target not in _ADDITIONS or len(addition.args) != 2:
        return None
    if addition.kwargs or (addition.target is operator.iadd and addition.args[0] is not node):
        return None
    others = [term for term in addition.args if term is not node]
    other = others[0] if len(others) == 1 else None
    if not isinstance(other, fx.Node):
        return None
    return other if all(other.meta[name] == node.meta[name] for name in ("shape", "dtype")) else None


def _pooling(node: fx.Node, layers: Mapping[str, nn.Module]) -> MaxPooling | None:
    """Return what pools as a node does; None where it does not pool, or in another way."""
    layer = layer_of(node, layers)
    if type(layer) is nn.MaxPool2d:
        given = vars(layer)
    elif node.op == "call_function" and node.target is F.max_pool2d:
        given = arguments(node, _POOLING)
    else:
        return None
    edge, stride, padding = (
        value if isinstance(value, int) else value[0] if len(set(value)) == 1 else None
        for value in (given["kernel_size"], given.get("stride") or given["kernel_size"], given.get("padding", 0))
    )
    plain = given.get("dilation", 1) in (1, (1, 1)) and not given.get("return_indices", False)
    if not plain or edge is None or stride is None or padding is None:
        return None
    assert isinstance(node.args[0], fx.Node)
    before, after = node.args[0].meta["shape"][2:], node.meta["shape"][2:]
    if any((pooled - 1) * stride >= length for pooled, length in zip(after, before, strict=True)):
        return None  # a square at the end has no pixel at its middle
    return MaxPooling(edge, stride, padding, (after[0], after[1]), _is_positive(node.args[0], layers))


def _is_positive(node: object, layers: Mapping[str, nn.Module]) -> bool:
    """Return whether what a node stands for is known to have no value below zero."""
    if not isinstance(node, fx.Node):
        return False
    if isinstance(layer := layer_of(node, layers), FusedConvolution):
        return layer.unary in _POSITIVE
    if node.op == "call_function" and node.target is torch.cat and isinstance(node.args[0], list | tuple):
        return all(_is_positive(part, layers) for part in node.args[0])
    return _activation(node, layers) in _POSITIVE
