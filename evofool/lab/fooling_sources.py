"""Images that were evolved for one of several networks already: runs, banks, files and folders of genomes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..config.fooling import ENCODINGS, FoolingOptions
from ..config.records import TargetRecord
from ..encodings.banks import genome_path_exists
from ..encodings.drawing import drawn_at
from ..encodings.genome_file import evolved_for
from ..errors import ConfigError, GenomeError, RunError
from ..io.images import fit, open_image
from ..jobs.scoring import job_of
from ..store.experiment import ExperimentFolder
from ..targets.members import joined
from .elites import find_candidates

T = TypeVar("T", bound=FoolingOptions)

CPPN, DIRECT = ENCODINGS
"""The encoding of genomes in files, and that of pictures, which are their own genomes."""


class Network(NamedTuple):
    """One of the networks, as images tell of it."""

    record: TargetRecord
    classes: Sequence[str]
    """Its class names."""


class Taken(NamedTuple):
    """Images that were evolved for networks."""

    kind: str
    """Their encoding."""
    images: NDArray[np.uint8]
    """(N, C, H, W)."""
    makers: list[int]
    """Which network each was evolved for."""
    wanted: list[int]
    """Which of that network's classes it was evolved for."""

    @property
    def sha256(self) -> str:
        """A digest of all of it."""
        told = f"{self.kind}{self.images.shape}{self.makers}{self.wanted}".encode()
        return hashlib.sha256(told + np.ascontiguousarray(self.images).tobytes()).hexdigest()


def settled(options: T, networks: Sequence[Network], shape: tuple[int, int, int]) -> T:
    """Return options whose sources can be found from elsewhere, with digests of the images that are there now."""
    digests = tuple(taken(source, networks, shape).sha256 for source in options.sources)
    where = tuple(str(Path(each).absolute()) if genome_path_exists(each) else each for each in options.sources)
    return msgspec.structs.replace(options, images=where, images_sha256=digests)


def taken_again(folder: ExperimentFolder, networks: Sequence[Network], number: int) -> Taken:
    """Return the images of a source, which an experiment began with.

    Raises:
        RunError: They are others by now.
    """
    options: FoolingOptions = folder.config.options
    source = taken(options.sources[number], networks, folder.config.target.image_shape)
    if source.sha256 != (options.images_sha256 or ())[number]:
        raise RunError(
            f"{options.sources[number]} has other images than {folder.path} began with; bring those back, or start a "
            "new experiment"
        )
    return source


def taken(source: str, networks: Sequence[Network], shape: tuple[int, int, int]) -> Taken:
    """Return the images of a source.

    Args:
        source: A run's folder, a bank's name, or a file or folder of genomes; see
            :func:`~evofool.lab.elites.find_candidates`.
        networks: The networks that images may have been evolved for.
        shape: (C, H, W) of their images.

    Raises:
        ConfigError: Nothing is there, or it was evolved for another network.
        GenomeError, RunError: A genome or a run is damaged.
    """
    images, makers, wanted, kinds = [], [], [], set()
    for path, name, number, genome in find_candidates([Path(source)]):
        if genome is not None:
            told, kind = genome.provenance, CPPN
            maker = _maker(path, joined(evolved_for(told) or ""), told.get("weights_sha256"), networks)
            picture = drawn_at(genome.encoding, genome.genomes, shape)[0]
        else:
            job = job_of([path.parent])
            target, kind = job[1].target if job else None, DIRECT
            maker = _maker(path, target.name if target else "", target and target.weights_sha256, networks)
            picture = fit(open_image(path), shape, min(shape[1:]))
        images.append(picture)
        makers.append(maker)
        wanted.append(_class(path, networks[maker], number, name))
        kinds.add(kind)
    if len(kinds) != 1:
        raise ConfigError(f"`images={source}` holds genomes and pictures; give them one by one")
    return Taken(kinds.pop(), np.stack(images), makers, wanted)


def _maker(path: Path, name: str, sha256: object, networks: Sequence[Network]) -> int:
    """Return which network images were evolved for: that of the same weights."""
    for index, network in enumerate(networks):
        if sha256 is not None and sha256 == network.record.weights_sha256:
            return index
    known = joined([network.record.name for network in networks])
    raise ConfigError(
        f"{path} was evolved for {name or 'no network that it names'}, with other weights than {known} have; "
        "give that network as a `target` too"
    )


def _class(path: Path, network: Network, index: object, name: object) -> int:
    """Return the class that an image was evolved for."""
    if not isinstance(index, int) or not 0 <= index < len(network.classes) or network.classes[index] != name:
        raise GenomeError(f"{path} names the class {name!r:.40} ({index!r:.20}), which {network.record.name} hasn't")
    return index
