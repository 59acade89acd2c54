"""Genome files as a source of a gallery page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...encodings.banks import split_genome_path
from ...encodings.genome_file import CHECKSUM, OWN_TARGET, GenomeFile, checksum, evolved_for
from ...errors import GenomeError
from ...io.png import png
from ...io.slug import slug
from ...store.records import plain_fault
from ...targets.members import joined
from .commands import changed_genome, render_command, score_command
from .sources import Source, Tile

MAX_PIXELS = 2**22
"""Largest number of pixels, as the network saw them, of a CPPN that a page draws."""

MAX_WORK = 2**30
"""Largest product of those pixels and of the genome's nodes and connections."""


def read_genome_source(name: str, genomes: Sequence[tuple[Path, GenomeFile]]) -> Source:
    """Render CPPN genomes, and collect what their files say of them.

    Args:
        name: What the page calls them.
        genomes: Genomes with their files; at least one.

    Raises:
        GenomeError: A genome can't be shown, or they are of different shapes or colours.
    """
    tiles: list[Tile] = []
    frame = genome_frame(genomes[0][1])
    for file, genome in genomes:
        if genome_frame(genome) != frame:
            raise GenomeError(
                f"{file} is not rendered as the genomes before it ({genome_frame(genome)}); show them on pages of "
                "their own"
            )
        tiles.append(_tile(file, genome))
    targets = sorted({joined(evolved_for(genome.provenance) or "a network") for _, genome in genomes})
    shape = genomes[0][1].image_shape
    target, sums = ", ".join(targets), {str(genome.provenance.get("weights_sha256") or "") for _, genome in genomes}
    network = f"{target} ({sums.pop()[:8]})" if len(targets) == len(sums) == 1 and all(sums) else ""
    return Source(name, target, "cppn", tiles, shape, network=network, frame=frame)


def genome_json(genome: GenomeFile, file: Path) -> dict[str, Any]:
    """Return the JSON of a genome's file, for a page; a genome out of a sealed file of many has a check sum of its own.

    Raises:
        GenomeError: A script can't hold it.
    """
    if fault := plain_fault(genome.content):
        raise GenomeError(f"{file} can't be shown: {fault}")
    if genome.sealed and CHECKSUM not in genome.content:
        return genome.content | {CHECKSUM: checksum(genome.content)}
    return genome.content


def genome_frame(genome: GenomeFile) -> dict[str, Any]:
    """Return how a genome becomes a picture."""
    return {"shape": list(genome.image_shape), "xy": genome.coordinates, "colour": genome.colour}


def _tile(file: Path, genome: GenomeFile) -> Tile:
    provenance, pixels = genome.provenance, genome.image_shape[1] * genome.image_shape[2]
    size = genome.genomes.activation.size + genome.genomes.source.size
    if pixels > MAX_PIXELS or pixels * size > MAX_WORK:
        raise GenomeError(
            f"{file} has {size:,} nodes and connections for {genome.image_shape[2]} × {genome.image_shape[1]} pixels; "
            f"a page draws {MAX_PIXELS:,} pixels, and at most {MAX_WORK:,} pixels times nodes and connections"
        )
    index, generation = provenance.get("index"), provenance.get("generation")
    named, own = {"target": evolved_for(provenance)}, provenance.get(OWN_TARGET) is True
    which = split_genome_path(file)[1]
    name = str(provenance.get("class", which or file.stem))
    stem = file.stem if file.suffix == ".json" else "_".join(filter(None, (which, slug(name))))

    def score(scored: Path) -> str:
        return score_command(scored, named, own=own)

    return Tile(
        name=name,
        score=genome.score,
        picture=png(genome.encoding.decode(genome.genomes)[0].numpy()),
        index=index if isinstance(index, int) else None,
        generation=generation if isinstance(generation, int) else None,
        size=int(genome.genomes.sizes()[0]),
        genome=genome_json(genome, file),
        stem=stem,
        commands=[render_command(file, stem), score(file)],
        changed=changed_genome(name, score),
    )
