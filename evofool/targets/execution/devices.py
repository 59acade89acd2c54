"""Devices and precisions by name."""

from __future__ import annotations

import torch

from ...errors import ConfigError, TargetError
from ..protocols import Target, device_of
from .options import check_device, check_precision


def choose_device(name: str) -> torch.device:
    """Return the torch device for ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        ConfigError: The name is none of these, or the machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    check_device(name)
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("this machine has no CUDA device that torch can use; use `device=cpu` or `device=auto`")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"{name} is not there: torch sees {torch.cuda.device_count()} CUDA devices")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("this machine has no MPS device that torch can use; use `device=cpu` or `device=auto`")
    return device


def device_for(target: Target) -> torch.device:
    """Return the torch device that a target takes its images on.

    Raises:
        TargetError: This machine has none of that name.
    """
    name = device_of(target)
    try:
        return choose_device("" if name == "auto" else name)
    except ConfigError as error:
        raise TargetError(
            f"target {target.name} takes its images on device {name!r:.60}, which torch doesn't have here; "
            "set its `device` to one such as cpu"
        ) from error


def choose_precision(name: str, device: torch.device) -> str:
    """Return ``float32`` or ``bfloat16``; ``auto`` is bfloat16 where the hardware multiplies it natively.

    Raises:
        ConfigError: The name is none of ``auto``, ``float32``, ``bfloat16``.
    """
    check_precision(name)
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    native = device.type == "cpu" and getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return "bfloat16" if native else "float32"
