"""What a page shows, read from the folders of runs and from genome files: sources and their tiles."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...config.checks import image_shape, plain_fault, run_fault
from ...encodings import genome_file
from ...encodings.banks import MANY_SUFFIX, bank_names, find_genomes, split_genome_path
from ...encodings.cppn.batch import CPPNBatch
from ...encodings.genome_lines import is_file_of_genomes, read_genomes
from ...errors import ConfigError, GenomeError, RunError, suggestion
from ...io.images import data_uri
from ...io.png import png
from ...io.slug import slug
from ...kernels.constants import EMPTY
from ...store.folder import read_config
from ...store.history import Changes, HistoryFolder
from ...store.run import RunFolder
from .cells import MOST, Cells, cells_of
from .chosen import of_classes, surest
from .strip import Strip, strip_of

MOST_ANCESTORS, MANY = 48, 400
"""ancestors in a film strip, a third of them where there are more tiles than so many; of longer lines the first, the
last and those between at equal distances"""

MAX_DRAWN = 2**22
"""pixels of a CPPN that a page draws, as its network saw it"""

MAX_WORK = 2**30
"""of those pixels, times the genome's nodes and connections"""


@dataclass
class Tile:
    """One picture and what is known of it."""

    name: str
    """the class"""
    score: float | None
    picture: bytes | Path
    """PNG, exactly what the network saw"""
    index: int | None = None
    top: list[list[Any]] = field(default_factory=list)
    generation: int | None = None
    evaluation: int | None = None
    size: int | None = None
    genome: dict[str, Any] | None = None
    """the genome file's JSON"""
    line: list[list[Any]] = field(default_factory=list)
    """ancestors, the first ones first: [generation, class, confidence, evaluation_id]"""
    ancestors: int = 0
    """how many there are, those left out of ``line`` too"""
    stem: str = "genome"
    """of file names"""
    commands: list[str] = field(default_factory=list)
    """that render or score it again"""
    before: bytes | None = None
    """PNG, of an attacked image as it was"""
    edits: list[list[int]] = field(default_factory=list)
    """[x, y] of pixels that were changed"""
    more: list[tuple[str, str]] = field(default_factory=list)
    """name and value of other facts"""
    over: str = ""
    """SVG over the picture"""
    cell: list[int] = field(default_factory=list)
    """where it stands among the pictures of its class, where there are several"""


@dataclass
class Source:
    """A run, or genomes from somewhere, as a page tells of it."""

    name: str
    target: str
    facts: dict[str, Any]
    """encoding, preset, seed, generation, evaluations, seconds: as far as they are known"""
    tiles: list[Tile]
    shape: list[int]
    """(C, H, W) of what the network sees"""
    strip: Strip | None = None
    frame: dict[str, Any] | None = None
    """how CPPNs become pictures: shape, xy, colour"""
    past: dict[int, Any] = field(default_factory=dict)
    """ancestors by ``evaluation_id``: compact CPPNs, or pictures as data URIs"""
    title: str = ""
    lead: str = ""
    cards: list[tuple[str, str, str]] = field(default_factory=list)
    """name, value and note of the figures at the top; title, lead and cards are a run's own when empty"""
    links: list[tuple[Path, str]] = field(default_factory=list)
    """other pages, and what they are; for a page beside them"""
    sorts: dict[str, str] = field(default_factory=dict)
    """what tiles can be sorted by, where it is not as usual; empty words leave one out"""
    cells: Cells | None = None
    """how the pictures of a class stand together, where there are several"""

    def one_a_class(self) -> None:
        """Keep the surest picture of each class only."""
        if self.cells:
            best: dict[int | None, Tile] = {}
            for tile in self.tiles:
                if tile.index not in best or (tile.score or 0) > (best[tile.index].score or 0):
                    best[tile.index] = tile
            self.tiles, self.cells = list(best.values()), None


def collect(path: Path, classes: str | None = None) -> list[Source]:
    """The sources under a path: a run, a genome file, a folder of genomes, a folder of such folders, or a bank's name.

    Args:
        path: where.
        classes: of a run, names or indices, where not all are to be shown.

    Raises:
        ConfigError: the run has no such class, or it is no run.
        RunError: nothing of that kind is there, or a run is damaged.
        GenomeError: a genome is damaged.
    """
    if (path / "config.json").exists():
        if read_config(path).get("evofool") == "attack":
            from .campaign_exhibit import from_campaign  # waits for torch, which runs needn't

            _no_run(path, classes)
            return [from_campaign(path)]
        return [from_run(path, classes)]
    _no_run(path, classes)
    place = find_genomes(path)
    if place is None:
        raise RunError(
            f"nothing at {path}{suggestion(path.name, bank_names())}: give a run, a campaign, a genome file, "
            f"a folder of genomes or a bank ({', '.join(bank_names())})"
        )
    if not place.is_dir():
        return [from_genomes(split_genome_path(place)[0].stem, read_genomes(place))]
    alone = [one for file in sorted(place.glob("*.json")) for one in read_genomes(file)]
    sources = [from_genomes(place.name, alone)] if alone else []
    for inner in sorted(place.iterdir()):
        many = inner.suffix == MANY_SUFFIX and is_file_of_genomes(inner)
        if many or (inner.is_dir() and not alone and any(inner.glob("*.json*"))):
            sources += collect(inner)
    if not sources:
        raise RunError(f"{path} holds neither a run (config.json) nor genomes (.json, .jsonl)")
    return sources


def _no_run(path: Path, classes: str | None) -> None:
    if classes is not None:
        raise ConfigError(f"--class chooses among the classes of a run, and {path} is none; leave it out")


def from_run(path: Path, classes: str | None = None) -> Source:
    """A run, finished or going on.

    Args:
        path: its folder.
        classes: names or indices, where not all are to be shown.

    Raises:
        ConfigError: it has no such class.
        RunError: it is damaged, or has no elites yet.
    """
    run = RunFolder.open(path)
    config, elites = run.config, run.elites()
    if fault := run_fault(config):
        raise RunError(f"{path / 'config.json'} is damaged ({fault}); a page can't be made without it")
    if not elites:
        raise RunError(f"{path} has no elites yet; let it run for a generation: evofool resume {path}")
    metrics = run.metrics()
    last = metrics[-1] if metrics else {}
    changes = run.history.changes()
    if not ((changes.score >= 0) & (changes.score <= 1.0001)).all():
        raise RunError(f"{path / 'history'} is damaged (a confidence is none); move it away to go on without it")
    if (changes.parent >= changes.evaluation_id).any():
        raise RunError(f"{path / 'history'} is damaged (a child is its own ancestor); move it away to go on without it")
    try:
        target = config["target"]["name"]
        cells = cells_of(config)
        each = cells.niches if cells else 1
        changes = changes.by_class(each)
        names = {int(line["niche"]) // each: str(line["class"]) for line in elites}
        shown, lead = elites if classes is None else of_classes(elites, classes), ""
        if cells and len(shown) > MOST:
            lead = (
                f"Of {len(shown):,} pictures the surest of each class; all of one: evofool gallery {path} --class NAME."
            )
            shown, cells = surest(shown), None
        if cells:
            cells.check(shown)
        most = MOST_ANCESTORS if len(shown) <= MANY else MOST_ANCESTORS // 3
        tiles = [_elite(run, line, changes, names, target, most, each) for line in shown]
        source = Source(
            name=path.absolute().name,
            target=target,
            facts={
                "encoding": config["encoding"],
                "preset": config["preset"],
                "seed": config["seed"],
                "own": config["target"].get("own", False),
                **{key: last[key] for key in ("generation", "evaluations", "seconds") if key in last},
            },
            tiles=tiles,
            shape=[int(edge) for edge in config["target"]["image_shape"]],
            strip=strip_of(changes, names, metrics),
            lead=lead,
            cells=cells,
        )
        if config["encoding"] == "cppn":
            colour = "grey" if source.shape[0] == 1 else config["settings"]["colour"]
            source.frame = {"shape": source.shape, "xy": config["settings"]["coordinates"], "colour": colour}
        source.past = _past(run.history, {ancestor[3] for tile in tiles for ancestor in tile.line[:-1]}, source.shape)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise RunError(f"{path} is damaged ({type(error).__name__}: {error}); resume it, or start anew") from error
    return source


def from_genomes(name: str, genomes: list[tuple[Path, genome_file.GenomeFile]]) -> Source:
    """CPPN genomes from files, with what they tell of themselves.

    Raises:
        GenomeError: a file is damaged, or they are of different shapes or colours.
    """
    tiles: list[Tile] = []
    frame: dict[str, Any] = {}
    for file, genome in genomes:
        its = {"shape": list(genome.image_shape), "xy": genome.coordinates, "colour": genome.colour}
        if frame and its != frame:
            raise GenomeError(
                f"{file} is not rendered as the genomes before it ({its}); show them on pages of their own"
            )
        frame = its
        tiles.append(_from_file(file, genome))
    targets = sorted({str(genome.provenance.get("target", "a network")) for _, genome in genomes})
    return Source(name, ", ".join(targets), {"encoding": "cppn"}, tiles, frame["shape"], frame=frame)


def _elite(
    run: RunFolder, line: dict[str, Any], changes: Changes, names: dict[int, str], target: str, most: int, each: int
) -> Tile:
    file, genome = run.picture(line), run.genome(line)
    whole = run.path / line["genome"] if genome else file
    rows = changes.lineage(int(line["evaluation"]), int(line["niche"]) // each)
    shown = np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int)).tolist() if rows else []
    return Tile(
        name=str(line["class"]),
        score=float(line["score"]),
        picture=file,
        index=int(line["index"]),
        top=[[str(name), float(value)] for name, value in line["top5"]],
        generation=int(line["generation"]),
        evaluation=int(line["evaluation"]),
        size=int(line["size"]),
        genome=_content(genome, whole) if genome else None,
        line=[_ancestor(changes, rows[at], names) for at in shown],
        ancestors=max(0, len(rows) - 1),
        stem=file.stem,
        commands=_commands(whole, whole.stem, file, target),
        cell=line.get("cell", []),
        more=[(name.capitalize(), f"{value:.3g}") for name, value in line.get("descriptors", {}).items()],
    )


def _ancestor(changes: Changes, row: int, names: dict[int, str]) -> list[Any]:
    name = names.get(int(changes.niche[row]), "")
    return [int(changes.generation[row]), name, _short(changes.score[row]), int(changes.evaluation_id[row])]


def _content(genome: genome_file.GenomeFile, file: Path) -> dict[str, Any]:
    """A genome's JSON, for a page."""
    if fault := plain_fault(genome.content):
        raise GenomeError(f"{file} can't be shown: {fault}")
    return genome.content


def _from_file(file: Path, genome: genome_file.GenomeFile) -> Tile:
    told, pixels = genome.provenance, genome.image_shape[1] * genome.image_shape[2]
    size = genome.genomes.activation.size + genome.genomes.source.size
    if pixels > MAX_DRAWN or pixels * size > MAX_WORK:
        raise GenomeError(
            f"{file} has {size:,} nodes and connections for {genome.image_shape[2]} × {genome.image_shape[1]} pixels; "
            f"a page draws {MAX_DRAWN:,} pixels, and {MAX_WORK:,} times such a part"
        )
    score, index = told.get("score"), told.get("index")
    name = str(told.get("class", split_genome_path(file)[1] or file.stem))
    stem = file.stem if file.suffix == ".json" else "_".join(filter(None, (split_genome_path(file)[1], slug(name))))
    return Tile(
        name=name,
        score=float(score) if isinstance(score, int | float) and 0 <= score <= 1 else None,
        picture=png(genome.encoding.decode(genome.genomes)[0].numpy()),
        index=index if isinstance(index, int) else None,
        generation=told["generation"] if isinstance(told.get("generation"), int) else None,
        size=int(genome.genomes.sizes()[0]),
        genome=_content(genome, file),
        stem=stem,
        commands=_commands(file, stem, None, ""),
    )


def _commands(genome: Path, stem: str, picture: Path | None, target: str) -> list[str]:
    commands = [shlex.join(["evofool", "render", str(genome), "--size", "2048", "--out", f"{stem}-2048.png"])]
    if picture is not None:
        commands.append(shlex.join(["evofool", "score", str(picture), "--target", target]))
    return commands


def _past(history: HistoryFolder, wanted: set[int], shape: list[int]) -> dict[int, Any]:
    """Ancestors that the history still has.

    Raises:
        RunError: the history is damaged.
        ValueError: they are no genomes.
    """
    past: dict[int, Any] = {}
    for evaluation_id, arrays in history.genomes(wanted):
        if "genes" not in arrays:
            try:
                CPPNBatch.of(arrays).check(shape[0])
            except GenomeError as error:
                raise ValueError(f"of its history: {error}") from error
        elif arrays["genes"].dtype != np.uint8 or not image_shape(list(arrays["genes"].shape[1:])):
            raise ValueError(f"ancestors are {arrays['genes'].dtype} {arrays['genes'].shape}")
        for row, child in enumerate(evaluation_id.tolist()):
            past[child] = data_uri(png(arrays["genes"][row])) if "genes" in arrays else _compact(arrays, row)
    return past


def _compact(arrays: dict[str, np.ndarray], row: int) -> dict[str, list[Any]]:
    """A CPPN of a batch's arrays, its free slots left out."""
    alive = np.flatnonzero(arrays["activation"][row] != EMPTY)
    number = np.full(arrays["activation"].shape[1], EMPTY)
    number[alive] = np.arange(len(alive))
    edges = np.flatnonzero(arrays["source"][row] != EMPTY)
    return {
        "a": arrays["activation"][row, alive].tolist(),
        "s": number[arrays["source"][row, edges]].tolist(),
        "t": number[arrays["sink"][row, edges]].tolist(),
        "w": [_short(weight) for weight in arrays["weight"][row, edges]],
    }


def _short(value: Any) -> float:
    """A float32 with the digits it needs."""
    return float(str(np.float32(value)))
