"""Activation functions and colour mappings of CPPNs. All are bounded, so that no graph overflows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .cppn_batch import NAMES


def _sigmoid(v: Tensor) -> Tensor:
    # Through exp: torch's own sigmoid rounds differently in the middle of a tensor and at its end.
    return v.neg_().exp_().add_(1.0).reciprocal_().mul_(2.0).sub_(1.0)


def _gauss(v: Tensor) -> Tensor:
    return v.square_().neg_().exp_()


def _linear(v: Tensor) -> Tensor:
    return v.clamp_(-3.0, 3.0).div_(3.0)


def _wedge(v: Tensor) -> Tensor:
    return v.abs_().clamp_(max=3.0).div_(1.5).sub_(1.0)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = dict(
    zip(NAMES, (torch.sin_, _sigmoid, _gauss, _linear, torch.cos_, _wedge), strict=True)
)
"""Each works in place on contiguous float32 and keeps values in [−1, 1]: ``sin`` sin p; ``sigmoid``
2(σ(p) − 0.5); ``gauss`` exp(−p²); ``linear`` clamp(p, ±3) / 3 (these four are the original's); ``cos``
cos p; ``wedge`` |clamp(p, ±3)| / 1.5 − 1."""


def grey(v: Tensor) -> Tensor:
    """(N, 1, P) outputs in [−1, 1] -> (N, 1, P) brightness |v|."""
    return v.abs()


def hsl(v: Tensor) -> Tensor:
    """(N, 3, P) outputs in [−1, 1] -> (N, 3, P) RGB in [0, 1], with |v| as hue, saturation, lightness.

    The order of the original's outputs is hue, lightness, saturation; ours is the name's.
    """
    h, s, lightness = v.abs().unbind(1)
    chroma = lightness.mul(2).sub_(1).abs_().neg_().add_(1).mul_(s)
    turn, colours = h * 6, torch.empty_like(v)
    for channel, offset in zip(colours.unbind(1), (0, 4, 2), strict=True):
        # The distance to the middle of the wheel, ((turn + offset) mod 6) − 3, without the slow modulo: to the digit
        # the same, as subtracting 6 or 9 from what lies between 6 and 12 is exact.
        at = turn + offset
        wheel = torch.sub(at, 3, out=channel).abs_()
        if offset:
            torch.minimum(wheel, at.sub_(9).abs_(), out=channel)
        channel.sub_(1).clamp_(0, 1).sub_(0.5).mul_(chroma).add_(lightness)
    return colours


def rgb(v: Tensor) -> Tensor:
    """(N, 3, P) outputs in [−1, 1] -> (N, 3, P) RGB in [0, 1], (v + 1) / 2."""
    return (v + 1) * 0.5


COLOURS: dict[str, Callable[[Tensor], Tensor]] = {"grey": grey, "hsl": hsl, "rgb": rgb}


def to_bytes(values: Tensor) -> Tensor:
    """[0, 1] -> uint8 0…255, rounded to the nearest; overwrites what it is given."""
    return values.clamp_(0, 1).mul_(255).add_(0.5).to(torch.uint8)
