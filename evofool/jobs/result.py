"""What a session of a job ends with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from ..attacks.data_warnings import data_notes
from ..attacks.figures import campaign_figures
from ..attacks.statistics import Statistics
from ..config.records import CampaignConfig, RunConfig
from ..errors import ConfigError, RunError
from ..gallery.pages.notebook import MOST_CARDS, attempt_cards, elite_cards, fragment, resuming
from ..gallery.pages.run_page import PAGE
from ..gallery.prints.figure import Figure
from ..gallery.prints.growth import GROWTH, growth_curves
from ..gallery.prints.sheet import SHEET
from ..io.lock import is_held
from ..store.campaign import CampaignFolder
from ..store.run import RunFolder
from ..text import between, clock, confidence, counted, ending, least_confident, percent, rate, scored
from .archive_table import archive_table
from .tables import Table, chosen_figure, data_frame, written_figure

if TYPE_CHECKING:
    from ..encodings.base import Encoding
    from ..search.evolution import Evolution


def _decoded(encoding: Encoding, genomes: Any, rows: Sequence[int] | None = None) -> np.ndarray:
    """Return the images (N, C, H, W) of genomes, or of some rows of them."""
    return encoding.decode(genomes if rows is None else genomes.take(np.array(rows))).cpu().numpy()


def _pictures(folder: RunFolder, lines: list[dict[str, Any]], rows: Sequence[int] | None = None) -> np.ndarray:
    """Return the pictures (N, C, H, W) of lines of ``elites.jsonl``, or of some rows of them."""
    return np.stack([folder.pixels(line) for line in (lines if rows is None else [lines[row] for row in rows])])


@dataclass(frozen=True, repr=False)
class Result:
    """What an evolution ended with. Printed, it is three lines.

    Attributes:
        classes: The class names of the N elites; ``indices`` (N,) their places among the target's outputs.
        confidence: (N,) float32, each elite's probability for its class.
        decode: Returns the images, or those of the rows that it is given; see :attr:`images`.
        places: The cell and the descriptors of each elite, where a class has several niches; else None.
        niches: How many niches there are, empty ones included.
        run: The run folder, or None.
        gallery: The gallery page ``index.html``, or None.
        sheet: The contact sheet, or None; ``missing`` are letters of it that no font has.
        evaluations: How many images the search scored; ``confirmations`` how many were scored again, beside those.
        interrupted: Whether it ended before its budget was spent, or has not ended; ``running`` if another process
            worked on it when it was opened.
        config: The run's options, its target and the versions.
    """

    classes: list[str]
    indices: np.ndarray
    confidence: np.ndarray
    decode: Callable[..., np.ndarray]
    places: list[dict[str, Any]] | None
    niches: int
    generations: int
    evaluations: int
    confirmations: int
    seconds: float
    run: Path | None
    gallery: Path | None
    sheet: Path | None
    interrupted: bool
    config: RunConfig
    note: str | None = None
    missing: str = ""
    running: bool = False

    @classmethod
    def of(
        cls,
        evolution: Evolution,
        config: RunConfig,
        run: Path | None,
        gallery: Path | None,
        sheet: Path | None,
        *,
        interrupted: bool,
        note: str | None = None,
        missing: str = "",
    ) -> Result:
        """Return what an evolution has come to."""
        archive, search = evolution.archive, evolution.search
        held = archive.held()
        indices = archive.class_of_niche[held]
        return cls(
            classes=[evolution.target.classes[index] for index in indices],
            indices=indices,
            confidence=archive.confidence[held],
            decode=partial(_decoded, evolution.encoding, archive.genomes.take(held)),
            places=evolution.diversity.places(archive, held) if evolution.diversity else None,
            niches=len(archive),
            generations=search.generation,
            evaluations=search.evaluations,
            confirmations=search.confirmations,
            seconds=evolution.seconds,
            run=run,
            gallery=gallery,
            sheet=sheet,
            interrupted=interrupted,
            config=config,
            note=note,
            missing=missing,
        )

    @classmethod
    def opened(cls, folder: RunFolder) -> Result:
        """Return what the run in a folder has come to, from its elites' files.

        Raises:
            RunError: It has no elites yet, or is damaged.
        """
        path, running = folder.path, is_held(folder.path)
        lines, metrics = folder.elites(), folder.metrics()
        if not lines or not metrics:
            raise RunError(f"{path} has no elites yet; they are written soon after the first generation")
        last, of_niche = metrics[-1], ("cell", "descriptors")
        places: list[dict[str, Any]] = [{name: line[name] for name in of_niche if name in line} for line in lines]
        gallery, sheet = path / PAGE, path / SHEET
        return cls(
            classes=[line["class"] for line in lines],
            indices=np.array([line["index"] for line in lines]),
            confidence=np.array([line["score"] for line in lines], np.float32),
            decode=partial(_pictures, folder, lines),
            places=places if any(places) else None,
            niches=folder.config.niches,
            generations=last["generation"],
            evaluations=last["evaluations"],
            confirmations=last["confirmations"],
            seconds=last["seconds"],
            run=path,
            gallery=gallery if gallery.exists() else None,
            sheet=sheet if sheet.exists() else None,
            interrupted=not folder.spent(folder.config.options.budget),
            config=folder.config,
            running=running,
        )

    @cached_property
    def images(self) -> np.ndarray:
        """(N, C, H, W) uint8: exactly what the target saw. They are decoded when they are first asked for, and kept."""
        return self.decode()

    def __repr__(self) -> str:
        surest = self.surest()
        names, values = [self.classes[row] for row in surest], self.confidence[surest].tolist()
        sure = sum(value >= 0.99 for value in values)
        work = f"{scored(self.evaluations, self.confirmations)} in {clock(self.seconds)}"
        kept = f"run {self.run}" if self.run else "nothing was written"
        page = f", gallery {self.gallery}" if self.gallery else ""
        shape = (len(self.classes), *self.config.target.image_shape)
        ended = ending(self.interrupted, self.running)
        return (
            f"{ended}: {self.config.target.name}, {self.config.options.encoding}, {work}\n"
            f"median {percent(median(values))}, lowest {least_confident(names, values, 1)}, "
            f"{sure} of {counted(len(values), 'class')} at 99 % or more\n"
            f"{kept}{page}; .images {shape}, .classes, .confidence"
        )

    def _repr_html_(self) -> str:
        surest = sorted(self.surest(), key=lambda row: -self.confidence[row])[:MOST_CARDS]
        names, values = [self.classes[row] for row in surest], self.confidence[surest].tolist()
        title, sure, _ = repr(self).split("\n")
        rows = [("confidence", sure), ("run", str(self.run or "kept in memory only"))]
        rows += resuming(self.run, self.interrupted and not self.running)
        cards = elite_cards(names, [confidence(value) for value in values], self.decode(surest))
        return fragment(title, rows, cards, self.gallery)

    def to_dataframe(self, table: str | None = None) -> Any:
        """Return a table as a ``pandas.DataFrame``, whose columns are called as in the run's files.

        Args:
            table: ``elites``, a row for each niche that has one (the default), ``history``, a row a generation, or
                ``archive``, the elites with the columns that pyribs' ``ArchiveDataFrame`` has.

        Raises:
            ConfigError: There is no such table, pandas is missing, or the history was not kept.
        """
        tables: dict[str, Table] = {"elites": self._elites, "history": self._history}
        tables["archive"] = lambda: archive_table(self).columns()
        return data_frame(tables, table)

    def plot(self, name: str | None = None) -> Figure:
        """Return the median and the lowest confidence against evaluations.

        Args:
            name: ``growth``, which is all there is.

        Raises:
            ConfigError: There is no such figure, or the history was not kept.
        """
        title, chosen = "Confidence against evaluations", chosen_figure(self.run or "this run", [GROWTH], name)
        return Figure(chosen, growth_curves({self.config.target.name: self._history()}, title))

    def _elites(self) -> list[dict[str, Any]]:
        """Return the lines of ``elites.jsonl``; of a run in memory, what is known of them."""
        if self.run:
            return RunFolder.open(self.run).elites()
        rows = zip(self.classes, self.indices.tolist(), self.confidence.tolist(), strict=True)
        places = self.places or [{}] * len(self.classes)
        return [
            {"class": name, "index": index, "score": score, **place}
            for (name, index, score), place in zip(rows, places, strict=True)
        ]

    def _history(self) -> list[dict[str, Any]]:
        """Return the lines of ``metrics.jsonl``."""
        if self.run is None:
            raise ConfigError("this run was made in memory, and its history was not kept; give it a folder with `out`")
        return RunFolder.open(self.run).metrics()

    def surest(self) -> list[int]:
        """Return the row of the surest elite of every class."""
        best: dict[int, int] = {}
        for row, index in enumerate(self.indices.tolist()):
            if index not in best or self.confidence[row] > self.confidence[best[index]]:
                best[index] = row
        return list(best.values())

    def summary(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        values = self.confidence[self.surest()]
        qd_score = float(self.confidence.sum(dtype=np.float64))
        several = {"niches": self.niches, "elites": len(self.classes), "qd_score": qd_score}
        options = self.config.options
        return {
            "run": str(self.run) if self.run else None,
            "gallery": str(self.gallery) if self.gallery else None,
            "sheet": str(self.sheet) if self.sheet else None,
            "target": self.config.target.name,
            "encoding": options.encoding,
            "preset": options.preset,
            "seed": options.seed,
            **({"swapped": self.config.swapped} if self.config.swapped else {}),
            "generations": self.generations,
            "evaluations": self.evaluations,
            "confirmations": self.confirmations,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.evaluations / self.seconds, 1) if self.seconds else 0.0,
            "median": median(values.tolist()),
            "mean": float(values.mean(dtype=np.float64)),
            "min": float(values.min()),
            "at_99": int((values >= 0.99).sum()),
            **(several if self.places else {}),
            "interrupted": self.interrupted,
            **({"note": self.note} if self.note else {}),
            "classes": [
                {"index": int(index), "class": name, "confidence": float(value), **place}
                for index, name, value, place in zip(
                    self.indices, self.classes, self.confidence, self.places or [{}] * len(self.classes), strict=True
                )
            ],
        }


@dataclass(frozen=True, repr=False)
class CampaignResult:
    """What a session of a campaign ended with. Printed, it is three lines, and what its data leave in doubt.

    Attributes:
        path: The campaign's folder; ``report`` is its page.
        statistics: Counts over the campaign's own attempts; ``baseline`` over those of random search, or None.
        total: How many pairs of image and criterion there are.
        interrupted: Whether it was stopped before all attempts had ended; ``running`` if another process worked on it
            when it was opened.
        scored: Rows scored in this session.
        config: The campaign's options, its target, plan and data, and the versions.
        note: Why it ended early, where nobody stopped it.
    """

    path: Path
    report: Path
    statistics: Statistics
    baseline: Statistics | None
    total: int
    interrupted: bool
    scored: int
    config: CampaignConfig
    note: str | None = None
    running: bool = False

    def __repr__(self) -> str:
        config, statistics = self.config, self.statistics
        interval = f"(95 % interval {between(*statistics.interval)})"
        share = f": {rate(statistics.rate)} {interval}" if statistics.settled else ""
        ended = ending(self.interrupted, self.running)
        return (
            f"{ended}: {config.target.name} on {config.data.name}, {config.plan.criterion}, {config.plan.strategy}\n"
            f"{statistics.successes:,} of {counted(statistics.settled, 'attempt')} succeeded{share}\n"
            + "".join(f"{note}\n" for note in data_notes(config))
            + f"campaign {self.path}, report {self.report}"
        )

    def _repr_html_(self) -> str:
        title, *lines = repr(self).split("\n")
        rows = [("success", lines[0]), *(("note", note) for note in lines[1:-1]), ("campaign", str(self.path))]
        rows += resuming(self.path, self.interrupted and not self.running)
        return fragment(title, rows, attempt_cards(self.path), self.report)

    def to_dataframe(self, table: str | None = None) -> Any:
        """Return the outcomes as a ``pandas.DataFrame``: a row an attempt, its columns called as in the folder's file.

        Args:
            table: ``outcomes``, which is all there is.

        Raises:
            ConfigError: There is no such table, or pandas is missing.
        """
        return data_frame({"outcomes": CampaignFolder.open(self.path).outcomes}, table)

    def plot(self, name: str | None = "success") -> Figure:
        """Return one of the report's figures.

        Args:
            name: ``success`` (against queries), ``classes``, ``places``, ``colours`` or ``confidence``, as far as there
                are successes.

        Raises:
            ConfigError: There is no such figure.
        """
        return written_figure(self.path, name)

    def summary(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        data = self.config.data
        return {
            "campaign": str(self.path),
            "report": str(self.report),
            **campaign_figures(self.config, self.statistics, self.baseline, self.total),
            "asked": data.asked,
            "looked": data.looked,
            "correct": data.correct,
            "labelled": data.labelled,
            "interrupted": self.interrupted,
            **({"note": self.note} if self.note else {}),
        }
