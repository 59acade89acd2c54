"""Does a network that learns what fools it stay foolable?

Nguyen et al. 2015, on training networks to recognise fooling images: a classifier is trained again with evolved images
as class n + 1, fooled again, and so on. Madry et al. 2018, §2 and §3: it is trained on images perturbed against it.
What else each helps against is tried on the first and the last network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..config.experiments import ExperimentConfig
from ..config.harden import BY, HardenOptions
from ..errors import ConfigError
from ..io.arrays import shortest
from ..jobs.checks import check_common
from ..store.experiment import ExperimentFolder, Result
from ..store.records import HardenResult
from ..targets.protocols import Target
from .experiment import Begun, Experiment, Findings, Part
from .harden_findings import findings_of
from .harden_plan import EPOCH, Piece, check_options, pieces
from .prepare import check_asking, prepared


class Harden(Experiment):
    """The experiment ``harden``. A part is an epoch of training, an evolution, or an attack on all images."""

    result = HardenResult
    alone = "trains a network, epoch after epoch"

    @classmethod
    def begin(cls, options: HardenOptions, own: Sequence[Target], out: Path) -> Begun:
        """Load the network and the images that it learns from."""
        if own:
            raise ConfigError(f"`target` must be a network that evofool can train, got your own, {own[0].name}")
        options = check_options(options)
        outline = check_common(options, named=True, out=out)
        check_asking(options)
        assert outline is not None, "embedded networks are known by name"
        from ..targets.prepare import versions  # This and the next import torch.
        from .harden_networks import digest_of_data, labelled

        ready = prepared(options, str(options.target))
        data = labelled(str(options.target), options.data_dir)
        config = ExperimentConfig(
            options=replace(options, data_sha256=digest_of_data(data)),
            targets=(ready.record,),
            classes=tuple(ready.target.classes),
            data=None,
            versions=versions(),
        )
        return Begun(config, [ready.target])

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many epochs, evolutions and attacks there are."""
        return len(pieces(config.options))

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Train for an epoch, evolve, or attack."""
        from . import harden_images as made
        from . import harden_networks as networks

        options, classes = folder.config.options, len(folder.config.classes)
        planned = pieces(options)
        piece = planned[part]
        if piece.kind == EPOCH:
            return _epoch(folder, targets, planned, piece)
        if options.by != "pgd" or piece.round == options.rounds:
            networks.forget_state(folder)
        target = networks.target_of(folder, targets, piece.round, _digest(folder, planned, piece.round))
        if piece.kind in ("cppn", "direct"):
            found = made.evolved(target, options, piece, classes)
            elites: list[Result] = [
                {
                    "kind": "elite",
                    "round": piece.round,
                    "encoding": piece.kind,
                    "class_index": index,
                    "confidence": shortest(min(1.0, confidence)),
                    "at_99": found.reached[0][index],
                    "at_9999": found.reached[1][index],
                }
                for index, confidence in enumerate(found.confidence)
            ]
            return Part(elites, found.images)
        images = made.right(target, networks.labelled(options.target, options.data_dir).test, options.count)
        if piece.kind != "noise" and not len(images):
            return Part([], np.empty((0, *target.image_shape), np.uint8))
        pictures = made.attacked(target, options, piece.kind, images, classes)
        labels = [None] * len(pictures) if piece.kind == "noise" else images.labels.tolist()
        shown: list[Result] = [
            {
                "kind": "shown",
                "round": piece.round,
                "attack": piece.kind,
                "label": label,
                "first": first,
                "confidence": shortest(confidence),
            }
            for label, first, confidence in zip(labels, *made.guesses(target, pictures), strict=True)
        ]
        return Part(shown, pictures)

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return how foolable the network is after every round, and what hardening helps against."""
        planned, results = pieces(folder.config.options), list[tuple[Piece, list[Result]]]()
        for part, found in folder.results(HardenResult):
            if part >= len(planned) or not _fit(found, planned[part], len(folder.config.classes)):
                raise folder.other_images(part)
            results.append((planned[part], found))
        return findings_of(folder, results)

    @staticmethod
    def known_scores(folder: ExperimentFolder, most: int) -> Iterable[tuple[NDArray[np.uint8], tuple[int, float]]]:
        """Yield the first evolved images, with their classes."""
        for part, found in islice(folder.results(HardenResult), 1, 2):
            for image, result in zip(folder.pictures(part)[:most], found, strict=False):
                yield image, (result["class_index"], result["confidence"])


EXPERIMENT = Harden


def _epoch(folder: ExperimentFolder, targets: Sequence[Target], planned: Sequence[Piece], piece: Piece) -> Part:
    """Train for an epoch, or look at the network as it is given."""
    from . import harden_images as made
    from . import harden_networks as networks

    options = folder.config.options
    pgd, data = options.by == "pgd", networks.labelled(options.target, options.data_dir)
    result: Result = {"kind": "epoch", "round": piece.round, "epoch": piece.number}
    if piece.round == 0:
        target, fooling = targets[0], []
        first = np.array(made.guesses(target, data.test.images.numpy())[0])
        accuracy = float((first == data.test.labels.numpy()).mean())
        result |= {"loss": None, "accuracy": accuracy, "weights_sha256": None}
    else:
        begun_with = 0 if pgd or options.scratch else piece.round - 1
        before = networks.target_of(folder, targets, begun_with, _digest(folder, planned, begun_with))
        fooling = [] if pgd else [folder.pictures(part) for part in _learnt(planned, piece, options)]
        target, report, digest = networks.train(folder, before, piece, fooling)
        result |= {"loss": report.loss, "accuracy": report.accuracy, "weights_sha256": digest}
    result |= {"added": sum(map(len, fooling)), "robust": None}
    if pgd:
        images, kind = data.test.first(options.count), "pgd-l2" if options.norm == "l2" else "pgd"
        attacked = made.attacked(target, options, kind, images, len(folder.config.classes))
        first = np.array(made.guesses(target, attacked)[0])
        result["robust"] = float((first == images.labels.numpy()).mean())
    return Part([result], np.empty((0, *folder.config.target.image_shape), np.uint8))


def _learnt(planned: Sequence[Piece], piece: Piece, options: HardenOptions) -> list[int]:
    """Return the parts whose images a round learns from."""
    first = 0 if options.replay == "all" else piece.round - 1
    return [
        part
        for part, each in enumerate(planned[: planned.index(piece)])
        if each.kind in BY[options.by] and first <= each.round < piece.round
    ]


def _digest(folder: ExperimentFolder, planned: Sequence[Piece], number: int) -> str | None:
    """Return the SHA-256 of a round's weights on record; None before the first round."""
    if number == 0:
        return None
    last = planned.index(Piece(EPOCH, number, folder.config.options.epochs - 1))
    (result,) = next(found for part, found in folder.results(HardenResult) if part == last)
    return str(result["weights_sha256"])


def _fit(found: Sequence[dict[str, Any]], piece: Piece, classes: int) -> bool:
    """Return whether results may be those of a part."""
    if any(each["round"] != piece.round for each in found):
        return False
    if piece.kind == EPOCH:
        return [(each["kind"], each.get("epoch")) for each in found] == [("epoch", piece.number)]
    if piece.kind in ("cppn", "direct"):
        told = [(each["kind"], each.get("encoding"), each.get("class_index")) for each in found]
        return told == [("elite", piece.kind, index) for index in range(classes)]
    return all(
        (each["kind"], each.get("attack")) == ("shown", piece.kind)
        and each["first"] <= classes
        and (each["label"] is None) == (piece.kind == "noise")
        for each in found
    )
