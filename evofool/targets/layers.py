"""The embedded networks as plain lists of layers, for whoever computes them without torch: a page in a browser does.

Fully connected layers are convolutions that see all of their input, and batch normalisations are folded into the
convolutions before them, as in :mod:`.execution.folding`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from .doors.embedded import card, embedded_weights

NORMALISATION_EPSILON = 1e-5
"""What torch's batch normalisation adds to the variance."""

Tensors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Convolution:
    """A convolution of (I, H, W) activations, which may end in more than that.

    Attributes:
        weight: (O, I, h, w) float32.
        bias: (O,) float32.
        stride: Pixels from one place to the next.
        padding: Pixels of zeros around its input.
        shortcut: Whether the input of the layer before is added to its output. Where that is larger, every second pixel
            of it is, with as many channels of zeros on either side as are missing.
        relu: Whether values below 0 then become 0.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int = 1
    padding: int = 0
    shortcut: bool = False
    relu: bool = False


@dataclass(frozen=True)
class MaxPool:
    """The largest of every 2 × 2 values."""


@dataclass(frozen=True)
class Mean:
    """The mean of every channel."""


Layer = Convolution | MaxPool | Mean


def layers(name: str) -> list[Layer]:
    """Return the layers of an embedded network, which end in its logits.

    Args:
        name: A name in :data:`NETWORKS`.
    """
    return NETWORKS[name](load_file(embedded_weights(card(name).weights)))


def _lenet(tensors: Tensors) -> list[Layer]:
    return [
        _convolution(tensors, "conv1"),
        MaxPool(),
        _convolution(tensors, "conv2"),
        MaxPool(),
        _connected(tensors, "ip1", (50, 4, 4), relu=True),
        _connected(tensors, "ip2", (500, 1, 1)),
    ]


def _logistic(tensors: Tensors) -> list[Layer]:
    return [_connected(tensors, "linear", (1, 28, 28))]


def _digits(tensors: Tensors) -> list[Layer]:
    return [
        _convolution(tensors, "conv1", padding=1, relu=True),
        _convolution(tensors, "conv2", padding=1, relu=True),
        MaxPool(),
        _connected(tensors, "fc1", (32, 4, 4), relu=True),
        _connected(tensors, "fc2", (64, 1, 1)),
    ]


def _cifar_resnet(tensors: Tensors) -> list[Layer]:
    found: list[Layer] = [_normalised(tensors, "conv1", "bn1", relu=True)]
    for stage in (1, 2, 3):
        block = 0
        while f"layer{stage}.{block}.conv1.weight" in tensors:
            prefix, stride = f"layer{stage}.{block}.", 2 if stage > 1 and block == 0 else 1
            found += [
                _normalised(tensors, f"{prefix}conv1", f"{prefix}bn1", stride=stride, relu=True),
                _normalised(tensors, f"{prefix}conv2", f"{prefix}bn2", shortcut=True, relu=True),
            ]
            block += 1
    return [*found, Mean(), _connected(tensors, "linear", (64, 1, 1))]


NETWORKS: dict[str, Callable[[Tensors], list[Layer]]] = {
    "cifar10": _cifar_resnet,
    "mnist": _lenet,
    "mnist:logistic": _logistic,
    "digits": _digits,
}
"""What lists the layers of a network, by the name of its target."""


def _convolution(tensors: Tensors, name: str, *, padding: int = 0, relu: bool = False) -> Convolution:
    return Convolution(tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=padding, relu=relu)


def _connected(tensors: Tensors, name: str, shape: tuple[int, int, int], *, relu: bool = False) -> Convolution:
    """Return a fully connected layer whose input has this shape (C, H, W)."""
    weight = tensors[f"{name}.weight"]
    return Convolution(weight.reshape(len(weight), *shape), tensors[f"{name}.bias"], relu=relu)


def _normalised(
    tensors: Tensors, name: str, norm: str, *, stride: int = 1, shortcut: bool = False, relu: bool = False
) -> Convolution:
    """Return a 3 × 3 convolution with the batch normalisation after it."""
    mean, variance, scale, shift = (
        tensors[f"{norm}.{part}"].astype(np.float64) for part in ("running_mean", "running_var", "weight", "bias")
    )
    factor = scale / np.sqrt(variance + NORMALISATION_EPSILON)
    weight = tensors[f"{name}.weight"] * factor[:, None, None, None]
    bias = shift - mean * factor
    return Convolution(weight.astype(np.float32), bias.astype(np.float32), stride, 1, shortcut, relu)
