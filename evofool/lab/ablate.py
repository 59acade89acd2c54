"""What is left of an evolved image's confidence without parts of it: nodes of its CPPN, and repeated elements.

Nguyen, Yosinski, Clune 2015, §3.4 (ablating extra copies of a repeated element). Repetition is taken out in two ways.
In the picture, its autocorrelation tells where the copies of an element are, and they are painted over. In the genome,
each node that is periodic is kept to a single period.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..attacks.subject import Subject
from ..config.elites import AblateOptions
from ..encodings.genome_file import GenomeFile
from ..io.arrays import shortest
from ..store.experiment import ExperimentFolder
from ..store.records import AblateResult
from ..targets.protocols import Target
from .ablate_findings import findings_of
from .elites import EliteExperiment, confidences, fill_colour
from .experiment import Findings, Part
from .repeats import cells, find_lattice

COPIES = 64
"""Most copies of an element that are removed one by one: those nearest to the centre."""

SAMPLES = 64
"""Longest side, in pixels, of the picture on which it is found how far periodic nodes go."""


class Removal(NamedTuple):
    """One thing that is taken out of an image.

    Attributes:
        kind: ``whole`` (nothing), ``node`` or ``pair`` (of a CPPN), ``period`` (all periods of periodic nodes but one),
            ``copy`` (one copy of a repeated element) or ``alone`` (all copies but one).
        nodes: The nodes' numbers in the genome's file.
        centres: What periodic nodes bend at the image's centre, around which a period of each stays.
        copies: How many copies there are of an element; how many periods a node went through, rounded.
    """

    kind: str
    nodes: tuple[int, ...] = ()
    centres: tuple[float, ...] = ()
    copies: int = 0


class Ablate(EliteExperiment):
    """The experiment ``ablate``."""

    result = AblateResult

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Remove one thing after the other from one image."""
        (target,), subject, options = targets, folder.subjects[part], folder.config.options
        removals, pictures = [Removal("whole")], [subject.image[None]]
        for removal, picture in [*_from_genome(folder, subject, options), *_from_picture(subject, options)]:
            removals.append(removal)
            pictures.append(picture)
        found, first = confidences(target, _batches(pictures, options.batch), subject.label)
        shown = _shown(removals, found)
        results = [
            {
                "image": subject.index,
                "kind": removal.kind,
                "nodes": list(removal.nodes),
                "centres": list(removal.centres),
                "copies": removal.copies,
                "confidence": shortest(found[row]),
                "first": int(first[row]),
                "picture": shown.index(row) if row in shown else None,
            }
            for row, removal in enumerate(removals)
        ]
        return Part(results, np.concatenate([pictures[row] for row in shown] or [subject.image[None][:0]]))

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return what each kind of removal leaves of the confidence, by image."""
        results, classes = [], len(folder.config.classes)
        for part, found in folder.results(AblateResult):
            kinds = [result["kind"] for result in found]
            if {result["image"] for result in found} != {part} or kinds[0] != "whole" or kinds.count("whole") > 1:
                raise folder.other_images(part)
            if any(result["first"] >= classes for result in found):
                raise folder.other_images(part)
            results.append(found)
        return findings_of(folder, results)


EXPERIMENT = Ablate


def _from_genome(
    folder: ExperimentFolder, subject: Subject, options: AblateOptions
) -> Iterator[tuple[Removal, NDArray[np.uint8]]]:
    """Yield what is removed from a genome, with the pictures (1, C, H, W) of what is left."""
    from ..encodings.cppn.removal import needed_nodes, with_one_period, without_nodes
    from ..encodings.drawing import drawn_at

    genome = folder.genome(subject)
    if genome is None:
        return
    encoding, shape = genome.encoding, subject.image.shape
    nodes = needed_nodes(genome.genomes, encoding.outputs)
    groups = [(node,) for node in nodes] + _pairs(nodes, options.pairs, (options.seed, subject.index))
    for start in range(0, len(groups), options.batch):
        chunk = groups[start : start + options.batch]
        drawn = drawn_at(encoding, without_nodes(genome.genomes, encoding.outputs, chunk), shape)
        for row, group in enumerate(chunk):
            yield Removal("node" if len(group) == 1 else "pair", group), drawn[row : row + 1]
    repeating = _repeating(genome)
    single = [{node: centre} for node, (_, centre) in repeating.items()]
    every = [{node: centre for node, (_, centre) in repeating.items()}] if len(repeating) > 1 else []
    for changed in single + every:
        copies = max(round(repeating[node][0]) for node in changed)
        picture = drawn_at(encoding, with_one_period(genome.genomes, [changed]), shape)
        yield Removal("period", tuple(changed), tuple(changed.values()), copies), picture


def _pairs(nodes: Sequence[int], most: int, seed: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the pairs of nodes to remove; where there are more than ``most``, a random choice."""
    first, second = np.triu_indices(len(nodes), 1)
    chosen = np.arange(len(first))
    if len(first) > most:
        chosen = np.sort(np.random.default_rng(np.random.SeedSequence(seed)).choice(len(first), most, replace=False))
    return [(nodes[first[at]], nodes[second[at]]) for at in chosen.tolist()]


def _repeating(genome: GenomeFile) -> Mapping[int, tuple[float, float]]:
    """Return the periodic nodes that repeat themselves, with their periods and what they are given at the centre."""
    import torch

    from ..encodings.cppn.coordinates import pixel_coordinates
    from ..encodings.cppn.removal import arguments, repeating_nodes

    native = genome.image_shape[1:]
    scale = min(1.0, SAMPLES / max(native))
    size = max(1, round(native[0] * scale)), max(1, round(native[1] * scale))
    coordinates = pixel_coordinates(size, native, genome.coordinates, torch.device("cpu"))
    sums = arguments(genome.genomes, coordinates)
    centre = (size[0] // 2) * size[1] + size[1] // 2
    periods = repeating_nodes(genome.genomes, genome.encoding.outputs, sums)
    return {node: (count, float(sums[node, centre])) for node, count in periods.items()}


def _from_picture(subject: Subject, options: AblateOptions) -> Iterator[tuple[Removal, NDArray[np.uint8]]]:
    """Yield what is removed of the repeated elements of a picture, with the pictures (1, C, H, W) of what is left."""
    lattice = find_lattice(subject.image)
    if lattice is None:
        return
    number = cells((subject.image.shape[1], subject.image.shape[2]), lattice)
    copies = int(number.max()) + 1
    if copies < 2:
        return
    colour = fill_colour(subject.image, options.fill)
    for kind in ("copy", "alone"):
        for copy in range(min(copies, COPIES)):
            gone = number == copy if kind == "copy" else number != copy
            yield Removal(kind, copies=copies), np.where(gone, colour, subject.image)[None]


def _batches(pictures: Sequence[NDArray[np.uint8]], size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures in batches of at most ``size``."""
    for start in range(0, len(pictures), size):
        yield np.concatenate(pictures[start : start + size])


def _shown(removals: Sequence[Removal], found: NDArray[np.float32]) -> list[int]:
    """Return the removals whose pictures are kept: the most harmful of each kind, and of single copies the surest."""
    shown = []
    for kind in ("node", "pair", "period", "copy", "alone"):
        rows = [row for row, removal in enumerate(removals) if removal.kind == kind]
        if rows:
            best = max if kind == "alone" else min
            shown.append(best(rows, key=lambda row: float(found[row])))
    return shown
