"""The elites of a moment: copies that are decoded bit by bit and written while the evolution goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..io.slug import slug
from ..targets.itemised import items_of

if TYPE_CHECKING:
    from ..encodings.base import Encoding
    from ..search.evolution import Evolution
    from ..targets.protocols import Target

LinesByNiche = dict[int, dict[str, Any]]


@dataclass
class Elites:
    """The elites of a moment, as copies.

    They are decoded between generations and not where they are written: torch's second pool of threads, on another
    thread than the evolution's, would slow down every operation of the first for good.

    Attributes:
        encoding: The encoding of the genomes.
        target: What scored them.
        lines_by_niche: The lines of ``elites.jsonl``.
        genomes: A batch of the N genomes whose files are to be written. A child that won many niches is there once.
        lines_by_genome: The lines of each of these genomes.
        images: The (C, H, W) uint8 pictures that are decoded so far.
    """

    encoding: Encoding
    target: Target
    lines_by_niche: LinesByNiche
    genomes: Any
    lines_by_genome: list[list[dict[str, Any]]]
    images: list[np.ndarray]

    @classmethod
    def of(cls, evolution: Evolution, changed: np.ndarray | None = None, before: LinesByNiche | None = None) -> Elites:
        """Copy the elites of an evolution whose archive has some.

        Args:
            evolution: The evolution.
            changed: Niches whose elites changed since the last time; None is all.
            before: The lines as they were then, which the other niches keep.
        """
        archive = evolution.archive
        held = archive.held()
        rows = held if changed is None else np.intersect1d(changed, held)
        renewed = held if before is None else rows
        lines = (before or {}) | dict(zip(renewed.tolist(), _lines(evolution, renewed), strict=True))
        lines = {niche: lines[niche] for niche in held.tolist()}
        children, first = np.unique(archive.evaluation_id[rows], return_index=True)
        shown: dict[int, list[dict[str, Any]]] = {child: [] for child in children.tolist()}
        for niche in rows.tolist():
            shown[int(archive.evaluation_id[niche])].append(lines[niche])
        genomes = archive.genomes.take(rows[first])
        return cls(evolution.encoding, evolution.target, lines, genomes, list(shown.values()), [])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of ``elites.jsonl``, one per niche that has an elite."""
        return list(self.lines_by_niche.values())

    def decode(self, pixels: int | None = None) -> bool:
        """Decode so many more pixels, or all of them. What the scores of these pictures are made of goes into lines.

        Returns:
            Whether all pictures are decoded.
        """
        height, width = self.encoding.image_shape[1:]
        done, count = len(self.images), len(self.genomes)
        rows = np.arange(done, count)[: None if pixels is None else max(1, pixels // (height * width))]
        if len(rows):
            images = self.encoding.decode(self.genomes.take(rows)).numpy(force=True)
            self.images.extend(images)
            lines = [self.lines_by_genome[row] for row in rows.tolist()]
            items = items_of(self.target, images, [[line["index"] for line in each] for each in lines])
            for each, found in zip(lines, items, strict=True):
                for line, groups in zip(each, found, strict=True):
                    line.update(groups)
        return len(self.images) == count


def _lines(evolution: Evolution, niches: np.ndarray) -> list[dict[str, Any]]:
    """Return the lines of ``elites.jsonl`` of some niches that have elites."""
    archive, target = evolution.archive, evolution.target
    columns, values = archive.kept.top(5, niches)
    confidence = archive.confidence[niches].tolist()
    sizes = archive.genomes.sizes()[niches].tolist()
    places = evolution.diversity.places(archive, niches) if evolution.diversity else [{}] * len(niches)
    lines: list[dict[str, Any]] = []
    for row, niche in enumerate(niches.tolist()):
        index, evaluation = int(archive.class_of_niche[niche]), int(archive.evaluation_id[niche])
        provisional = bool(archive.provisional[niche])
        stem = elite_stem(index, target.classes[index], confidence[row], evaluation, provisional=provisional)
        line = {
            "niche": niche,
            "class": target.classes[index],
            "index": index,
            "score": confidence[row],
            "top5": [[target.classes[c], float(str(v))] for c, v in zip(columns[row], values[row], strict=True)],
            "generation": int(archive.generation[niche]),
            "evaluation": evaluation,
            "parent": int(archive.parent[niche]),
            "size": sizes[row],
            "file": f"elites/{stem}.png",
        }
        if provisional:
            line["provisional"] = True
        if evolution.encoding.name == "cppn":
            line["genome"] = f"elites/{stem}.json"
        lines.append(line | places[row])
    return lines


def elite_stem(index: int, name: str, score: float, child: int, *, provisional: bool = False) -> str:
    """Return a file name, without ending, that sorts by class and tells name, score and child: ``003_cat_0.9987_4711``.

    No other elite of the run has the same name, nor had this one while it was provisional: ``…_4711p``. So a file never
    changes: what ``elites.jsonl`` names is whole while newer files are written. Any class name becomes at most 40
    letters, digits and hyphens. The score is cut, not rounded, so only a certain 1 reads 1.0000.
    """
    return f"{index:03d}_{slug(name)}_{int(score * 10000) / 10000:.4f}_{child}{'p' if provisional else ''}"
