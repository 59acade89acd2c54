"""Pictures of more than eight bits as 8-bit ones: scaled where their values say how, else refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ImageError

STRIP_PIXELS = 2**22
"""Pixels that are converted at once, which bounds the memory that a conversion takes."""

FULL = 65_535
"""White in 16 bits."""

NEARLY_BLACK = 4096
"""16-bit values that all are below this would be nearly black, and are taken for ones of 8 to 12 bits in 16."""


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture is grey with more than eight bits."""
    return image.mode.startswith("I") or image.mode == "F"


def has_sixteen_bits(image: Any) -> bool:
    """Return whether a file's values have 16 bits each. It is known until the picture is decoded."""
    if image.format not in ("PNG", "TIFF") or not image.tile:
        return False
    arguments = image.tile[0][3]
    mode = arguments[0] if isinstance(arguments, tuple) else arguments
    return isinstance(mode, str) and ";16" in mode


def eight_bit_grey(image: Image.Image, *, sixteen: bool) -> Image.Image:
    """Convert a deep grey picture to 8 bits.

    White is 65,535 in 16 bits and 1 in floating point. Whole numbers of 32 bits and floating-point numbers up to 255
    or 65,535 are taken as ones of 8 or 16 bits.

    Args:
        image: The picture.
        sixteen: Whether its file has 16 bits a value.

    Raises:
        ImageError: The values say not clearly what is white.
    """
    low, high = np.inf, -np.inf
    for _, part in strips(image):
        values = np.asarray(part, np.float64)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    white = _white(image.mode, low, high, sixteen=sixteen)
    grey = Image.new("L", image.size)
    for top, part in strips(image):
        values = np.rint(np.asarray(part, np.float64) * (255 / white))
        grey.paste(Image.fromarray(values.astype(np.uint8)), (0, top))
    return grey


def check_colours(image: Image.Image) -> None:
    """Refuse a picture whose 16-bit colours were nearly black before they became 8-bit ones.

    Raises:
        ImageError: It is one.
    """
    extrema: Any = image.getextrema()
    colours = [band for band, name in zip(extrema, image.getbands(), strict=True) if name != "A"]
    high = max(int(band[1]) for band in colours) if isinstance(extrema[0], tuple) else int(extrema[1])
    if 0 < high < NEARLY_BLACK // 256:
        raise _too_dark(f"{256 * high + 255:,}")


def strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield a picture in strips, each with the number of its first row; a copy of the whole would need much memory."""
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def _white(mode: str, low: float, high: float, *, sixteen: bool) -> float:
    """Return the value that is white."""
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError("some of its values are no numbers; expected 0 to 1, 255 or 65,535")
    if low < 0 or high > FULL:
        raise ImageError(f"its values go from {low:,.6g} to {high:,.6g}; expected 0 to 1, 255 or 65,535")
    if mode == "F" and high <= 1:
        return 1
    if not sixteen and high <= 255:
        return 255
    if 0 < high < NEARLY_BLACK:
        raise _too_dark(f"{high:,.6g}")
    return FULL


def _too_dark(high: str) -> ImageError:
    return ImageError(
        f"its 16-bit values end at {high}, as those of 8 to 12 bits in 16 do, and would be nearly black; scale them so "
        "that 65,535 is white"
    )
