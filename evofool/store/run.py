"""The run folder: created whole, recorded atomically, resumed exactly.

``config.json``     every option, the target, the versions
``metrics.jsonl``   a line per generation
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
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..config.budget import Budget
from ..config.records import RunConfig
from ..encodings import genome_file
from ..errors import GenomeError, RunError, in_words
from ..io.files import copy_atomically, file_crc32, write_atomically, writing
from ..io.images import fit, open_image
from ..io.lines import all_lines, append_lines, json_line, read_lines
from ..io.png import png
from ..text import counted
from .checkpoint import Checkpoints
from .folder import make_folder, read_config, write_config
from .history import HistoryFolder
from .records import EliteLine, MetricsLine, fault

if TYPE_CHECKING:
    from ..encodings.cppn.encoding import CPPN
    from ..search.evolution import Evolution
    from ..search.progress import Progress
    from .elites import Elites

_ELITE = re.compile(r"\d{3,}_[A-Za-z0-9-]+_[01]\.\d{4}_\d+p?\.(png|json)")

PICTURE_SUM = "picture_crc32"
"""Key of a line of ``elites.jsonl``: the CRC-32 of the picture's bytes."""


class RunFolder:
    """The folder of one evolution."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path, self.config = path, config
        identity = config.digest()
        self.checkpoints, self.history = Checkpoints(path, identity), HistoryFolder(path, identity)
        self._sums: dict[str, str] = {}
        self._named: set[str] = set()
        self._shown: set[str] = set()

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> RunFolder:
        """Make the folder, with its config.

        Raises:
            RunError: Something is there already, or the folder can't be written.
        """
        make_folder(path, config, ("checkpoint", "elites"))
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a run folder that exists.

        Raises:
            RunError: No run is there, its config is damaged, or it is of another version.
        """
        return cls(path, read_config(path, RunConfig))

    def with_budget(self, budget: Budget) -> RunConfig:
        """Return the config with another budget."""
        options = msgspec.structs.replace(self.config.options, **asdict(budget))
        return msgspec.structs.replace(self.config, options=options)

    def write_config(self) -> None:
        """Write the config anew."""
        with writing(self.path):
            write_config(self.path, self.config)

    def append_metrics(self, progress: Progress) -> None:
        """Add the line of a generation."""
        append_lines(self.path / "metrics.jsonl", [json_line(asdict(progress))])

    def correct_metrics(self, progress: Progress) -> None:
        """Give the last generation's line other figures; how many elites it brought stays.

        Raises:
            RunError: Lines are damaged, or it can't be written.
        """
        lines = self._whole_metrics()
        if lines and lines[-1]["generation"] == progress.generation:
            lines[-1] = asdict(progress) | {"improved": lines[-1]["improved"]}
            self._write_metrics(lines)

    def metrics(self) -> list[dict[str, Any]]:
        """Return the recorded generations; torn and damaged lines are left out."""
        return self._metrics()[0]

    def spent(self, budget: Budget) -> bool:
        """Return whether a budget is spent, and the run has come to its end: all elites are confirmed."""
        last = next(reversed(self.metrics()), None)
        return (
            last is not None
            and budget.spent(last["generation"], last["evaluations"], last["seconds"], last["median"])
            and not any(line.get("provisional") for line in read_lines(self.path / "elites.jsonl", ()))
        )

    def damage(self) -> list[str]:
        """Return what a resume would refuse or the page lack, each with its remedy; empty where all is whole."""
        found = [f"{fault}; {self.history.remedy}" for _, fault in self.history.damaged()]
        for check in (self.checkpoints.load, self._whole_metrics):
            try:
                check()
            except RunError as error:
                found.append(str(error))
        return found

    def saved(self) -> tuple[int, int] | None:
        """Return the generation and the evaluations that a resume goes on from; None where no checkpoint tells."""
        counts = self.checkpoints.peek("search.counts")
        return None if counts is None or counts.shape != (3,) else (int(counts[0]), int(counts[1]))

    def trim_metrics(self, generation: int) -> list[dict[str, Any]]:
        """Forget generations after ``generation``, and return those kept.

        Raises:
            RunError: Lines are damaged, or it can't be written.
        """
        kept = [line for line in self._whole_metrics() if line["generation"] <= generation]
        self._write_metrics(kept)
        return kept

    def drop_damaged_metrics(self) -> int:
        """Take damaged lines out, and return how many those were."""
        lines, damaged = self._metrics()
        if damaged:
            self._write_metrics(lines)
        return damaged

    def _whole_metrics(self) -> list[dict[str, Any]]:
        """Return the recorded generations.

        Raises:
            RunError: Lines are damaged. A last one that a killed process tore doesn't count.
        """
        lines, damaged = self._metrics()
        if damaged:
            raise RunError(
                f"{counted(damaged, 'damaged line')} in {self.path / 'metrics.jsonl'}; "
                f"take them out with: evofool inspect --repair {self.path}"
            )
        return lines

    def _metrics(self) -> tuple[list[dict[str, Any]], int]:
        """Return the good lines, and how many are damaged."""
        every = list(all_lines(self.path / "metrics.jsonl", ()))
        good = [line for line in every if line and not fault(line, MetricsLine)]
        return good, len(every) - len(good)

    def _write_metrics(self, lines: list[dict[str, Any]]) -> None:
        with writing(self.path):
            write_atomically(self.path / "metrics.jsonl", "".join(map(json_line, lines)))

    def load_checkpoint(self, evolution: Evolution) -> None:
        """Put an evolution where the last checkpoint left it.

        Raises:
            RunError: The checkpoint is missing, damaged, of another version or of another run.
        """
        state = self.checkpoints.load()
        try:
            evolution.restore(state)
        except (KeyError, ValueError, IndexError, RuntimeError, TypeError, GenomeError) as error:
            raise RunError(f"{self.checkpoints.last} is damaged ({in_words(error)}); start the run anew") from error

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
        """Note that the page shows what was saved last: files that only the page before it named can go."""
        self._shown = self._named
        with writing(self.path):
            self._remove_stale()

    def elites(self) -> list[dict[str, Any]]:
        """Return the lines of ``elites.jsonl``; none where there is no such file yet.

        Raises:
            RunError: It is not whole, or tells what can't be true.
        """
        file = self.path / "elites.jsonl"
        lines, classes = list(read_lines(file, ())), len(self.config.class_indices)
        for number, line in enumerate(lines, 1):
            if wrong := fault(line, EliteLine):
                raise RunError(
                    f"line {number} of {file} is damaged ({wrong}); evofool resume {self.path} writes it anew"
                )
        several = self.config.options.bins is not None
        count = len({line["index"] for line in lines}) if several else len(lines)
        if file.exists() and count != classes:
            raise RunError(
                f"{file} is damaged ({len(lines)} whole lines for {classes} classes); "
                f"evofool resume {self.path} writes it anew"
            )
        return lines

    def picture(self, line: dict[str, Any]) -> Path:
        """Return the picture of a line of ``elites.jsonl``.

        Raises:
            RunError: It can't be read, is elsewhere, or is not the one that was written.
        """
        file = self.own_file(line["file"])
        remedy = f"evofool resume {self.path} writes it anew"
        try:
            checksum = file_crc32(file)
        except OSError as error:
            raise RunError(f"cannot read {file} ({error.strerror}); {remedy}") from error
        if line[PICTURE_SUM] != checksum:
            raise RunError(f"{file} is damaged or another picture, not the one of elites.jsonl; {remedy}")
        return file

    def pixels(self, line: dict[str, Any]) -> NDArray[np.uint8]:
        """Return the pixels (C, H, W) of the picture of a line of ``elites.jsonl``.

        Raises:
            RunError: As :meth:`picture`.
        """
        shape = self.config.target.image_shape
        return fit(open_image(self.picture(line)), shape, resize=max(shape[1:]))

    def genome(self, line: dict[str, Any]) -> genome_file.GenomeFile | None:
        """Return the genome of a line of ``elites.jsonl``; None where elites are their own genomes.

        Raises:
            RunError: It can't be read, is elsewhere, is another elite's, or was changed since it was scored.
            GenomeError: It is damaged.
        """
        if "genome" not in line:
            return None
        file = self.own_file(line["genome"])
        genome = genome_file.read(file)
        if any(genome.provenance.get(key) != line[key] for key in ("index", "score", "generation")):
            raise RunError(f"{file} is another elite's; evofool resume {self.path} writes it anew")
        if not genome.sealed:
            raise RunError(
                f"{file} has no check sum, so it may have been changed after it was scored; "
                f"move it elsewhere, and evofool resume {self.path} writes the elite anew"
            )
        return genome

    @cached_property
    def _home(self) -> Path:
        return self.path.resolve()

    def own_file(self, name: str) -> Path:
        """Return a file that ``elites.jsonl`` names: a plain one in the run's own folder, wherever links lead.

        Raises:
            RunError: It is elsewhere, or can't be read.
        """
        file = self.path / name
        try:
            if file.resolve().is_relative_to(self._home) and stat.S_ISREG(os.stat(file).st_mode):
                return file
        except OSError as error:
            raise RunError(
                f"cannot read {self.path / name[:200]} ({error.strerror}); evofool resume {self.path} writes it anew"
            ) from error
        except (ValueError, RuntimeError):
            pass
        raise RunError(
            f"{self.path / 'elites.jsonl'} names {name[:80]!r}, which is no file of this run; its pages show none other"
        )

    def _write_pictures(self, elites: Elites) -> None:
        for row, lines in enumerate(elites.lines_by_genome):
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
        target, options = self.config.target, self.config.options
        return {
            "target": [member.name for member in target.members] or target.name,
            **({genome_file.OWN_TARGET: True} if target.own else {}),
            "weights_sha256": target.weights_sha256,
            "class": line["class"],
            "index": line["index"],
            "score": line["score"],
            "preset": options.preset,
            "seed": options.seed,
            "generation": line["generation"],
        }
