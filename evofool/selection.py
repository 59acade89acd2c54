"""Which classes a user means, and which genomes a run starts from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .banks import ENDING, banks, place_of
from .encodings import genome_file, genome_lines
from .encodings.base import Rows
from .encodings.cppn import CPPN
from .encodings.direct import Direct, DirectBatch
from .errors import ConfigError, GenomeError, suggestion
from .images import fit, open_image

_PICTURES = (".png", ".jpg", ".jpeg")


def choose_classes(
    wanted: str | int | Iterable[str | int] | None, classes: Sequence[str], *, option: str = "--classes"
) -> Rows:
    """(M,) sorted class indices for names and indices, as ``"cat,dog,8"`` or a list; None means all.

    Upper and lower case are the same; a name that several classes share means all of them.

    Raises:
        ConfigError: a name or index is none of the target's, or nothing was named.
    """
    if wanted is None:
        return np.arange(len(classes), dtype=np.int64)
    if isinstance(wanted, int):
        wanted = [wanted]
    words = wanted.split(",") if isinstance(wanted, str) else [str(word) for word in wanted]
    known: dict[str, list[int]] = {}
    for index, name in enumerate(classes):
        known.setdefault(name.lower(), []).append(index)
    found: set[int] = set()
    for word in (word.strip() for word in words):
        if not word:
            continue
        if word.lower() in known:
            found.update(known[word.lower()])
        elif re.fullmatch(r"-?[0-9]{1,18}", word):
            if not 0 <= int(word) < len(classes):
                raise ConfigError(f"class {word} is not there: indices go from 0 to {len(classes) - 1}")
            found.add(int(word))
        else:
            few = f"; the classes are {', '.join(classes)}" if len(classes) <= 20 else ""
            raise ConfigError(f'no class is called "{word}"{suggestion(word, classes)}{few}')
    if not found:
        raise ConfigError(f"{option} names no class; give names or indices, as in {option} cat,dog,8")
    return np.array(sorted(found), np.int64)


def initial_genomes(path: str | Path, encoding: Any) -> Any:
    """The genomes under ``path`` as one batch of this encoding.

    Args:
        path: a genome file, a folder of them, a run, or a genome bank that ships with evofool. CPPNs are read from
            ``.json`` and ``.jsonl`` files, direct genomes from pictures.
        encoding: that the run uses.

    Raises:
        GenomeError: nothing is there, or a genome does not fit the encoding.
    """
    place = place_of(path)
    if place is None:
        known = ", ".join(banks())
        raise GenomeError(
            f"nothing at --init {path}{suggestion(Path(path).name, banks())}; "
            f"give a run, a genome file, a folder of genomes or a bank ({known})"
        )
    if (place / "elites").is_dir():
        place = place / "elites"
    if isinstance(encoding, CPPN):
        if place.suffix.lower() in _PICTURES:
            raise GenomeError(f"{place} is a picture, and pictures start direct runs; add --encoding direct")
        if found := genome_lines.genomes_at(place):
            return _cppns(found, encoding)
        raise GenomeError(f"--init {path} holds no CPPN genomes (.json, .jsonl), which encoding cppn starts from")
    if place.suffix == ENDING or genome_lines.is_genome(place):
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
