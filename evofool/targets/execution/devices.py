"""Which device and which precision a target runs in, and how its forward passes are run."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from ...errors import ConfigError

FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
"""memory formats of images and weights, by name"""


@dataclass(frozen=True)
class Execution:
    """How forward passes are run. Speed depends on it, and the last digits of scores."""

    precision: str
    """``float32`` or ``bfloat16``"""
    memory_format: str
    """a name in ``FORMATS``"""
    micro_batch: int
    """rows of one forward pass, at most"""
    fold: bool = False
    """whether batch normalisations are part of the layers before them"""


def choose_device(wanted: str) -> torch.device:
    """The torch device for ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        ConfigError: the name is none of these, or the machine has no such device.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", wanted):
        raise ConfigError(f'unknown device "{wanted}"; expected auto, cpu, cuda, cuda:0 … or mps')
    device = torch.device(wanted)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("this machine has no CUDA device that torch can use; use --device cpu or --device auto")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"{wanted} is not there: torch sees {torch.cuda.device_count()} CUDA devices")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("this machine has no MPS device that torch can use; use --device cpu or --device auto")
    return device


def choose_precision(wanted: str, device: torch.device) -> str:
    """``float32`` or ``bfloat16``; ``auto`` is bfloat16 where the hardware multiplies it natively.

    Raises:
        ConfigError: the name is none of ``auto``, ``float32``, ``bfloat16``.
    """
    if wanted not in ("auto", "float32", "bfloat16"):
        raise ConfigError(f'unknown precision "{wanted}"; expected auto, float32 or bfloat16')
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    native = device.type == "cpu" and getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return "bfloat16" if native else "float32"


def choose_format(wanted: str) -> str:
    """``channels_last`` or ``contiguous``; ``auto`` is channels_last, which most convolutions run fastest in.

    Raises:
        ConfigError: the name is none of ``auto``, ``channels_last``, ``contiguous``.
    """
    if wanted not in ("auto", *FORMATS):
        raise ConfigError(f'unknown memory format "{wanted}"; expected auto, {" or ".join(FORMATS)}')
    return "channels_last" if wanted == "auto" else wanted
