"""What a module must return, and what is said of anything else."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...errors import ConfigError, TargetError
from ..checks import LOOSENESS

KINDS = ("logits", "probabilities")
"""What a module may return."""


def check_kind(name: str, kind: object) -> None:
    """Check a user's choice of what the module returns.

    Raises:
        ConfigError: There is no such kind.
    """
    if kind not in KINDS:
        raise ConfigError(f"{name}: `outputs` must be {' or '.join(KINDS)}, got {kind!r:.60}")


def output_error(name: str, output: Any, rows: int, classes: int, device: torch.device) -> TargetError:
    """Return the error for an output that is not (rows, classes) real numbers in a plain tensor on the device."""
    if not isinstance(output, Tensor) or output.shape != (rows, classes):
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        return TargetError(
            f"target {name} must return ({rows}, {classes}) for {rows} images and {classes} classes, got {got}"
        )
    if output.device != device:
        return TargetError(
            f"target {name} was given images on {device} and returned scores on {output.device}; "
            "leave them where they are"
        )
    return TargetError(f"target {name} must return real numbers in a plain tensor, got {output.dtype}")


def check_logits(name: str, logits: Tensor, precision: str) -> None:
    """Refuse logits that are probabilities already: a second softmax would flatten them.

    Raises:
        TargetError: They are.
    """
    varied = logits.shape[1] > 1 and float((logits - logits.round()).abs().max()) > 0
    looseness = LOOSENESS if precision == "bfloat16" else 1e-5
    if varied and float(logits.min()) >= 0 and float((logits.sum(1) - 1).abs().max()) < looseness:
        raise TargetError(
            f"target {name} returns probabilities where logits were announced; "
            "say `outputs=probabilities`, or take its softmax out"
        )
