"""Genomes that a run starts from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import GenomeError, suggestion
from ..io.images import fit, open_image
from . import genome_file, genome_lines
from .banks import MANY_SUFFIX, bank_names, find_genomes
from .cppn.encoding import CPPN
from .direct.encoding import Direct, DirectBatch

_PICTURES = (".png", ".jpg", ".jpeg")


def initial_genomes(path: str | Path, encoding: Any) -> Any:
    """The genomes under ``path`` as one batch of this encoding.

    Args:
        path: a genome file, a folder of them, a run, or a genome bank that ships with evofool. CPPNs are read from
            ``.json`` and ``.jsonl`` files, direct genomes from pictures.
        encoding: that the run uses.

    Raises:
        GenomeError: nothing is there, or a genome does not fit the encoding.
    """
    place = find_genomes(path)
    if place is None:
        known = ", ".join(bank_names())
        raise GenomeError(
            f"nothing at --init {path}{suggestion(Path(path).name, bank_names())}; "
            f"give a run, a genome file, a folder of genomes or a bank ({known})"
        )
    if (place / "elites").is_dir():
        place = place / "elites"
    if isinstance(encoding, CPPN):
        if place.suffix.lower() in _PICTURES:
            raise GenomeError(f"{place} is a picture, and pictures start direct runs; add --encoding direct")
        if found := genome_lines.read_genomes(place):
            return _cppns(found, encoding)
        raise GenomeError(f"--init {path} holds no CPPN genomes (.json, .jsonl), which encoding cppn starts from")
    if place.suffix == MANY_SUFFIX or genome_lines.names_one_genome(place):
        raise GenomeError(f"--init {path} holds CPPN genomes, and these start cppn runs; leave --encoding direct out")
    files = sorted(file for end in _PICTURES for file in place.glob(f"*{end}")) if place.is_dir() else [place]
    if not files:
        raise GenomeError(f"--init {path} holds no pictures (.png), which encoding direct starts from")
    return _pictures(files, encoding)


def _cppns(genomes: Sequence[tuple[Path, genome_file.GenomeFile]], encoding: CPPN) -> Any:
    coordinates = encoding.settings()["coordinates"]
    batch = None
    for row, (file, genome) in enumerate(genomes):
        theirs = genome.encoding
        for what, ours, found in (
            ("colour", encoding.colour, theirs.colour),
            ("coordinates", coordinates, theirs.settings()["coordinates"]),
        ):
            if ours != found:
                fix = "choose a grey target" if found == "grey" else "choose a target or --preset that fits"
                raise GenomeError(f"{file} has {what} {found}, this run uses {ours}; {fix}")
        resized = encoding.resized(genome.genomes)
        if batch is None:
            batch = resized.take(np.zeros(len(genomes), np.int64))
        batch.put(np.array([row]), resized)
    return batch


def _pictures(files: Sequence[Path], encoding: Direct) -> DirectBatch:
    shape = encoding.image_shape
    genes = np.stack([fit(open_image(file), shape, min(shape[1:])) for file in files])
    return DirectBatch(torch.from_numpy(genes).to(encoding.device))
