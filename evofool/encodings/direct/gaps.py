"""Drawing which genes mutate, when few do: a Bernoulli process drawn by its gaps, not gene by gene."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...rng import Rng

_DEVIATIONS, _SPARE = 5.0, 8
"""Standard deviations and gaps that are drawn beyond the expected number of gaps.

The probability that they end early, and leave out the last genes of a child, is below 10⁻⁶.
"""


def bernoulli_places(rates: NDArray[np.float64], length: int, rng: Rng) -> Tensor:
    """Draw places of N rows, each independently with its row's rate.

    The gaps between drawn places are geometric (Devroye 1986, chapter X.2, by inversion), so that random numbers are
    needed for these places only. Their number depends on the rates alone, so that nothing waits for the device.

    Args:
        rates: (N,) in (0, 1].
        length: The number of places of a row.
        rng: What draws.

    Returns:
        (H,) int64 places in the flattened rows, on the generator's device. They are distinct, but for N · length, which
        stands for no place.
    """
    expected = length * rates
    needed = expected + _DEVIATIONS * np.sqrt(expected * (1 - rates)) + _SPARE
    count = min(length, int(np.ceil(needed.max())))
    with np.errstate(divide="ignore"):
        scale = np.maximum(1 / np.log1p(-np.maximum(rates, 1e-30)), -1e30)  # −0 where every place is drawn.
    gaps = torch.rand((len(rates), count), device=rng.device, generator=rng.tensors).neg_().log1p_()
    gaps.mul_(torch.from_numpy(scale.astype(np.float32)).to(rng.device)[:, None]).clamp_(max=length)
    reached = gaps.to(torch.int64).add_(1).cumsum_(1)
    before = torch.arange(len(rates), device=rng.device)[:, None] * length - 1
    return torch.where(reached <= length, reached + before, len(rates) * length).flatten()
