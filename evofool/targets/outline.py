"""What is known of a target before it is built, so that wrong options are refused without importing torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..config.model import ModelOptions
from ..config.records import MAX_EDGE
from . import registry
from .checks import check_weights_file
from .doors import checkpoint, embedded, torchvision, torchvision_names
from .execution.options import check_device, check_precision
from .members import class_orders, common_shape, weights_by_name


class Outline(NamedTuple):
    """The outline of a target."""

    classes: tuple[str, ...]
    """The class names."""
    image_shape: tuple[int, int, int]
    """(C, H, W) of its images; the largest that can be where only building it tells the size."""


def outline_of(name: str | Sequence[str]) -> Outline | None:
    """Return the outline of a named target, or None where only building it tells.

    Args:
        name: Its name; of several targets that are fooled together, the names.

    Raises:
        TargetError: No target has that name, its file is missing, or a package that it needs; or several don't fit each
            other.
    """
    if not isinstance(name, str):
        return _outline_together({one: outline_of(one) for one in name})
    if name in embedded.names():
        card = embedded.card(name)
        return Outline(card.classes, card.image_shape)
    registry.check_name(name)
    if checkpoint.split(name)[0] is not None or not name.startswith(torchvision.PREFIX):
        return None
    classes = torchvision_names.class_names()
    return Outline(classes, (3, MAX_EDGE, MAX_EDGE)) if classes else None


def _outline_together(outlines: dict[str, Outline | None]) -> Outline | None:
    """Return the outline of several targets, None where that of one isn't known."""
    known = {name: outline for name, outline in outlines.items() if outline is not None}
    if known:
        class_orders({name: outline.classes for name, outline in known.items()})
    exact = {name: outline.image_shape for name, outline in known.items() if outline.image_shape[1] < MAX_EDGE}
    if exact:
        common_shape(exact)
    return next(iter(known.values())) if len(known) == len(outlines) else None


def check_named(
    name: str | Sequence[str],
    *,
    weights: str | Sequence[str] | None = None,
    device: str = "auto",
    precision: str | None = None,
    model: ModelOptions | None = None,
) -> Outline | None:
    """Check what is asked of a named target, or of several, as far as that needs no torch.

    Returns:
        The target's outline, or None where only building it tells.

    Raises:
        TargetError: No target has that name.
        WeightsError: The weights file is missing.
        ConfigError: There is no such device or precision, or an option can't be given with several targets.
    """
    if not isinstance(name, str):
        registry.check_alone(name, model)
    outline = outline_of(name)
    check_device(device)
    if precision is not None:
        check_precision(precision)
    files = [] if weights is None else [Path(weights)] if isinstance(weights, str) else [*map(Path, weights)]
    for file in files if isinstance(name, str) else weights_by_name(name, weights).values():
        check_weights_file(file)
    return outline
