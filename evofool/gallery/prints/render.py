"""One genome or picture as a PNG file of any size, or the genome as text."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...config.arguments import path_of
from ...encodings.genome_file import GenomeFile, dumps
from ...encodings.genome_lines import single_genome
from ...errors import ConfigError, RunError
from ...io.files import write_atomically
from ...io.images import open_image
from ...io.png import Pixels, png

MAX_EDGE = 32_768
"""Longest side of a rendered picture, in pixels."""

PIXELS_PER_BAND = 2**22
"""Pixels of a genome that are rendered at once; this bounds the memory that rendering takes."""


def render_genome(path: str | Path, size: str, out: str | Path, *, band: int = PIXELS_PER_BAND) -> tuple[int, int]:
    """Render a CPPN genome, or scale a picture with hard edges, into a PNG file.

    Args:
        path: A genome file, an entry of a bank such as ``imagenet-cppn#volcano``, or any image.
        size: ``"1024"`` for the shorter side, or ``"1600x900"`` (width × height), in pixels.
        out: The PNG file. With the ending ``.json`` it is the genome itself, as text to read and to change.
        band: Pixels of a genome that are rendered at once.

    Returns:
        Width and height of the picture, in pixels; of a genome's text those that it was evolved for.

    Raises:
        ConfigError: The size or the file's ending won't do, or the path names no single genome.
        GenomeError, ImageError: The genome or picture is missing or damaged.
        RunError: The file can't be written.
    """
    path, out = path_of(path, "genome"), path_of(out, "out")
    if out.suffix.lower() not in (".png", ".json"):
        raise ConfigError(f"`out` must name a .png file, or a .json file for the genome itself, got {out}")
    genome = single_genome(path)
    content: bytes | str
    if out.suffix.lower() == ".json":
        content, (_, height, width) = _text(path, genome)
    else:
        pixels = _rendered(genome, size, band) if genome else _scaled(path, size)
        content, (_, height, width) = png(pixels), pixels.shape
    try:
        write_atomically(out, content)
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror or error}; choose another `out`") from error
    return width, height


def _text(path: Path, genome: GenomeFile | None) -> tuple[str, tuple[int, int, int]]:
    """Return a genome's file as it was written, and the shape (C, H, W) that it was evolved for."""
    if genome is None:
        raise ConfigError(f"{path} is a picture and has no genome to write; name a .png file with `out`")
    if not genome.sealed:
        raise ConfigError(f"the genome in {path} was changed, and a new check sum would hide that; copy the file")
    return dumps(genome.content), genome.image_shape


def _rendered(genome: GenomeFile, size: str, band: int) -> Pixels:
    """Return a genome's picture (C, H, W), rendered band by band."""
    height, width = _parse_size(size, genome.encoding.image_shape[1:])
    decode = genome.encoding.decode_rows(genome.genomes, (height, width))
    pixels = np.empty((genome.image_shape[0], height, width), np.uint8)
    rows = max(1, band // width)
    for top in range(0, height, rows):
        pixels[:, top : top + rows] = decode(top, min(height, top + rows))[0].numpy()
    return pixels


def _scaled(file: Path, size: str) -> Pixels:
    """Return an image (C, H, W) at another size."""
    image = open_image(file)
    height, width = _parse_size(size, (image.height, image.width))
    array = np.asarray(image.resize((width, height), 0))
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _parse_size(size: str, native: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width that ``size`` means for a picture of ``native`` height and width."""
    match = re.fullmatch(r"([0-9]{1,12})(?:[x×]([0-9]{1,12}))?", size.strip())
    if not match:
        raise ConfigError(f'`size` must be a number of pixels or WIDTHxHEIGHT, got "{size}"')
    if match[2]:
        height, width = int(match[2]), int(match[1])
    else:
        scale = int(match[1]) / min(native)
        height, width = round(native[0] * scale), round(native[1] * scale)
    if not (1 <= height <= MAX_EDGE and 1 <= width <= MAX_EDGE):
        raise ConfigError(f"`size` must be 1 to {MAX_EDGE} pixels a side, got {width}x{height}")
    return height, width
