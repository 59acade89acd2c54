"""An experiment that takes evolved images apart, as a source of a gallery page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...attacks.subject import Subject
from ...config.elites import AblateOptions, OccludeOptions
from ...encodings.genome_file import GenomeFile
from ...errors import RunError
from ...io.images import data_uri
from ...io.png import png
from ...io.slug import slug
from ...store.experiment import ExperimentFolder, Result
from ...store.records import AblateResult, OccludeResult
from ...text import percent
from .commands import changed_genome, render_command, score_command, target_options
from .genome_source import genome_frame, genome_json
from .sources import Source, Tile

PAIRS = 24
"""Pairs of nodes that a page names: those without which least of the confidence stays."""


def read_elites(path: Path) -> Source:
    """Read the images of an experiment, with what stays of their confidence without parts of them.

    Raises:
        RunError: The experiment is another one, has no results yet, or is damaged.
    """
    folder = ExperimentFolder.open(path)
    config, options = folder.config, folder.config.options
    if not isinstance(options, OccludeOptions | AblateOptions):
        raise RunError(f"{path} is the experiment {config.experiment}, which has a page of its own; expected a run")
    covering = options if isinstance(options, OccludeOptions) else None
    kind = OccludeResult if covering else AblateResult
    found = {part: results for part, results in folder.results(kind) if results}
    if not found:
        raise RunError(f"{path} has no results yet; go on with: evofool resume {path}")
    shape, tiles, frame = config.target.image_shape, list[Tile](), None
    for part, results in found.items():
        subject = folder.subjects[part]
        genome = folder.genome(subject)
        if genome and genome.image_shape == shape:
            frame = frame or genome_frame(genome)
        drawn = genome if genome and genome_frame(genome) == frame else None
        parts = _covered(covering, results[0], shape) if covering else _removed(folder, part, results)
        tiles.append(_tile(folder, subject, drawn, results[0]["confidence"], parts))
    target = config.target.name
    return Source(
        name=path.absolute().name,
        target=target,
        encoding="cppn" if frame else "direct",
        tiles=tiles,
        shape=shape,
        network=config.target.label,
        frame=frame,
        title=f"What {target} needs to be sure",
        lead="Each picture, opened, shows how much of its confidence stays without parts of it.",
        links=[(path / "report.html", "All figures")],
    )


def _tile(
    folder: ExperimentFolder, subject: Subject, genome: GenomeFile | None, score: float, parts: dict[str, Any]
) -> Tile:
    """Return the tile of an image."""
    config, file = folder.config, Path(subject.id)
    name, target = config.classes[subject.label], config.target

    def scored(path: Path) -> str:
        return score_command(path, target_options(target), own=target.own)

    stem = f"{subject.index:03d}_{slug(name)}"
    return Tile(
        name=name,
        score=score,
        picture=png(subject.image),
        index=subject.label,
        top=[(config.classes[subject.prediction], subject.confidence)],
        size=int(genome.genomes.sizes()[0]) if genome else None,
        genome=genome_json(genome, file) if genome else None,
        stem=stem,
        commands=[*([render_command(file, stem)] if genome else []), scored(file)],
        changed=changed_genome(name, scored) if genome else None,
        details=[("Left at worst", percent(parts["lowest"]))],
        parts=parts,
    )


def _covered(options: OccludeOptions, result: Result, shape: tuple[int, int, int]) -> dict[str, Any]:
    """Return what stays of an image that a square covers."""
    rows, columns = options.places(shape)
    if [len(row) for row in result["left"]] != [len(columns)] * len(rows):
        raise RunError(f"results.jsonl is damaged ({len(result['left'])} rows, and {len(rows)} are due)")
    return {
        "whole": result["confidence"],
        "fill": options.fill,
        "side": options.square(shape)[0],
        "rows": rows,
        "columns": columns,
        "left": result["left"],
        "lowest": min(map(min, result["left"])),
    }


def _removed(folder: ExperimentFolder, part: int, results: Sequence[Result]) -> dict[str, Any]:
    """Return what stays of an image without nodes of its genome, and without repeats."""
    first, classes, pictures = results[0], folder.config.classes, folder.pictures(part)
    worst = sorted(results, key=lambda result: float(result["confidence"]))
    pairs = [result for result in worst if result["kind"] == "pair"][:PAIRS]
    others = [result for result in worst if result["kind"] in ("node", "period")]
    copies = [result for result in results if result["kind"] in ("copy", "alone") and result["picture"] is not None]
    return {
        "whole": first["confidence"],
        "lowest": worst[0]["confidence"],
        "removals": [
            {
                "kind": result["kind"],
                "nodes": result["nodes"],
                "centres": result["centres"],
                "copies": result["copies"],
                "left": result["confidence"],
                "now": classes[result["first"]] if result["first"] != first["first"] else None,
                "picture": data_uri(png(pictures[result["picture"]])) if result in copies else None,
            }
            for result in [*others, *copies, *pairs]
        ],
    }
