"""Targets by name. Each name belongs to a door, which builds the target."""

from __future__ import annotations

from pathlib import Path

from ..errors import TargetError, suggestion
from .cards import Card
from .doors import embedded, torchvision
from .doors.base import Door, Loaded
from .execution.options import ExecutionOptions
from .protocols import Target

DOORS: tuple[Door, ...] = (torchvision, embedded)
"""All doors. Names belong to the first whose prefix they have; plain names are last."""


def card(name: str) -> Card:
    """Return the model card of a target.

    Raises:
        TargetError: No target has that name.
    """
    door, short = _find(name)
    return door.card(short)


def load(
    name: str,
    *,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    micro_batch: int | None = None,
    memory_format: str = "auto",
    fold: bool | None = None,
) -> Loaded:
    """Build a target by name, with its card and where its weights came from; see :func:`load_target`."""
    import torch

    door, short = _find(name)
    options = ExecutionOptions(device, precision, micro_batch, memory_format, fold)
    with torch.random.fork_rng(devices=[]):  # networks draw their first weights from the global generator
        return door.load(short, Path(weights) if weights is not None else None, options)


def load_target(
    name: str = "cifar10",
    *,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    micro_batch: int | None = None,
) -> Target:
    """Build a target by name.

    Args:
        name: ``cifar10``, ``mnist``, ``digits``, ``cifar10:resnet32`` …, or ``torchvision:NAME``.
        weights: A ``.safetensors`` file or torch checkpoint instead of the embedded or downloaded weights.
        device, precision, micro_batch: As in :class:`evofool.Target`.

    Raises:
        ConfigError: There is no such device or precision.
        TargetError: No target has that name, or its weights can't be had.
        WeightsError: The weights file is damaged, unsafe, or of another network.

    Example:
        >>> import evofool
        >>> target = evofool.load_target("digits", device="cpu")
        >>> target.image_shape
        (1, 8, 8)
    """
    return load(name, weights=weights, device=device, precision=precision, micro_batch=micro_batch).target


def _find(name: str) -> tuple[Door, str]:
    """Return the door of a name, and the name without its prefix.

    Raises:
        TargetError: No target has that name.
    """
    prefixed = [door for door in DOORS if door.PREFIX]
    for door in prefixed:
        if name.startswith(door.PREFIX):
            return door, name.removeprefix(door.PREFIX)
    plain = embedded.names()
    if name in plain:
        return embedded, name
    hint = suggestion(name, plain)
    for door in prefixed:
        if not hint and name in door.names():
            hint = f' (did you mean "{door.PREFIX}{name}"?)'
    others = ", ".join(f"{door.PREFIX}NAME" for door in prefixed)
    raise TargetError(
        f'unknown target "{name}"{hint}; choose {", ".join(embedded.CARDS)} or {others} (see: evofool targets)'
    )
