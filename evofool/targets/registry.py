"""Targets by name. Each name belongs to a door, which builds the target."""

from __future__ import annotations

from pathlib import Path

from ..config.evolve import EvolveOptions
from ..errors import ConfigError, TargetError, suggestion
from .cards import Card
from .doors import embedded, torchvision
from .doors.base import Door, Loaded
from .execution.options import ExecutionOptions
from .protocols import Target

DOORS: tuple[Door, ...] = (embedded, torchvision)
"""All doors. A name belongs to the door whose prefix it has, else to one without a prefix that knows it."""


def prefixed_doors() -> list[Door]:
    """Return the doors whose targets' names have a prefix."""
    return [door for door in DOORS if door.PREFIX]


def plain_cards() -> dict[str, Card]:
    """Return the model cards of all targets without a prefix, by name. Aliases are left out."""
    cards = [door.card(name) for door in DOORS if not door.PREFIX for name in door.names()]
    return {card.name: card for card in cards}


def check_name(name: str) -> None:
    """Check that a target may have this name; a door may still know no such one.

    Raises:
        TargetError: No door has it.
    """
    _find(name)


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
    """Build a target by name, with its card and where its weights came from; see :func:`load_target`.

    Raises:
        ConfigError: The target can't be run so, or takes no weights file.
    """
    import torch

    from .execution.requests import check_requests

    door, short = _find(name)
    options = ExecutionOptions(device, precision, micro_batch, memory_format, fold)
    with torch.random.fork_rng(devices=[]):  # networks draw their first weights from the global generator
        loaded = door.load(short, Path(weights) if weights is not None else None, options)
    if weights is not None and not loaded.user_weights:
        raise ConfigError(f"target {name} takes no weights file; leave `weights` out")
    check_requests(loaded.target, options)
    return loaded


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
        name: A name that ``evofool targets`` lists, such as ``cifar10`` or ``torchvision:resnet50``.
        weights: A ``.safetensors`` file or torch checkpoint instead of the embedded or downloaded weights.
        device, precision, micro_batch: As in :class:`evofool.Target`.

    Raises:
        ConfigError: There is no such device or precision, or the target can't be run so.
        TargetError: No target has that name, or its weights can't be had.
        WeightsError: The weights file is damaged, unsafe, or of another network.

    Example:
        >>> import evofool
        >>> target = evofool.load_target("digits", device="cpu")
        >>> target.image_shape
        (1, 8, 8)
    """
    given = {"weights": weights, "device": device, "precision": precision, "micro_batch": micro_batch}
    options = EvolveOptions.of({"target": name, **given})
    return load(options.target, **{option: getattr(options, option) for option in given}).target


def _find(name: str) -> tuple[Door, str]:
    """Return the door of a name, and the name without its prefix.

    Raises:
        TargetError: No target has that name.
    """
    prefixed, plain = prefixed_doors(), {name: door for door in DOORS if not door.PREFIX for name in door.names()}
    for door in prefixed:
        if name.startswith(door.PREFIX):
            return door, name.removeprefix(door.PREFIX)
    if name in plain:
        return plain[name], name
    hint = suggestion(name, plain)
    for door in prefixed:
        if not hint and name in door.names():
            hint = f' (did you mean "{door.PREFIX}{name}"?)'
    others = ", ".join(f"{door.PREFIX}NAME" for door in prefixed)
    raise TargetError(
        f'unknown target "{name}"{hint}; choose {", ".join(plain_cards())} or {others} (see: evofool targets)'
    )
