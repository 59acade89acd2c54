"""A run's folder as a source of a gallery page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from ...encodings.cppn.batch import CPPNBatch
from ...errors import GenomeError, RunError
from ...io.arrays import shortest
from ...io.images import data_uri
from ...io.png import png
from ...kernels.constants import EMPTY
from ...store.folder import CONFIG, damaged
from ...store.hardware import read_hardware
from ...store.history import EliteChanges, HistoryFolder
from ...store.run import RunFolder
from ..cells import CellGrid, cell_grid
from ..elite_lines import lines_of_classes, surest_per_class
from .commands import changed_genome, render_command, score_command, target_options
from .genome_source import genome_json
from .items import item_details
from .sources import Ancestor, Progress, Source, Tile
from .strip import confidence_strip

MAX_PICTURES = 3000
"""Largest number of pictures of a page; of a run with more, a page shows the surest of each class."""

MANY_TILES = 400
"""Number of tiles above which lineages are shortened, since a page holds the genome of every ancestor."""

MAX_LINEAGE, MAX_LINEAGE_OF_MANY = 48, 16
"""Largest number of pictures of a lineage, and on a page of more than ``MANY_TILES``. Of a longer lineage a page shows
the first picture, the last, and some at equal distances between."""


class FrameSettings(msgspec.Struct):
    """The settings of the CPPN encoding that a page draws with."""

    coordinates: Literal["unit", "pixels"]
    colour: Literal["hsl", "rgb"]


def read_run(path: Path, classes: str | None = None) -> Source:
    """Read a run, finished or going on.

    Args:
        path: The run's folder.
        classes: Names or indices of the classes to show, as ``"cat,dog,8"``; None for all.

    Raises:
        ConfigError: The run has no such class.
        RunError: The run is damaged, or has no elites yet.
        GenomeError: The genome of an elite is damaged.
    """
    run = RunFolder.open(path)
    options, target, lines, metrics = run.config.options, run.config.target, run.elites(), run.metrics()
    if not lines:
        raise RunError(f"{path} has no elites yet; let it run for a generation: evofool resume {path}")
    cells = _cell_grid(run)
    per_class = cells.count if cells else 1
    names = {line["niche"] // per_class: line["class"] for line in lines}
    shown = lines if classes is None else lines_of_classes(lines, classes)
    count, classes_shown = len(shown), len({line["index"] for line in shown})
    lead = ""
    if cells and len(shown) > MAX_PICTURES:
        lead = f"Of {len(shown):,} pictures the surest of each class; all of one: evofool gallery {path} --class NAME."
        shown, cells = surest_per_class(shown), None
    changes = run.history.changes().by_class(per_class)
    frame = _frame(run) if options.encoding == "cppn" else None
    limit = MAX_LINEAGE if len(shown) <= MANY_TILES else MAX_LINEAGE_OF_MANY
    tiles = []
    for line in shown:
        rows = changes.lineage(line["evaluation"], line["niche"] // per_class)
        lineage = [_ancestor(changes, row, names) for row in _evenly_spaced(rows, limit)]
        tiles.append(_tile(run, line, lineage, max(0, len(rows) - 1)))
    source = Source(
        name=path.absolute().name,
        target=target.scoring,
        encoding=options.encoding,
        tiles=tiles,
        shape=target.image_shape,
        network=target.label,
        preset=options.preset,
        seed=options.seed,
        swapped=run.config.swapped,
        progress=_progress(metrics[-1]) if metrics else None,
        strip=confidence_strip(changes, names, metrics),
        frame=frame,
        ancestors=_kept_ancestors(run.history, tiles, target.image_shape[0]),
        lead=lead,
        cells=cells,
        filled=(count, per_class * classes_shown),
        config=run.config,
        hardware=hardware.words if (hardware := read_hardware(path)) else "",
    )
    _check_cells(run, source)
    return source


def _cell_grid(run: RunFolder) -> CellGrid | None:
    try:
        return cell_grid(run.config.options)
    except ValueError as error:
        raise damaged(run.path / CONFIG, error) from error


def _frame(run: RunFolder) -> dict[str, Any]:
    """Return how CPPNs become pictures.

    Raises:
        RunError: The encoding's settings are missing, or can't be.
    """
    try:
        settings = msgspec.convert(run.config.options.settings, FrameSettings)
    except msgspec.ValidationError as error:
        raise damaged(run.path / CONFIG, error) from error
    shape = run.config.target.image_shape
    return {"shape": shape, "xy": settings.coordinates, "colour": "grey" if shape[0] == 1 else settings.colour}


def _check_cells(run: RunFolder, source: Source) -> None:
    """Check that every picture has a cell, and none has that of another.

    Raises:
        RunError: The cells of a class don't fit.
    """
    if source.cells:
        try:
            for tiles in source.classes():
                source.cells.arranged([(tile.cell, tile.score or 0.0) for tile in tiles])
        except ValueError as error:
            file = run.path / "elites.jsonl"
            raise RunError(f"{file} is damaged ({error}); evofool resume {run.path} writes it anew") from error


def _damaged_history(history: HistoryFolder, fault: object) -> RunError:
    return RunError(f"{history.path} is damaged ({fault}); {history.remedy}")


def _progress(line: dict[str, Any]) -> Progress:
    return Progress(line["generation"], line["evaluations"], line["confirmations"], line["seconds"])


def _evenly_spaced(rows: list[int], limit: int) -> list[int]:
    """Return at most ``limit`` rows: the first, the last, and some at equal distances between."""
    if not rows:
        return []
    return [rows[at] for at in np.unique(np.linspace(0, len(rows) - 1, limit).round().astype(int)).tolist()]


def _ancestor(changes: EliteChanges, row: int, names: dict[int, str]) -> Ancestor:
    name = names.get(int(changes.niche[row]), "")
    score = shortest(changes.score[row])
    return Ancestor(int(changes.generation[row]), name, score, int(changes.evaluation_id[row]))


def _tile(run: RunFolder, line: dict[str, Any], lineage: list[Ancestor], ancestor_count: int) -> Tile:
    """Return the tile of a line of ``elites.jsonl``."""
    picture, genome = run.picture(line), run.genome(line)
    file = run.path / line["genome"] if genome else picture
    descriptors, target = line.get("descriptors", {}), run.config.target

    def score(scored: Path) -> str:
        return score_command(scored, target_options(target), own=target.own)

    return Tile(
        name=line["class"],
        score=float(line["score"]),
        picture=picture,
        index=line["index"],
        top=[(name, float(value)) for name, value in line["top5"]],
        generation=line["generation"],
        evaluation=line["evaluation"],
        size=line["size"],
        genome=genome_json(genome, file) if genome else None,
        lineage=lineage,
        ancestor_count=ancestor_count,
        stem=picture.stem,
        commands=[render_command(file, file.stem), score(file)],
        changed=changed_genome(line["class"], score) if genome else None,
        details=[*item_details(line), *((name.capitalize(), f"{value:.3g}") for name, value in descriptors.items())],
        cell=line.get("cell", []),
    )


def _kept_ancestors(history: HistoryFolder, tiles: list[Tile], channels: int) -> dict[int, Any]:
    """Return the ancestors that the history still has, by ``evaluation_id``.

    Raises:
        RunError: The history is damaged.
    """
    wanted = {ancestor.evaluation_id for tile in tiles for ancestor in tile.lineage[:-1]}
    ancestors: dict[int, Any] = {}
    for evaluation_ids, arrays in history.genomes(wanted):
        if "genes" in arrays:
            pictures = arrays["genes"]
            if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[1] not in (1, 3):
                raise _damaged_history(history, f"ancestors are {pictures.dtype} {pictures.shape}")
            genomes: list[Any] = [data_uri(png(pixels)) for pixels in pictures]
        else:
            try:
                batch = CPPNBatch.from_arrays(arrays)
                batch.check(channels)
            except GenomeError as error:
                raise _damaged_history(history, error) from error
            genomes = [_compact(batch, row) for row in range(len(batch))]
        ancestors |= zip(evaluation_ids.tolist(), genomes, strict=True)
    return ancestors


def _compact(batch: CPPNBatch, row: int) -> dict[str, list[Any]]:
    """Return a CPPN as the page's scripts read it, without free slots."""
    alive = np.flatnonzero(batch.activation[row] != EMPTY)
    number = np.full(batch.activation.shape[1], EMPTY)
    number[alive] = np.arange(len(alive))
    edges = np.flatnonzero(batch.source[row] != EMPTY)
    return {
        "a": batch.activation[row, alive].tolist(),
        "s": number[batch.source[row, edges]].tolist(),
        "t": number[batch.sink[row, edges]].tolist(),
        "w": [shortest(weight) for weight in batch.weight[row, edges]],
    }
