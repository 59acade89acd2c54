"""The public functions that show pictures in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..config.arguments import path_of, plain
from ..errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from ..gallery.pages.pictures import Pictures
    from ..gallery.prints.genome import Genome


def show(images: Any, captions: Sequence[Any] = (), *, edge: int = 96) -> Pictures:
    """Return pictures as an object that a notebook shows side by side, enlarged with hard edges.

    Args:
        images: (N, C, H, W) or (C, H, W) uint8 with 1 or 3 channels, as an array or a tensor: ``result.images``, say.
        captions: What is said of each, or nothing.
        edge: Largest width and height at which they are shown, in pixels.

    Raises:
        ConfigError: They are no pictures, or there are not as many captions.

    Example:
        >>> import evofool, numpy
        >>> evofool.show(numpy.zeros((3, 1, 8, 8), numpy.uint8), ["a", "b", "c"])
        3 pictures (1, 8, 8); a notebook shows them
    """
    from ..gallery.pages.pictures import Pictures

    pixels, words = plain(edge), plain(captions)
    if isinstance(pixels, bool) or not isinstance(pixels, int) or not 1 <= pixels <= 2000:
        raise ConfigError(f"`edge` must be a whole number from 1 to 2000, got {edge!r:.60}")
    if not isinstance(words, list):
        raise ConfigError(f"`captions` must be a list of texts, got {captions!r:.60}")
    return Pictures.of(images, words, pixels)


def load_genome(path: str | Path) -> Genome:
    """Return a CPPN genome, which draws its picture at any size and whose weights can be turned.

    Args:
        path: A genome's file, or one of many: ``cifar10-cppn#cat`` of a bank, ``runs/mine#cat`` of a run.

    Raises:
        ConfigError: The path names several genomes, or a picture.
        GenomeError: The genome is missing or damaged.

    Example:
        >>> import evofool
        >>> genome = evofool.load_genome("mnist-cppn#7")
        >>> genome.picture(280).shape
        (1, 280, 280)
        >>> print(genome.with_weight(0, 1.5).confidence)
        None
    """
    from ..encodings.genome_lines import single_genome
    from ..gallery.prints.genome import Genome

    file = path_of(path, "path")
    genome = single_genome(file)
    if genome is None:
        raise ConfigError(
            f"{file} is no CPPN genome; give a .json file, or one of a bank or a run, as cifar10-cppn#cat"
        )
    return Genome(genome)
