"""The axes of an input, from the shape that a model file declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import TargetError
from .reading import LAYOUTS


@dataclass(frozen=True)
class InputShape:
    """The axes of an input of images.

    Attributes:
        layout: One of :data:`~.reading.LAYOUTS`.
        batch: How many images it takes at once; None for any number.
        channels: Channels of an image; None where the model takes any number.
        size: (height, width); None where the model takes any size.
    """

    layout: str
    batch: int | None
    channels: int | None
    size: tuple[int, int] | None


def input_shape(what: str, shape: Sequence[object], layout: str | None = None) -> InputShape:
    """Return the axes of a declared shape.

    Args:
        what: What has the shape, for messages.
        shape: Three or four sizes; what is no whole number above 0 is free.
        layout: The order of the axes, where the user gave it. Otherwise the axis of length 1 or 3 is the channels'.

    Raises:
        TargetError: No axis can be that of the channels, or the layout doesn't fit.
    """
    sizes = [size if isinstance(size, int) and size > 0 else None for size in shape]
    shown = "(" + ", ".join("free" if size is None else str(size) for size in sizes) + ")"
    if len(sizes) == 3:
        if layout not in (None, "NHW"):
            raise TargetError(f"{what} has three axes, {shown}; `layout` can only be NHW")
        return InputShape("NHW", sizes[0], 1, _size(sizes[1], sizes[2]))
    if layout is None:
        first, last = sizes[1] in (1, 3), sizes[3] in (1, 3)
        if not first and not last and None not in (sizes[1], sizes[3]):
            raise TargetError(f"{what} is {shown}; evofool makes images of 1 channel (grey) or 3 (RGB)")
        layout = "NHWC" if last and not first else "NCHW"
    if layout not in LAYOUTS or layout == "NHW":
        raise TargetError(f"{what} has four axes, {shown}; `layout` can be NCHW or NHWC")
    channels, *size = [sizes[layout.index(axis)] for axis in "CHW"]
    if channels not in (None, 1, 3):
        raise TargetError(f"{what} is {shown}, which has {channels} channels as {layout}; expected 1 (grey) or 3 (RGB)")
    return InputShape(layout, sizes[0], channels, _size(*size))


def _size(height: int | None, width: int | None) -> tuple[int, int] | None:
    return (height, width) if height and width else None
