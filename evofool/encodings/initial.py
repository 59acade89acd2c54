"""The genomes that a run starts from, read as one batch of the run's encoding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from ..errors import GenomeError
from ..io.images import fit, open_image
from .banks import MANY_SUFFIX, genomes_under
from .cppn.batch import CPPNBatch
from .cppn.encoding import CPPN
from .cppn.settings import PRESETS
from .direct.batch import DirectBatch
from .direct.encoding import Direct
from .genome_file import GenomeFile
from .genome_lines import check_drawing, names_one_genome, read_genomes

_PICTURES = (".png", ".jpg", ".jpeg")


def initial_genomes(path: str | Path, encoding: Any) -> Any:
    """Return the genomes under ``path`` as one batch of the encoding.

    Args:
        path: A genome file, a folder of them, a run, or a genome bank that ships with evofool. CPPNs are read from
            ``.json`` and ``.jsonl`` files, direct genomes from pictures.
        encoding: The run's encoding.

    Raises:
        GenomeError: Nothing is there, or a genome does not fit the encoding.
    """
    source = genomes_under(path)
    if isinstance(encoding, CPPN):
        if source.suffix.lower() in _PICTURES:
            raise GenomeError(f"{source} is a picture, and pictures start direct runs; add `encoding=direct`")
        if genomes := read_genomes(source):
            return _cppns(genomes, encoding)
        raise GenomeError(f"`init={path}` holds no CPPN genomes (.json, .jsonl), which encoding cppn starts from")
    if source.suffix == MANY_SUFFIX or names_one_genome(source):
        raise GenomeError(f"`init={path}` holds CPPN genomes, and these start cppn runs; leave `encoding=direct` out")
    files = sorted(file for end in _PICTURES for file in source.glob(f"*{end}")) if source.is_dir() else [source]
    if not files:
        raise GenomeError(f"`init={path}` holds no pictures (.png), which encoding direct starts from")
    return _pictures(files, encoding)


def cppn_for(path: str | Path, image_shape: tuple[int, int, int], device: torch.device | str) -> CPPN:
    """Return the encoding, with default settings else, whose coordinates and colours the genomes under a path have.

    Args:
        path: As for :func:`initial_genomes`; all genomes should be alike.
        image_shape: (C, H, W) of the images to render.
        device: Where they are rendered.

    Raises:
        GenomeError: No CPPN is there.
    """
    genomes = read_genomes(genomes_under(path))
    if not genomes:
        raise GenomeError(f"`init={path}` holds no CPPN genomes (.json, .jsonl)")
    first = genomes[0][1]
    colour = {} if first.colour == "grey" else {"colour": first.colour}
    settings = msgspec.structs.replace(PRESETS["default"], coordinates=first.coordinates, **colour)
    return CPPN(image_shape, device, settings)


def _cppns(genomes: Sequence[tuple[Path, GenomeFile]], encoding: CPPN) -> CPPNBatch:
    check_drawing(genomes, encoding.colour, encoding.coordinates)
    batches = [_resized(genome.genomes, file, encoding) for file, genome in genomes]
    batch = batches[0].take(np.zeros(len(batches), np.int64))
    for row, genome_batch in enumerate(batches):
        batch.put(np.array([row]), genome_batch)
    return batch


def _resized(genome: CPPNBatch, file: Path, encoding: CPPN) -> CPPNBatch:
    """Return a batch of one genome with the run's number of slots."""
    try:
        return encoding.resized(genome)
    except GenomeError as error:
        raise GenomeError(f"{file}: {error}") from error


def _pictures(files: Sequence[Path], encoding: Direct) -> DirectBatch:
    shape = encoding.image_shape
    genes = np.stack([fit(open_image(file), shape, min(shape[1:])) for file in files])
    return DirectBatch(torch.from_numpy(genes).to(encoding.device))
