"""Compares how a target runs its forward passes with how it was asked to."""

from __future__ import annotations

from dataclasses import replace

from ...errors import ConfigError
from ..protocols import Target, precision_of, rows_of
from ..torch_target import TorchTarget
from .devices import choose_device, device_for
from .execution import Execution
from .options import ExecutionOptions


def execution_of(target: Target) -> Execution:
    """Return how a target runs its forward passes, as far as it says so."""
    if isinstance(target, TorchTarget):
        return target.execution
    members = [part.execution for part in getattr(target, "members", ()) if isinstance(part, TorchTarget)]
    if members:
        first = min(members, key=lambda execution: execution.micro_batch)
        return replace(first, precision=precision_of(target), fold=any(execution.fold for execution in members))
    return Execution(precision_of(target), "contiguous", rows_of(target), fold=False)


def check_requests(target: Target, options: ExecutionOptions) -> None:
    """Check that a target runs its forward passes as it was asked to. A torch module may keep its layers apart.

    Raises:
        ConfigError: It runs them in another way, or there is no such device.
    """
    name, execution, device = target.name, execution_of(target), device_for(target)
    if options.device != "auto":
        asked = choose_device(options.device)
        if asked.type != device.type or asked.index not in (None, device.index):
            raise _refusal(name, "device", options.device, device)
    for field in ("precision", "memory_format"):
        if getattr(options, field) not in ("auto", getattr(execution, field)):
            raise _refusal(name, field, getattr(options, field), getattr(execution, field))
    if options.micro_batch not in (None, execution.micro_batch):
        raise _refusal(name, "micro_batch", options.micro_batch, execution.micro_batch)
    for field in ("fold", "parallel"):
        if getattr(options, field) and not isinstance(target, TorchTarget):
            raise _refusal(name, field, True, False)


def _refusal(name: str, option: str, asked: object, actual: object) -> ConfigError:
    return ConfigError(f"target {name} can't run with `{option}={asked}`, only with {actual}; leave `{option}` out")
