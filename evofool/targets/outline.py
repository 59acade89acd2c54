"""What is known of a target before it is built, so that wrong options are refused without importing torch."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..config.records import MAX_EDGE
from . import registry
from .checks import check_weights_file
from .doors import embedded, torchvision, torchvision_names
from .execution.options import check_device, check_precision


class Outline(NamedTuple):
    """The outline of a target."""

    classes: tuple[str, ...]
    """The class names."""
    image_shape: tuple[int, int, int]
    """(C, H, W) of its images; the largest that can be where only building it tells the size."""


def outline_of(name: str) -> Outline | None:
    """Return the outline of a named target, or None where only building it tells.

    Raises:
        TargetError: No target has that name, its file is missing, or a package that it needs.
    """
    if name in embedded.names():
        card = embedded.card(name)
        return Outline(card.classes, card.image_shape)
    registry.check_name(name)
    if not name.startswith(torchvision.PREFIX):
        return None
    classes = torchvision_names.class_names()
    return Outline(classes, (3, MAX_EDGE, MAX_EDGE)) if classes else None


def check_named(
    name: str, *, weights: str | None = None, device: str = "auto", precision: str | None = None
) -> Outline | None:
    """Check what is asked of a named target, as far as that needs no torch.

    Returns:
        The target's outline, or None where only building it tells.

    Raises:
        TargetError: No target has that name.
        WeightsError: The weights file is missing.
        ConfigError: There is no such device or precision.
    """
    outline = outline_of(name)
    check_device(device)
    if precision is not None:
        check_precision(precision)
    if weights is not None:
        check_weights_file(Path(weights))
    return outline
