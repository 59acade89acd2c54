"""Activation functions and colour mappings of CPPNs in torch. All are bounded, so that no graph overflows.

``kernels/rendering.py`` has the same as compiled loops; tests/encodings/test_render.py holds both to one reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ...kernels.constants import EXP_CUTOFF
from .batch import ACTIVATION_NAMES

_SMALLEST_BELL = math.exp(-EXP_CUTOFF) * (1 + 2e-6)
"""A threshold between exp(−``EXP_CUTOFF``), however it is rounded, and exp of minus the float32 below that."""

_MINUS_ONE = torch.tensor(-1.0)  # A tensor without dimensions works with tensors on any device.


def _sin(v: Tensor, out: Tensor) -> None:
    torch.sin(v, out=out)


def _sigmoid(v: Tensor, out: Tensor) -> None:
    # This goes through exp, since torch's own sigmoid rounds differently in the middle of a tensor and at its end.
    # Beyond 87, exp would be too small for a normal float32, or too large for any.
    torch.add(_MINUS_ONE, v.clamp_(-87.0, 87.0).neg_().exp_().add_(1.0).reciprocal_(), alpha=2.0, out=out)


def _gauss(v: Tensor, out: Tensor) -> None:
    torch.exp(v.square_().neg_(), out=out)
    torch.threshold_(out, _SMALLEST_BELL, 0.0)


def _linear(v: Tensor, out: Tensor) -> None:
    torch.div(v.clamp_(-3.0, 3.0), 3.0, out=out)


def _cos(v: Tensor, out: Tensor) -> None:
    torch.cos(v, out=out)


def _wedge(v: Tensor, out: Tensor) -> None:
    torch.sub(v.abs_().clamp_(max=3.0).div_(1.5), 1.0, out=out)


ACTIVATIONS: dict[str, Callable[[Tensor, Tensor], None]] = dict(
    zip(ACTIVATION_NAMES, (_sin, _sigmoid, _gauss, _linear, _cos, _wedge), strict=True)
)
"""The activations by name.

Each overwrites its first argument and fills its second with values in [−1, 1]. Both are contiguous float32 and may be
the same tensor.

- ``sin``: sin p
- ``sigmoid``: 2(σ(p) − 0.5)
- ``gauss``: exp(−p²), and 0 where p² ≥ ``EXP_CUTOFF``
- ``linear``: clamp(p, ±3) / 3
- ``cos``: cos p
- ``wedge``: |clamp(p, ±3)| / 1.5 − 1

The first four are the original's (Nguyen, Yosinski, Clune 2015).
"""


def grey(v: Tensor) -> Tensor:
    """Turn (N, 1, P) outputs in [−1, 1] into brightness |v|."""
    return v.abs()


def hsl(v: Tensor) -> Tensor:
    """Turn (N, 3, P) outputs in [−1, 1] into RGB in [0, 1], taking |v| as hue, saturation and lightness.

    The original's outputs are in the order hue, lightness, saturation.
    """
    h, s, lightness = v.abs().unbind(1)
    chroma = torch.addcmul(s, (lightness * 2 - 1).abs(), s, value=-1)
    # Red is |turn − 3| − 1, full at the ends of the wheel. Green is 2 − |turn − 2| and blue 2 − |turn − 4|. Each is
    # clamped to [0, 1], lowered by ½, multiplied by chroma and added to lightness.
    turn, colours = h * 6, []
    for middle, sign in ((3, 1), (2, -1), (4, -1)):
        wheel = ((turn - middle).abs() - 1.5).clamp(-0.5, 0.5)
        colours.append(torch.addcmul(lightness, wheel, chroma, value=sign))
    return torch.stack(colours, 1)


def rgb(v: Tensor) -> Tensor:
    """Turn (N, 3, P) outputs in [−1, 1] into RGB in [0, 1] as (v + 1) / 2."""
    return (v + 1) * 0.5


COLOURS: dict[str, Callable[[Tensor], Tensor]] = {"grey": grey, "hsl": hsl, "rgb": rgb}
"""The colour mappings by name. Gradients go through them."""


def to_bytes(values: Tensor, out: Tensor) -> None:
    """Write values in [0, 1], or a rounding error above, as the nearest bytes into ``out``; ``values`` changes."""
    out.copy_(values.mul_(255).add_(0.5))
