"""The run folder: created whole, recorded atomically, resumed exactly.

``config.json``     every option, versions, the target's name and its weights' SHA-256
``metrics.jsonl``   a line a generation
``checkpoint/``     ``state.npz``: the archive and the generators' states, replaced atomically; ``previous.npz``
``elites/``         a PNG per niche, named class, score and child, and its genome (CPPN)
``elites.jsonl``    a line per niche that has an elite: score, top-5, generation, evaluation, parent, files, the
                    picture's CRC-32; where a class has several niches, its cell and descriptors
``history/``        how the elites came about; see ``evofool.store.history``
``gallery.png``     the contact sheet
``index.html``      the page; while the run goes on, its dashboard
"""

from __future__ import annotations

import os
import re
import stat
import zlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..config.checks import elite_fault, metrics_fault
from ..encodings import genome_file
from ..errors import GenomeError, RunError
from ..io.files import copy_atomically, file_crc32, write_atomically, writing
from ..io.lines import all_lines, append_lines, json_line, read_lines
from ..io.png import png
from ..io.slug import slug
from ..text import counted
from .checkpoint import Checkpoints
from .folder import discard_folder, make_folder, read_config, write_config
from .history import HistoryFolder
from .identity import identity_of

if TYPE_CHECKING:
    from ..encodings.base import Encoding
    from ..encodings.cppn.encoding import CPPN
    from ..search.evolution import Evolution, Progress

_ELITE = re.compile(r"\d{3,}_[A-Za-z0-9-]+_[01]\.\d{4}(_\d+)?\.(png|json)")  # once without the child

PICTURE_SUM = "picture_crc32"
"""of a line of ``elites.jsonl``: of the picture's bytes"""


Lines = dict[int, dict[str, Any]]


@dataclass
class Elites:
    """The elites of a moment, as copies: they can be decoded bit by bit, and written, while the evolution goes on.

    They are decoded between generations and not where they are written: torch's second pool of threads, on another
    thread than the evolution's, would slow down every operation of the first for good.
    """

    encoding: Encoding
    line_of: Lines
    """of ``elites.jsonl``, by niche"""
    genomes: Any
    """a batch of the N whose files are to be written; a child that won many niches is there once"""
    shown: list[list[dict[str, Any]]]
    """the lines of each of them"""
    images: list[np.ndarray]
    """(C, H, W) uint8 of those that were decoded"""

    @classmethod
    def of(cls, evolution: Evolution, dirty: np.ndarray | None = None, known: Lines | None = None) -> Elites:
        """Those of an evolution whose archive has elites.

        Args:
            dirty: niches whose elites changed since the last time; None is all.
            known: the lines as they were then, which the others keep.
        """
        archive = evolution.archive
        held = archive.held()
        rows = held if dirty is None else np.intersect1d(dirty, held)
        anew = held if known is None else rows
        line_of = (known or {}) | dict(zip(anew.tolist(), _lines(evolution, anew), strict=True))
        line_of = {niche: line_of[niche] for niche in held.tolist()}
        children, first = np.unique(archive.evaluation_id[rows], return_index=True)
        shown: dict[int, list[dict[str, Any]]] = {child: [] for child in children.tolist()}
        for niche in rows.tolist():
            shown[int(archive.evaluation_id[niche])].append(line_of[niche])
        return cls(evolution.encoding, line_of, archive.genomes.take(rows[first]), list(shown.values()), [])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """of ``elites.jsonl``, one a niche that has an elite"""
        return list(self.line_of.values())

    def decode(self, pixels: int | None = None) -> bool:
        """Decode so many more pixels, or all; returns whether all are decoded."""
        height, width = self.encoding.image_shape[1:]
        done, count = len(self.images), len(self.genomes)
        rows = np.arange(done, count)[: None if pixels is None else max(1, pixels // (height * width))]
        if len(rows):
            self.images.extend(self.encoding.decode(self.genomes.take(rows)).numpy(force=True))
        return len(self.images) == count


def _lines(evolution: Evolution, niches: np.ndarray) -> list[dict[str, Any]]:
    """The lines of ``elites.jsonl`` of some niches that have elites."""
    archive, target = evolution.archive, evolution.target
    columns, values = archive.top(5, niches)
    confidence = archive.confidence[niches].tolist()
    sizes = archive.genomes.sizes()[niches].tolist()
    told = evolution.diversity.told(archive, niches) if evolution.diversity else [{}] * len(niches)
    lines: list[dict[str, Any]] = []
    for row, niche in enumerate(niches.tolist()):
        index, evaluation_id = int(archive.niches[niche]), int(archive.evaluation_id[niche])
        stem = elite_stem(index, target.classes[index], confidence[row], evaluation_id)
        line = {
            "niche": niche,
            "class": target.classes[index],
            "index": index,
            "score": confidence[row],
            "top5": [[target.classes[c], float(str(v))] for c, v in zip(columns[row], values[row], strict=True)],
            "generation": int(archive.generation[niche]),
            "evaluation": evaluation_id,
            "parent": int(archive.parent[niche]),
            "size": sizes[row],
            "file": f"elites/{stem}.png",
        }
        if evolution.encoding.name == "cppn":
            line["genome"] = f"elites/{stem}.json"
        lines.append(line | told[row])
    return lines


class RunFolder:
    """One evolution's folder."""

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path, self.config = path, config
        identity = identity_of(config)
        self.checkpoints, self.history = Checkpoints(path, identity), HistoryFolder(path, identity)
        self._sums: dict[str, str] = {}
        self._named: set[str] = set()
        self._shown: set[str] = set()

    @classmethod
    def create(cls, path: Path, config: dict[str, Any]) -> RunFolder:
        """Make the folder, with its config.

        Raises:
            RunError: something is there already, or the folder can't be written.
        """
        return cls(path, make_folder(path, config, ("checkpoint", "elites")))

    def discard(self) -> None:
        """Take back a folder that :meth:`create` made, when the run failed before its first generation ended."""
        discard_folder(self.path)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """A run folder that exists.

        Raises:
            RunError: no run is there, its config is damaged, or it is of another version.
        """
        return cls(path, read_config(path, "evolve"))

    def rewrite_config(self, changes: dict[str, Any]) -> None:
        """Record changed options (a larger budget, say)."""
        self.config |= changes
        with writing(self.path):
            write_config(self.path, self.config)

    def append_metrics(self, progress: Progress) -> None:
        """Add a generation's line."""
        append_lines(self.path / "metrics.jsonl", [json_line(asdict(progress))])

    def metrics(self) -> list[dict[str, Any]]:
        """The recorded generations; torn and damaged lines are left out."""
        return self._metrics()[0]

    def damaged_metrics(self) -> int:
        """How many lines of ``metrics.jsonl`` are damaged; a last one that a killed process tore is not counted."""
        return self._metrics()[1]

    def trim_metrics(self, generation: int) -> list[dict[str, Any]]:
        """Forget generations after ``generation``; returns those kept.

        Raises:
            RunError: lines are damaged, or it can't be written.
        """
        lines, damaged = self._metrics()
        if damaged:
            raise RunError(
                f"{counted(damaged, 'damaged line')} in {self.path / 'metrics.jsonl'}; "
                f"take them out with: evofool inspect --repair {self.path}"
            )
        kept = [line for line in lines if line["generation"] <= generation]
        self._write_metrics(kept)
        return kept

    def drop_damaged_metrics(self) -> int:
        """Take damaged lines out; returns how many those were."""
        lines, damaged = self._metrics()
        if damaged:
            self._write_metrics(lines)
        return damaged

    def _metrics(self) -> tuple[list[dict[str, Any]], int]:
        """The good lines, and how many are damaged."""
        every = list(all_lines(self.path / "metrics.jsonl", ()))
        good = [line for line in every if line and not metrics_fault(line)]
        return good, len(every) - len(good)

    def _write_metrics(self, lines: list[dict[str, Any]]) -> None:
        with writing(self.path):
            write_atomically(self.path / "metrics.jsonl", "".join(map(json_line, lines)))

    def load_checkpoint(self, evolution: Evolution) -> None:
        """Put an evolution where the last checkpoint left it.

        Raises:
            RunError: the checkpoint is missing, damaged, of another version or of another run.
        """
        state = self.checkpoints.load()
        try:
            evolution.restore(state)
        except (KeyError, ValueError, IndexError, RuntimeError, TypeError, GenomeError) as error:
            raise RunError(f"{self.checkpoints.last} is damaged ({error}); start the run anew") from error

    def save_elites(self, elites: Elites) -> None:
        """Write pictures and genomes of the elites that changed, which are decoded, and ``elites.jsonl``."""
        lines = elites.lines
        with writing(self.path):
            (self.path / "elites").mkdir(exist_ok=True)
            self._write_pictures(elites)
            self._sums = {line["file"]: self._sums[line["file"]] for line in lines}
            for line in lines:
                line[PICTURE_SUM] = self._sums[line["file"]]
            write_atomically(self.path / "elites.jsonl", "".join(map(json_line, lines)))
            self._named = {line[key] for line in lines for key in ("file", "genome") if key in line}
            self._remove_stale()

    def page_written(self) -> None:
        """The page shows what was saved last: files that only the page before it named can go."""
        self._shown = self._named
        with writing(self.path):
            self._remove_stale()

    def elites(self) -> list[dict[str, Any]]:
        """The lines of ``elites.jsonl``; empty where there is none yet.

        Raises:
            RunError: it is not whole, or tells what can't be true.
        """
        file = self.path / "elites.jsonl"
        lines, niches = list(read_lines(file, ())), self.config.get("niches")
        several = self.config.get("bins") is not None
        for number, line in enumerate(lines, 1):
            if fault := elite_fault(line):
                raise RunError(
                    f"line {number} of {file} is damaged ({fault}); evofool resume {self.path} writes it anew"
                )
        found = {line["index"] for line in lines} if several else lines
        if file.exists() and isinstance(niches, list) and len(found) != len(niches):
            raise RunError(
                f"{file} is damaged ({len(lines)} whole lines for {len(niches)} niches); "
                f"evofool resume {self.path} writes it anew"
            )
        return lines

    def picture(self, line: dict[str, Any]) -> Path:
        """The picture of a line of ``elites.jsonl``.

        Raises:
            RunError: it can't be read, is elsewhere, or is not the one that was written.
        """
        file = self.own_file(line["file"])
        way = f"evofool resume {self.path} writes it anew"
        try:
            found = file_crc32(file)
        except OSError as error:
            raise RunError(f"cannot read {file} ({error.strerror}); {way}") from error
        if line.get(PICTURE_SUM, found) != found:
            raise RunError(f"{file} is damaged or another picture, not the one of elites.jsonl; {way}")
        return file

    def genome(self, line: dict[str, Any]) -> genome_file.GenomeFile | None:
        """The genome of a line of ``elites.jsonl``; None where elites are their own genomes.

        Raises:
            RunError: it can't be read, is elsewhere, or is another elite's.
            GenomeError: it is damaged.
        """
        if "genome" not in line:
            return None
        file = self.own_file(line["genome"])
        genome = genome_file.read(file)
        if any(genome.provenance.get(key) != line[key] for key in ("index", "score")):
            raise RunError(f"{file} is another elite's; evofool resume {self.path} writes it anew")
        return genome

    @cached_property
    def _home(self) -> Path:
        return self.path.resolve()

    def own_file(self, name: str) -> Path:
        """A file that ``elites.jsonl`` names: a plain one in the run's own folder, wherever links lead.

        Raises:
            RunError: it is elsewhere, or can't be read.
        """
        file = self.path / name
        try:
            if file.resolve().is_relative_to(self._home) and stat.S_ISREG(os.stat(file).st_mode):
                return file
        except OSError as error:
            raise RunError(
                f"cannot read {file} ({error.strerror}); evofool resume {self.path} writes it anew"
            ) from error
        except (ValueError, RuntimeError):
            pass
        raise RunError(
            f"{self.path / 'elites.jsonl'} names {name[:80]!r}, which is no file of this run; its pages show none other"
        )

    def _write_pictures(self, elites: Elites) -> None:
        for row, lines in enumerate(elites.shown):
            picture, first = png(elites.images[row]), self.path / lines[0]["file"]
            write_atomically(first, picture, durable=False)
            picture_sum = f"{zlib.crc32(picture):08x}"
            for line in lines:
                self._sums[line["file"]] = picture_sum
                copy_atomically(first, self.path / line["file"])
            if "genome" in lines[0]:
                content = genome_file.to_json(cast("CPPN", elites.encoding), elites.genomes, row, {})
                texts = genome_file.dumps_each(content, map(self._provenance, lines))
                for line, text in zip(lines, texts, strict=True):
                    write_atomically(self.path / line["genome"], text, durable=False)

    def _remove_stale(self) -> None:
        """Remove elites' files that neither ``elites.jsonl`` nor the page names, those of a killed process too."""
        wanted = self._named | self._shown
        for file in (self.path / "elites").iterdir():
            if _ELITE.fullmatch(file.name) and f"elites/{file.name}" not in wanted:
                file.unlink(missing_ok=True)

    def _provenance(self, line: dict[str, Any]) -> dict[str, Any]:
        target = self.config["target"]
        return {
            "target": target["name"],
            "weights_sha256": target["weights_sha256"],
            "class": line["class"],
            "index": line["index"],
            "score": line["score"],
            "preset": self.config["preset"],
            "seed": self.config["seed"],
            "generation": line["generation"],
        }


def elite_stem(index: int, name: str, score: float, child: int) -> str:
    """A file name, without ending, that sorts by class and tells name, score and child: ``003_cat_0.9987_4711``.

    No other elite of the run has the same, so that a file never changes: what ``elites.jsonl`` names is whole while
    newer files are written.

    Any class name becomes at most 40 letters, digits and hyphens. The score is cut, not rounded, so that
    only a certain 1 reads 1.0000.
    """
    return f"{index:03d}_{slug(name)}_{int(score * 10000) / 10000:.4f}_{child}"
