"""The pictures of a poster: elites of runs and genomes in files, read at any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from ...config.classes import choose_classes
from ...encodings.banks import bank_names, find_genomes
from ...encodings.genome_file import GenomeFile
from ...encodings.genome_lines import names_one_genome, read_genome, read_genomes
from ...errors import RunError
from ...io.images import open_image, to_image
from ...io.nearby import nearby
from ...io.png import Pixels
from ...store.folder import CONFIG
from ...store.run import RunFolder

MAX_SMOOTHED_HEIGHT = 1024
"""Largest native height of a CPPN that is rendered whole and scaled down where its tile is smaller."""

RowReader = Callable[[int, int], Pixels]
"""A function from ``start`` and ``stop`` to those rows of a picture, (stop − start, W, 3) uint8."""


@dataclass(frozen=True)
class Picture:
    """One picture of a poster.

    Attributes:
        file: A CPPN genome, or an image.
        name: The name of its class.
        score: Its confidence; None where it isn't scored.
        index: The index of its class.
        target: The name of the network that it fools.
    """

    file: Path
    name: str
    score: float | None
    index: int
    target: str

    @property
    def is_genome(self) -> bool:
        """Whether it is a CPPN genome, which is sharp at any size."""
        return names_one_genome(self.file)

    @cached_property
    def native(self) -> tuple[int, int]:
        """Height and width that the network saw, in pixels."""
        if self.is_genome:
            return read_genome(self.file).image_shape[1:]
        image = open_image(self.file)
        return image.height, image.width

    def at(self, size: tuple[int, int]) -> RowReader:
        """Return a reader of the picture at (H, W): a CPPN is rendered anew, an image gets hard pixel edges."""
        if self.is_genome:
            genome = read_genome(self.file)
            if not size[0] < self.native[0] <= MAX_SMOOTHED_HEIGHT:
                decode = genome.encoding.decode_rows(genome.genomes, size)
                return lambda start, stop: _rgb(decode(start, stop)[0].numpy())
            image = to_image(genome.encoding.decode(genome.genomes)[0].numpy()).convert("RGB")
        else:
            image = open_image(self.file).convert("RGB")
        if size[0] < image.height:
            image = image.resize((size[1], size[0]), Image.Resampling.LANCZOS)
        pixels = np.asarray(image)
        columns = np.arange(size[1]) * image.width // size[1]
        return lambda start, stop: pixels[np.arange(start, stop) * image.height // size[0]][:, columns]


def pictures_of(path: Path, classes: str | None = None) -> list[Picture]:
    """Return the pictures of a run, a folder of genomes, a genome file or a bank; the surest first, then by class.

    Args:
        path: Where they are.
        classes: Names or indices of the classes to show, as ``"cat,dog,8"``; None for all.

    Raises:
        ConfigError: None of the pictures is of a class that is named.
        RunError: None of these is there, or the run has no elites yet or is damaged.
        GenomeError: A genome is damaged.
    """
    if (path / CONFIG).exists():
        pictures = _elites(path)
    else:
        genomes = find_genomes(path)
        if genomes is None:
            raise RunError(
                f"nothing at {path}{nearby(path, bank_names())}: give a run, a genome file, "
                f"a folder of genomes or a bank ({', '.join(bank_names())})"
            )
        pictures = [_genome(file, genome, at) for at, (file, genome) in enumerate(read_genomes(genomes))]
        if not pictures:
            raise RunError(f"{path} holds neither a run ({CONFIG}) nor genomes (.json, .jsonl)")
    if classes is not None:
        chosen = set(choose_classes(classes, {picture.index: picture.name for picture in pictures}).tolist())
        pictures = [picture for picture in pictures if picture.index in chosen]
    return sorted(pictures, key=lambda picture: (-1.0 if picture.score is None else -picture.score, picture.index))


def _elites(path: Path) -> list[Picture]:
    """Return the pictures of a run."""
    run = RunFolder.open(path)
    lines = run.elites()
    if not lines:
        raise RunError(f"{path} has no elites yet; let it run for a generation: evofool resume {path}")
    return [
        Picture(
            file=run.path / line["genome"] if run.genome(line) else run.picture(line),
            name=line["class"],
            score=line["score"],
            index=line["index"],
            target=run.config.target.name,
        )
        for line in lines
    ]


def _genome(file: Path, genome: GenomeFile, number: int) -> Picture:
    """Return the picture of a genome, with what its file says of its class; ``number`` stands in for the index."""
    index = genome.provenance.get("index")
    return Picture(
        file=file,
        name=str(genome.provenance.get("class", file.stem)),
        score=genome.score,
        index=index if isinstance(index, int) else number,
        target=str(genome.provenance.get("target", "a network")),
    )


def _rgb(pixels: Pixels) -> Pixels:
    """Return (C, h, W) grey or RGB pixels as (h, W, 3)."""
    return np.ascontiguousarray(np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0))
