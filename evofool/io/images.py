"""Conversion between image files and the 8-bit arrays that targets see."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ImageError, in_words
from .depth import check_colours, eight_bit_grey, has_sixteen_bits, is_deep, strips
from .nearby import nearby

MAX_PIXELS = 100_000_000
"""Most pixels of a picture; a larger one is refused undecoded. Decoding one of this size takes less than 1 GiB."""

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM")
"""Formats that are read, whatever a file's suffix. Pillow knows more, and runs an interpreter for PostScript."""

STRANGE_FORMATS = {
    (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1"): "HEIC",
    (b"ftypavif", b"ftypavis"): "AVIF",
    (b"JXL \r\n\x87\n", b"\xff\x0a"): "JPEG XL",
    (b"II*\0", b"MM\0*"): "a TIFF of a rare kind, such as colours in floating point",
    (b"8BPS",): "a Photoshop file",
    (b"%PDF",): "PDF",
}
"""Formats that are known by their first bytes and not read; in some, four bytes of a length come before."""

_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}


def open_image(path: Path) -> Image.Image:
    """Read an image file as 8-bit grey or RGB, rotated as its EXIF data says and on white where transparent.

    Raises:
        ImageError: The file is missing or damaged, is in none of the ``FORMATS``, or has more than ``MAX_PIXELS``.
    """
    with _opened(path) as image:
        sixteen = has_sixteen_bits(image)
        with _silent_libtiff(image):
            ImageOps.exif_transpose(image, in_place=True)
            return _eight_bit(path, image, sixteen=sixteen)


def check_image(path: Path) -> None:
    """Refuse what :func:`open_image` would refuse before it decodes anything.

    Raises:
        ImageError: The file is missing, is in none of the ``FORMATS``, or has more than ``MAX_PIXELS``.
    """
    with _opened(path):
        pass


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image file, undecoded; whatever fails inside the block becomes an ImageError."""
    try:
        if not (stat.S_ISREG(mode := os.stat(path).st_mode) or stat.S_ISDIR(mode)):
            raise ImageError(f"{path} is no plain file")  # A pipe or a device might never end.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of damage that it can read past.
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    size = f"{image.width} × {image.height}"
                    raise ImageError(f"{path} has {size} pixels; at most {MAX_PIXELS:,} are read")
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{path} is {_strange_format(path)}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path} is too large: {error}") from error
    except Exception as error:  # Decoders raise almost anything on damaged files.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else in_words(error)
        near = nearby(path) if isinstance(error, FileNotFoundError) else ""
        raise ImageError(f"cannot read image {path}: {reason}{near}") from error


def fit(image: Image.Image, shape: tuple[int, int, int], resize: int, interpolation: str = "bilinear") -> np.ndarray:
    """Resize and crop an image to the size that a target takes.

    An image of that size is taken pixel by pixel. Any other is resized so that its shorter side is ``resize`` pixels
    long, and its centre is cropped, as torchvision's ``Resize`` and ``CenterCrop`` do it, within 2 levels of 255.

    Args:
        image: Any picture.
        shape: (C, H, W) of the result; one channel is grey.
        resize: Length of the shorter side in pixels, at least H and W.
        interpolation: ``bilinear``, ``bicubic`` or ``nearest``.

    Returns:
        (C, H, W) uint8.
    """
    channels, height, width = shape
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        # The image is cropped to this box while it is resized, so that no picture, however long, is ever enlarged as
        # a whole.
        box = centre_box(image.size, (width, height), resize)
        image = image.resize((width, height), _FILTERS[interpolation], box=box)
    pixels = np.asarray(image, np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def centre_box(size: tuple[int, int], wanted: tuple[int, int], resize: int) -> tuple[float, float, float, float]:
    """Return the part of an image that :func:`fit` takes, in pixels of the image: left, top, right, bottom.

    Args:
        size: Width and height of the image.
        wanted: Width and height of the result.
        resize: Length of the image's shorter side when it was resized, in pixels.
    """
    if size == wanted:
        return 0, 0, *size
    (left, right), (top, bottom) = (
        _centre_span(length, edge, int(resize * length / min(size))) for length, edge in zip(size, wanted, strict=True)
    )
    return left, top, right, bottom


def _centre_span(length: int, wanted: int, resized: int) -> tuple[float, float]:
    """Return where the centre begins and ends on an axis of ``length`` pixels that is resized to ``resized``."""
    start = max(0, round((resized - wanted) / 2))
    return start * length / resized, min(length, (start + wanted) * length / resized)


def to_image(pixels: np.ndarray) -> Image.Image:
    """Return a (C, H, W) uint8 array as a grey or RGB image."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def data_uri(content: bytes) -> str:
    """Return a PNG file as a URI for the ``src`` of an ``<img>``."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


@contextmanager
def _silent_libtiff(image: Any) -> Iterator[None]:
    """Keep libtiff from writing about damage to standard error, which it does past Python's own."""
    if not any(tile[0] == "libtiff" for tile in image.tile):
        yield
        return
    with _STANDARD_ERROR, open(os.devnull, "wb") as null:
        try:
            saved = os.dup(2)
        except OSError:  # It was closed.
            yield
            return
        try:
            os.dup2(null.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


_STANDARD_ERROR = threading.Lock()
"""Held while standard error leads nowhere, so that no other thread takes that for its end."""


def _strange_format(path: Path) -> str:
    """Return what a file is that Pillow can't identify, from its first bytes, and what to do."""
    head = b""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        head = file.read(12)
    for marks, name in STRANGE_FORMATS.items():
        if head.startswith(marks) or head[4:].startswith(marks):
            return f"{name}, which is not read; convert it to PNG or JPEG"
    return f"not an image of a known format: {', '.join(FORMATS)}"


def _eight_bit(path: Path, image: Image.Image, *, sixteen: bool) -> Image.Image:
    """Convert an image of any mode to 8-bit grey or RGB.

    Args:
        path: Its file, for messages.
        image: The image.
        sixteen: Whether its file has 16 bits a value.
    """
    try:
        if is_deep(image):
            return eight_bit_grey(image, sixteen=sixteen)
        if sixteen:
            check_colours(image)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    if "A" in image.getbands() or "transparency" in image.info:
        colours = Image.new("RGB", image.size)
        for top, part in strips(image):
            part = part.convert("RGBA")
            colours.paste(Image.alpha_composite(Image.new("RGBA", part.size, "white"), part).convert("RGB"), (0, top))
        return colours
    if image.mode in ("L", "RGB"):
        return image.copy()
    return image.convert("L" if image.mode == "1" else "RGB")


logging.getLogger("PIL").addHandler(logging.NullHandler())  # Without a handler its messages go to standard error.
