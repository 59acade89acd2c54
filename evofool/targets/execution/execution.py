"""The chosen settings of forward passes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import ConfigError
from .devices import choose_precision
from .options import ExecutionOptions

FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
"""Memory formats of images and weights, by name."""

_VALUES_PER_PASS = {"cpu": 2**20, "cuda": 2**26, "mps": 2**24}
"""Default number of input values of a forward pass, by device. So many keep a small network's activations in the caches
of a CPU, or fill a GPU. Only speed depends on it."""

_ROWS_PER_PASS = {"cpu": (16, 256), "cuda": (64, 4096), "mps": (32, 1024)}
"""Smallest and largest default micro-batch, by device."""


@dataclass(frozen=True)
class Execution:
    """How forward passes are run. Their speed depends on it, and the last digits of scores.

    Attributes:
        precision: ``float32`` or ``bfloat16``.
        memory_format: A name in ``FORMATS``.
        micro_batch: Rows of one forward pass, at most.
        fold: Whether layers are joined, as :mod:`.joining` does.
        parallel: Whether passes on a CPU run side by side, each on one thread, instead of one after another on all.
    """

    precision: str
    memory_format: str
    micro_batch: int
    fold: bool = False
    parallel: bool = False


def choose_format(name: str) -> str:
    """Return ``channels_last`` or ``contiguous``; ``auto`` is channels_last, which most convolutions run fastest in.

    Raises:
        ConfigError: There is no such memory format.
    """
    if name not in ("auto", *FORMATS):
        raise ConfigError(f'unknown memory format "{name}"; `memory_format` must be auto, {" or ".join(FORMATS)}')
    return "channels_last" if name == "auto" else name


def default_execution(options: ExecutionOptions, device: torch.device, image_shape: tuple[int, int, int]) -> Execution:
    """Return what the options ask for, with usual choices for what they leave open.

    Raises:
        ConfigError: There is no such precision or memory format.
    """
    return Execution(
        choose_precision(options.precision, device),
        choose_format(options.memory_format),
        _default_micro_batch(device, image_shape) if options.micro_batch is None else options.micro_batch,
        bool(options.fold),
        bool(options.parallel),
    )


def _default_micro_batch(device: torch.device, image_shape: tuple[int, int, int]) -> int:
    kind = device.type if device.type in _ROWS_PER_PASS else "cpu"
    channels, height, width = image_shape
    least, most = _ROWS_PER_PASS[kind]
    return max(least, min(most, _VALUES_PER_PASS[kind] // (channels * height * width)))
