"""What lies around adversarial images: isolated points, or regions (Tabacof & Valle 2016).

Noise of known size is added to an adversarial image, and to the image that it comes from. The paper asks how many of
the noisy images keep the adversarial label, and how many are taken for the original class. Beside noise, the distance
is measured along which the label holds; and of edits of one pixel, which places and colours work as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from ..attacks.subject import Subject
from ..config.classes import choose_classes
from ..config.evolve import EvolveOptions
from ..config.experiments import ExperimentConfig
from ..config.probe import SOURCES, ProbeOptions
from ..encodings.banks import RANDOM, check_genomes
from ..errors import ConfigError, TargetError, suggestion
from ..search.defaults import resolve
from ..store.experiment import ExperimentFolder
from ..store.probe_records import ProbeResult
from ..targets.protocols import Target, differentiable, is_multilabel
from .criterion import excluded_classes
from .experiment import Findings, Part
from .image_experiment import ImageExperiment, chosen_images
from .probe_figures import Probed, lengths_fit
from .probe_findings import findings_of

LBFGS, PIXEL, FOOLING = SOURCES

IMAGES = 5
"""Images of a part of the work."""


class Probe(ImageExperiment):
    """The experiment ``probe``. A part is some images of one source: how they are found, and what lies around them."""

    result = ProbeResult

    @classmethod
    def check(cls, options: ProbeOptions, classes: Sequence[str], channels: int) -> None:
        """Check sources, classes and what evolution begins with."""
        for source in options.sources:
            if source not in SOURCES:
                hint = suggestion(source, SOURCES)
                raise ConfigError(f'`sources`: there is no "{source:.40}"{hint}; choose {", ".join(SOURCES)}')
        if not options.sources or len(set(options.sources)) < len(options.sources):
            raise ConfigError(f"`sources` must be different ones of {', '.join(SOURCES)}")
        cls.excluded(options, classes)
        resolve(EvolveOptions(encoding=options.encoding))
        if options.init not in (None, RANDOM):
            check_genomes(str(options.init), RANDOM)

    @classmethod
    def excluded(cls, options: ProbeOptions, classes: Sequence[str]) -> list[int]:
        """Return the classes that were not chosen, and the class to reach."""
        return excluded_classes(options, classes)

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many parts all sources have."""
        return sum(math.ceil(_items(config, source) / IMAGES) for source in config.options.sources)

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Find some adversarial images, and look around them."""
        from .probe_around import examined  # These import torch.
        from .probe_sources import by_evolution, by_lbfgs, by_pixel

        (target,) = targets
        if is_multilabel(target):
            raise TargetError(f"target {target.name} can see several classes at once; probe takes one of one class")
        options, network, share = folder.config.options, differentiable(target), _share(folder, part)
        seed = _seed(options.seed, part)
        if share.source == LBFGS:
            pairs = by_lbfgs(options, network, share.subjects)
        elif share.source == PIXEL:
            pairs = by_pixel(options, network, share.subjects, seed)
        else:
            pairs = by_evolution(options, network, share.classes, seed)
        results = [
            {**of, **examined(options, network, pair, _seed(seed, row))}
            for row, (of, pair) in enumerate(zip(share.names(), pairs, strict=True))
        ]
        pictures = [(255 * pair.image).round().numpy().astype(np.uint8) for pair in pairs]
        return Part(results, np.stack(pictures))

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return what noise, directions and other edits do, by source."""
        probed: dict[str, list[Probed]] = {source: [] for source in folder.config.options.sources}
        for part, results in folder.results(ProbeResult):
            share, pictures = _share(folder, part), folder.pictures(part)
            names = [{"image": result["image"]} if "image" in result else {} for result in results]
            if names != share.names() or len(pictures) != len(results) or not lengths_fit(folder.config, results):
                raise folder.other_images(part)
            for row, (result, picture) in enumerate(zip(results, pictures, strict=True)):
                subject = share.subjects[row] if share.subjects else None
                probed[share.source].append(Probed(msgspec.convert(result, ProbeResult), picture, subject))
        return findings_of(folder.config, probed)


EXPERIMENT = Probe


@dataclass(frozen=True)
class _Share:
    """What a part works on: images, or the classes that it evolves images for."""

    source: str
    subjects: Sequence[Subject] = ()
    classes: Sequence[int] = ()

    def names(self) -> list[dict[str, Any]]:
        """Return what results begin with."""
        return [{"image": subject.index} for subject in self.subjects] or [{} for _ in self.classes]


def _share(folder: ExperimentFolder, part: int) -> _Share:
    """Return what a part works on.

    Raises:
        RunError: There is no such part.
    """
    config, left = folder.config, part
    for source in config.options.sources:
        parts = math.ceil(_items(config, source) / IMAGES)
        if left < parts:
            some = slice(left * IMAGES, (left + 1) * IMAGES)
            if source == FOOLING:
                return _Share(source, classes=_evolved(config)[some])
            return _Share(source, subjects=folder.subjects[some])
        left -= parts
    raise folder.other_images(part)


def _items(config: ExperimentConfig, source: str) -> int:
    """Return how many images a source has to find."""
    return len(_evolved(config)) if source == FOOLING else chosen_images(config)


def _evolved(config: ExperimentConfig) -> list[int]:
    """Return the classes that images are evolved for: some of those that were chosen, drawn by the seed."""
    options = config.options
    chosen = choose_classes(options.classes, config.classes)
    drawn: list[int] = np.random.default_rng(options.seed).permutation(chosen).tolist()
    return drawn[: options.count]


def _seed(*numbers: int) -> int:
    """Return a seed that depends on numbers alone."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(2))
