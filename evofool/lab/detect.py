"""Can images that fool a network be told from real ones: by its confidence, its insides, or a detector that learns?

Hendrycks & Gimpel 2017 (maximum softmax probability), Hendrycks et al. 2022 (maximum logit), Liu et al. 2020 (energy),
Liang et al. 2018 (ODIN), Lee et al. 2018 (Mahalanobis distance), Sun et al. 2022 (nearest neighbours); Nguyen et al.
2015, §3.3 (networks that are trained on evolved images). Conventions are OpenOOD's and pytorch-ood's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..attacks.plan import choices_of, plan_of
from ..attacks.subject import Subject
from ..config.classes import choose_classes
from ..config.detect import DetectOptions
from ..config.experiments import ExperimentConfig
from ..config.fooling import ENCODINGS, PIXEL
from ..config.perturb import METHODS
from ..datasets import open_data
from ..errors import ConfigError, TargetError
from ..io.arrays import shortest
from ..jobs.checks import check_fitting, check_labelled
from ..store.experiment import ExperimentFolder, Result
from ..store.records import DetectedImage, FittedScores
from ..targets.protocols import Differentiable, Target, differentiable, is_multilabel
from .detect_findings import findings_of
from .detect_plan import FITTED, REAL, SOURCE, is_known, known_images, pieces
from .detect_results import read_results
from .elites import find_candidates
from .experiment import Begun, Experiment, Findings, Part
from .fooling_plan import arms, attack_options, check_kinds
from .fooling_sources import Network, settled, taken_again
from .prepare import prepared, selected_images

FEWEST = 4
"""Fewest real images: half of them are learnt from, and of one nothing can be said."""


class Detect(Experiment):
    """The experiment ``detect``. A part is a batch of images, a run or a source; the last fits what learns of these."""

    result = DetectedImage | FittedScores
    asks = True

    @classmethod
    def begin(cls, options: DetectOptions, own: Sequence[Target], out: Path) -> Begun:
        """Load the network, choose the real images, and look at those that are given."""
        check_kinds(options)
        if options.count < FEWEST:
            raise ConfigError(
                f"`count` must be at least {FEWEST}, got {options.count}: half of the images are learnt from"
            )
        for source in options.sources:
            next(iter(find_candidates([Path(source)])), None)  # Says so where nothing is there.
        options, outline = check_labelled(options, named=not own, out=out)
        data = None
        if outline:
            arms(options, outline.image_shape[0])
            choices_of(attack_options(options), *outline)
            choose_classes(options.classes, outline.classes)
            data = check_fitting(options, outline)
        from ..jobs.data import data_record
        from ..targets.prepare import versions

        ready = prepared(options, own[0] if own else str(options.target))
        target = ready.target
        if is_multilabel(target):
            raise TargetError(f"target {target.name} can see several classes at once; detect takes one of one class")
        options = _possible(options, target)
        arms(options, target.image_shape[0])
        plan_of(attack_options(options), target)
        if options.sources:
            options = settled(options, [Network(ready.record, target.classes)], target.image_shape)
        data = data or open_data(str(options.data), Path(options.data_dir), ready.fitting)
        images = selected_images(options, data, target)
        if len(images.subjects) < FEWEST:
            raise ConfigError(f"`data={options.data}` has {len(images.subjects)} such images; give at least {FEWEST}")
        config = ExperimentConfig(
            options=options,
            targets=(ready.record,),
            classes=tuple(target.classes),
            data=data_record(options, data, images, options.count),
            versions=versions(),
        )
        return Begun(config, [target], images.subjects)

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many batches, runs and sources there are, and one more."""
        return len(pieces(config))

    @classmethod
    def spread(cls, config: ExperimentConfig) -> int:
        """Return the number of all parts but the last, which learns from their images."""
        return cls.parts(config) - 1

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Make or take images, and have them scored; at last, fit what learns from images."""
        from . import fooling_images as made
        from .detect_scores import fitted_scores

        (target,), config, piece = targets, folder.config, pieces(folder.config)[part]
        options: DetectOptions = config.options
        nothing = np.empty((0, *config.target.image_shape), np.uint8)
        if piece.kind == FITTED:
            return Part(fitted_scores(folder, target), nothing)
        if piece.kind in ENCODINGS or piece.kind == SOURCE:
            kind = piece.kind
            if kind == SOURCE:
                source = taken_again(folder, [Network(config.target, target.classes)], piece.number)
                kind, images, wanted = source.kind, source.images, source.wanted
            else:
                images, wanted = made.evolved(target, kind, options, piece.number)
            known = known_images(config, piece, len(images))
            results = _results(target, images, [{"kind": kind, "known": each} for each in known])
            for result, index in zip(results, wanted, strict=True):
                result |= {"wanted": index, "fools": result["first"] == index}
            return Part(results, images)
        subjects = folder.subjects[piece.number * options.batch : (piece.number + 1) * options.batch]
        if piece.kind != REAL:
            subjects = [each for each in subjects if each.prediction == each.label]
        if not subjects:
            return Part([], nothing)
        if piece.kind == REAL:
            images = np.stack([subject.image for subject in subjects])
        elif piece.kind == PIXEL:
            images = made.edited_pixels(target, subjects, attack_options(options))
        else:
            arm = arms(options, config.target.image_shape[0])[piece.kind]
            images = made.perturbed_images(target, subjects, arm, options, part)
        results = _results(target, images, [_facts(config, piece.kind, subject) for subject in subjects])
        for result in results:
            result["fools"] = piece.kind != REAL and result["first"] != result["label"]
        return Part(results, nothing if piece.kind == REAL else images)

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return how well each score tells each kind of images."""
        return findings_of(folder, read_results(folder))


EXPERIMENT = Detect


def _possible(options: DetectOptions, target: Target) -> DetectOptions:
    """Return options with the kinds that are made, which a network without gradients can't have all of.

    Raises:
        TargetError: Kinds were asked for that take gradients, and it gives none.
    """
    made = options.made
    if not isinstance(target, Differentiable):
        if options.kinds is None:
            made = tuple(kind for kind in made if kind not in METHODS)
        elif taking := [kind for kind in made if kind in METHODS]:
            differentiable(target, instead=f" (leave {', '.join(taking)} out of `kinds`)")
    return msgspec.structs.replace(options, kinds=made)


def _facts(config: ExperimentConfig, kind: str, subject: Subject) -> Result:
    """Return what is known of an image that is a real one, or was made from it."""
    known = is_known(config, subject.index)
    return {"kind": kind, "known": known, "label": subject.label, "image": subject.index}


def _results(target: Target, images: NDArray[np.uint8], facts: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Return what a network's outputs and gradients say of images, with what is known of them."""
    from .detect_scores import image_scores

    probabilities, scores = image_scores(target, images)
    firsts = probabilities.argmax(1)
    return [
        {
            "of": "image",
            "wanted": None,
            "label": None,
            **known,
            "first": int(first),
            "confidence": shortest(float(probabilities[row, first])),
            "fools": False,
            "scores": {name: float(values[row]) for name, values in scores.items()},
        }
        for row, (known, first) in enumerate(zip(facts, firsts, strict=True))
    ]
