"""Evolved images that experiments take apart: from runs, genome files, banks and pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..attacks.subject import Subject
from ..config.class_names import ClassNames
from ..config.classes import choose_classes
from ..config.elites import FILLS, EliteOptions
from ..config.experiments import ExperimentConfig
from ..config.records import CampaignConfig, DataRecord
from ..config.sweep import SweepConfig
from ..datasets import Fitting
from ..encodings.banks import MANY_SUFFIX, bank_names, find_genomes
from ..encodings.genome_file import GenomeFile
from ..encodings.genome_lines import names_one_genome, read_genome, read_genomes
from ..errors import ConfigError, RunError, suggestion
from ..gallery.pages.path_source import read_kind
from ..io.images import fit, open_image
from ..io.nearby import nearby
from ..store.folder import check_free
from ..store.run import RunFolder
from ..store.sweep import SweepFolder
from ..targets.members import joined
from ..targets.outline import check_named
from ..targets.protocols import Target
from .experiment import Begun, Experiment
from .prepare import prepared

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
"""The suffixes of pictures in a folder without genomes."""


class Candidate(NamedTuple):
    """An evolved image before it is drawn.

    Attributes:
        path: What names it.
        name, number: Its class and that class's index, as far as they are known.
        genome: Its genome, if it is the picture of a CPPN; else its file is the picture.
    """

    path: Path
    name: str | None
    number: int | None
    genome: GenomeFile | None = None


class EliteExperiment(Experiment):
    """An experiment on evolved images. It needs nothing but scores, so any target will do. A part is one image."""

    asks = True

    @classmethod
    def check(cls, options: Any, shape: tuple[int, int, int]) -> None:
        """Check options against the shape (C, H, W) of a target's images.

        Raises:
            ConfigError: They don't fit it.
        """

    @classmethod
    def begin(cls, options: Any, own: Sequence[Target], out: Path) -> Begun:
        """Find the images and their target, draw them, and score them."""
        check_free(out)
        if options.fill not in FILLS:
            raise ConfigError(
                f'`fill`: there is no "{options.fill:.40}"{suggestion(options.fill, FILLS)}; choose {", ".join(FILLS)}'
            )
        candidates = list(find_candidates(map(Path, options.genomes)))
        if not own:
            options = _with_target(options, candidates)
            check_named(options.target, weights=options.weights, device=options.device, model=options.model)
        from ..targets.prepare import versions  # It imports torch.

        ready = prepared(options, own[0] if own else options.target)
        cls.check(options, ready.target.image_shape)
        chosen = _chosen(options, candidates, ready.target.classes)
        subjects = _scored(options, chosen, ready.target, ready.fitting)
        config = ExperimentConfig(
            options=options,
            targets=(ready.record,),
            classes=tuple(ready.target.classes),
            data=_record(options, len(candidates), subjects),
            versions=versions(),
        )
        return Begun(config, [ready.target], subjects)

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many images there are."""
        assert config.data is not None, "an experiment on images"
        return config.data.chosen


def find_candidates(paths: Iterable[Path]) -> Iterator[Candidate]:
    """Yield the evolved images at some paths.

    Args:
        paths: Runs and sweeps, genome files, folders of them, banks, entries of these, pictures, folders of pictures.

    Raises:
        RunError: Nothing is there, or a run is damaged.
        GenomeError: A genome can't be read.
    """
    for path in paths:
        kind = read_kind(path)
        if kind == CampaignConfig.kind or kind == ExperimentConfig.kind:
            raise RunError(f"{path} is {'a campaign' if kind == CampaignConfig.kind else 'an experiment'}; give a run")
        if kind:
            runs = list(SweepFolder.open(path).begun().values()) if kind == SweepConfig.kind else [path]
            for run in runs:
                yield from _elites_of(RunFolder.open(run))
            continue
        found = find_genomes(path)
        if found is None:
            raise RunError(
                f"nothing at {path}{nearby(path, bank_names())}; give a run, a genome file, a folder of genomes, a "
                f"bank ({', '.join(bank_names())}), one of its genomes (cifar10-cppn#cat) or a picture"
            )
        if not found.is_dir() and found.suffix != MANY_SUFFIX and not names_one_genome(found):
            yield Candidate(found, None, None)
            continue
        single = names_one_genome(found)
        genomes = [(found, read_genome(found))] if single else read_genomes(found)
        pictures = [] if genomes else [file for file in sorted(found.iterdir()) if file.suffix.lower() in PICTURES]
        if not genomes and not pictures:
            raise RunError(f"{path} holds neither a run (config.json) nor genomes (.json, .jsonl) nor pictures")
        yield from (Candidate(file, None, None) for file in pictures)
        for file, genome in genomes:
            index, name = genome.provenance.get("index"), genome.provenance.get("class")
            yield Candidate(
                file, name if isinstance(name, str) else None, index if type(index) is int else None, genome
            )


def fill_colour(image: NDArray[np.uint8], fill: str) -> NDArray[np.uint8]:
    """Return (C, 1, 1): what is put in place of what is taken out of an image (C, H, W)."""
    if fill == "mean":
        mean: NDArray[np.uint8] = image.mean((1, 2), keepdims=True).round().astype(np.uint8)
        return mean
    return np.full((len(image), 1, 1), {"grey": 128, "black": 0}[fill], np.uint8)


def confidences(
    target: Target, batches: Iterable[NDArray[np.uint8]], label: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the confidence of one class, and the first guess, for all images of some batches.

    Raises:
        TargetError: The target fails, or gives scores that are no probabilities.
    """
    import torch

    from ..engines.local import LocalEngine

    engine = LocalEngine(target)
    found, first = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
    for images in batches:
        scores = engine.confirm(torch.from_numpy(np.ascontiguousarray(images)))
        engine.check(scores)
        found.append(scores[:, label].cpu().numpy())
        first.append(scores.argmax(1).cpu().numpy())
    return np.concatenate(found), np.concatenate(first)


def kept(confidence: float, whole: float) -> float:
    """Return how much of a confidence stays, in [0, 1]; what rises stays whole."""
    return min(1.0, confidence / whole) if whole > 0 else 1.0


def _elites_of(run: RunFolder) -> Iterator[Candidate]:
    """Yield the elites of a run."""
    lines = run.elites()
    if not lines:
        raise RunError(f"{run.path} has no elites yet; let it run for a generation: evofool resume {run.path}")
    for line in lines:
        genome = run.genome(line)
        file = run.path / line["genome"] if genome else run.picture(line)
        yield Candidate(file, line["class"], line["index"], genome)


def _with_target(options: EliteOptions, candidates: Sequence[Candidate]) -> EliteOptions:
    """Return options that name a target: the given one, that of the images' run, or that of the genomes.

    Raises:
        ConfigError: They name several targets, or one that only the user has.
    """
    if options.target is not None:
        return options
    from ..engines.guesses import common_target
    from ..jobs.scoring import job_of

    job = job_of(sorted({candidate.path.parent for candidate in candidates}))
    if job is None:
        target = common_target({candidate.path: candidate.genome for candidate in candidates})
        if not isinstance(target, str):
            raise ConfigError(f"the genomes were evolved for {joined(target)} together; name one of them as `target`")
        return msgspec.structs.replace(options, target=target)
    folder, record = job[0], job[1].target
    if record.own:
        raise ConfigError(
            f"{folder} was made with your own Target {record.name}; call evofool.{options.experiment}(…, target=…) in "
            "Python, or name a `target`"
        )
    if record.members or record.robust:
        raise ConfigError(f"{folder} was made with {record.scoring}; name a single target as `target`")
    weights = options.weights if options.weights is not None else record.weights
    return msgspec.structs.replace(options, target=record.spec, weights=weights, **record.model.said)


def _chosen(
    options: EliteOptions, candidates: Sequence[Candidate], classes: Sequence[str]
) -> list[tuple[Candidate, int | None]]:
    """Return the images to work on, each with the index of its class; None where the target's first guess is taken."""
    names = ClassNames(list(classes))
    found = [(each, _label(each, names)) for each in candidates]
    if options.classes is not None:
        wanted = set(choose_classes(options.classes, classes).tolist())
        found = [each for each in found if each[1] in wanted]
        if not found:
            raise ConfigError(f"none of {len(candidates)} images is of `classes={options.classes}`; choose others")
    if len(found) > options.count:
        rng = np.random.default_rng(np.random.SeedSequence(options.seed))
        found = [found[at] for at in sorted(rng.choice(len(found), options.count, replace=False).tolist())]
    return found


def _label(candidate: Candidate, names: ClassNames) -> int | None:
    """Return the index of an image's class among a target's, or None where it is none of them."""
    name, index = candidate.name, candidate.number
    if name is None:
        return None
    if index is not None and 0 <= index < len(names.classes) and names.classes[index] == name:
        return index
    found = names.find(name)
    return found[0] if found else None


def _scored(
    options: EliteOptions, chosen: Sequence[tuple[Candidate, int | None]], target: Target, fitting: Fitting
) -> list[Subject]:
    """Draw images at the target's size, and score them."""
    import torch

    from ..encodings.drawing import drawn_at
    from ..engines.local import LocalEngine

    engine, subjects = LocalEngine(target), list[Subject]()
    for start in range(0, len(chosen), options.batch):
        part = chosen[start : start + options.batch]
        images = [
            drawn_at(each.genome.encoding, each.genome.genomes, target.image_shape)[0]
            if each.genome
            else fit(open_image(each.path), target.image_shape, fitting.resize, fitting.interpolation)
            for each, _ in part
        ]
        scores = engine.confirm(torch.from_numpy(np.stack(images)))
        engine.check(scores)
        surest, first = (column[:, 0].tolist() for column in scores.cpu().topk(1))
        for (each, label), image, confidence, guess in zip(part, images, surest, first, strict=True):
            sha256 = hashlib.sha256(image.tobytes()).hexdigest()
            own, genome = guess if label is None else label, each.genome.content if each.genome else None
            subjects.append(Subject(len(subjects), str(each.path), sha256, image, own, guess, confidence, genome))
    return subjects


def _record(options: EliteOptions, looked: int, subjects: Sequence[Subject]) -> DataRecord:
    """Return where the images came from."""
    return DataRecord(
        name=", ".join(options.genomes),
        path=None,
        dir="",
        asked=options.count,
        chosen=len(subjects),
        looked=looked,
        correct=sum(subject.prediction == subject.label for subject in subjects),
        labelled=True,
        mapping=(),
        reason="",
        skipped={},
    )
