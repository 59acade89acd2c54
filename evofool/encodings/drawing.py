"""CPPNs drawn as images of any shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import GenomeError
from ..io.images import fit, to_image

if TYPE_CHECKING:
    from .cppn.batch import CPPNBatch
    from .cppn.encoding import CPPN

MAX_DRAWN = 2**24
"""Most pixels of a genome's picture that are drawn to crop an image from."""


def drawn_at(encoding: CPPN, genomes: CPPNBatch, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return the pictures of genomes at a shape (C, H, W); of another proportion, their centres.

    Args:
        encoding: What draws them.
        genomes: N of them.
        shape: (C, H, W); colours become grey where C is 1.

    Returns:
        (N, C, H, W).

    Raises:
        GenomeError: The whole picture would be too large.
    """
    height, width = shape[1:]
    native = encoding.image_shape[1:]
    scale = max(height / native[0], width / native[1])
    size = max(height, round(native[0] * scale)), max(width, round(native[1] * scale))
    if size[0] * size[1] > MAX_DRAWN:
        raise GenomeError(
            f"a genome of {native[1]} × {native[0]} pixels would be drawn at {size[1]} × {size[0]} for a target of "
            f"{width} × {height}; at most {MAX_DRAWN:,} pixels are drawn"
        )
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    pictures: NDArray[np.uint8] = encoding.decode_at(genomes, size).numpy()[
        :, :, top : top + height, left : left + width
    ]
    if pictures.shape[1] == shape[0]:
        return pictures
    return np.stack([fit(to_image(picture), shape, min(height, width)) for picture in pictures])
