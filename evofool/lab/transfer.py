"""Do images that fool one network fool another: evolved ones, edits of pixels, and perturbations.

Nguyen et al. 2015, §3.5 (evolved images between networks of one and of two architectures); Szegedy et al. 2014, §4.2,
and Goodfellow et al. 2015, §8 (perturbations between networks); Su et al. 2019 (edits of one pixel). Images are made
for each network by the project's own search, attacks and gradients, or taken from runs and banks, and shown to all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..attacks.plan import choices_of, plan_of
from ..attacks.subject import Subject
from ..config.classes import choose_classes
from ..config.experiments import ExperimentConfig
from ..config.fooling import ENCODINGS, PIXEL
from ..config.transfer import TransferOptions
from ..datasets import open_data
from ..errors import TargetError
from ..io.arrays import shortest
from ..jobs.checks import check_common, check_fitting, check_labelled
from ..store.experiment import ExperimentFolder, Result
from ..store.records import TransferResult
from ..targets.members import check_names, class_orders, common_shape, weights_by_name
from ..targets.protocols import Target, differentiable, is_multilabel
from .elites import find_candidates
from .experiment import Begun, Experiment, Findings, Part
from .fooling_plan import arms, attack_options, check_kinds, kinds_of
from .fooling_sources import Network, settled, taken_again
from .prepare import check_asking, prepared, selected_images
from .transfer_findings import Shown, findings_of
from .transfer_plan import Piece, check_networks, order_of, pieces

if TYPE_CHECKING:
    from torch import Tensor


class Transfer(Experiment):
    """The experiment ``transfer``. A part is a run for one network, a batch of images for one, or a source."""

    result = TransferResult

    @classmethod
    def begin(cls, options: TransferOptions, own: Sequence[Target], out: Path) -> Begun:
        """Load the networks, choose the labelled images, and look at those that are given."""
        check_networks(options)
        check_kinds(options)
        options = msgspec.structs.replace(options, target=options.names)
        check_names(options.names)
        check_asking(options)
        for source in options.sources:
            next(iter(find_candidates([Path(source)])), None)  # Says so where nothing is there.
        if options.labelled:
            options, outline = check_labelled(options, named=not own, out=out)
        else:
            outline = check_common(options, named=not own, out=out)
        data = None
        if outline:
            arms(options, outline.image_shape[0])
            choices_of(attack_options(options), *outline)
            choose_classes(options.classes, outline.classes)
            data = check_fitting(options, outline) if options.labelled else None
        from ..jobs.data import data_record
        from ..targets.prepare import versions

        objects, files = {target.name: target for target in own}, weights_by_name(options.names, options.weights)
        ready = []
        for name in options.names:
            device = "auto" if name in objects and len(own) < len(options.names) else options.device
            alone = msgspec.structs.replace(options, weights=str(files[name]) if name in files else None, device=device)
            ready.append(prepared(alone, objects.get(name, name)))
        targets = [each.target for each in ready]
        check_names([target.name for target in targets])
        shape = common_shape({target.name: target.image_shape for target in targets})
        class_orders({target.name: target.classes for target in targets})
        perturbing = arms(options, shape[0])
        for target in targets:
            plan_of(attack_options(options), target)
            if perturbing and is_multilabel(differentiable(target)):
                raise TargetError(
                    f"target {target.name} can see several classes at once, and perturbations are for one of one "
                    f"class; leave {', '.join(perturbing)} out of `kinds`"
                )
        first = targets[0]
        if options.sources:
            networks = [Network(each.record, each.target.classes) for each in ready]
            options = settled(options, networks, shape)
        record, images = None, None
        if options.labelled:
            data = data or open_data(str(options.data), Path(options.data_dir), ready[0].fitting)
            images = selected_images(options, data, first)
            record = data_record(options, data, images, options.count)
        config = ExperimentConfig(
            options=options,
            targets=tuple(each.record for each in ready),
            classes=tuple(first.classes),
            data=record,
            versions=versions(),
        )
        return Begun(config, targets, images.subjects if images else ())

    @staticmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many runs, batches and sources there are."""
        return len(pieces(config))

    @staticmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Make or take images, and show them to all networks."""
        from . import fooling_images as made

        config, piece = folder.config, pieces(folder.config)[part]
        options: TransferOptions = config.options
        orders = class_orders({target.name: target.classes for target in targets})
        if piece.maker is None:
            return _taken(folder, targets, piece)
        assert piece.kind is not None
        target, numbers = targets[piece.maker], order_of(config.classes, orders[piece.maker])
        if piece.kind in ENCODINGS:
            images, indices = made.evolved(target, piece.kind, options, piece.number)
            scores = made.scores_of(targets, orders, images)
            makers = [piece.maker] * len(images)
            return Part(_results(piece.kind, makers, [numbers[index] for index in indices], scores), images)
        subjects = _subjects(folder, piece)
        before = _first(made.scores_of(targets, orders, np.stack([subject.image for subject in subjects])))
        rows = [row for row, subject in enumerate(subjects) if before[piece.maker][row] == subject.label]
        if not rows:
            return Part([], np.empty((0, *config.target.image_shape), np.uint8))
        order = orders[piece.maker]
        labels = [subjects[row].label if order is None else order[subjects[row].label] for row in rows]
        right = [replace(subjects[row], label=label, prediction=label) for row, label in zip(rows, labels, strict=True)]
        if piece.kind == PIXEL:
            images = made.edited_pixels(target, right, attack_options(options))
        else:
            arm = arms(options, config.target.image_shape[0])[piece.kind]
            images = made.perturbed_images(target, right, arm, options, part)
        scores = made.scores_of(targets, orders, images)
        results = _results(piece.kind, [piece.maker] * len(rows), _first(scores)[piece.maker], scores)
        for result, row in zip(results, rows, strict=True):
            result |= {"label": subjects[row].label, "before": [firsts[row] for firsts in before]}
            result |= {"image": subjects[row].index}
        return Part(results, images)

    @staticmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return the matrix of every kind of images."""
        config, planned = folder.config, pieces(folder.config)
        found: dict[str, list[Shown]] = defaultdict(list)
        for part, results in folder.results(TransferResult):
            if part >= len(planned) or not all(_fits(result, folder, planned[part]) for result in results):
                raise folder.other_images(part)
            for row, result in enumerate(results):
                found[result["kind"]].append(Shown(result, part, row))
        order = [*ENCODINGS, *kinds_of(config.options, config.target.image_shape[0])]
        return findings_of(folder, {kind: found[kind] for kind in sorted(found, key=order.index)})

    @staticmethod
    def known_scores(folder: ExperimentFolder, most: int) -> Iterable[tuple[NDArray[np.uint8], tuple[int, float]]]:
        """Yield pictures of the first part that has some."""
        for part, results in folder.results(TransferResult):
            if results:
                for picture, result in zip(folder.pictures(part)[:most], results, strict=False):
                    yield picture, (result["first"][0], result["confidence"][0])
                return


EXPERIMENT = Transfer


def _subjects(folder: ExperimentFolder, piece: Piece) -> Sequence[Subject]:
    """Return the labelled images of a part."""
    batch = folder.config.options.batch
    return folder.subjects[piece.number * batch : (piece.number + 1) * batch]


def _taken(folder: ExperimentFolder, targets: Sequence[Target], piece: Piece) -> Part:
    """Take the images of a source, and show them to all networks."""
    from .fooling_images import scores_of

    config = folder.config
    orders = class_orders({target.name: target.classes for target in targets})
    networks = [Network(record, target.classes) for record, target in zip(config.targets, targets, strict=True)]
    source = taken_again(folder, networks, piece.number)
    numbers = [order_of(config.classes, order) for order in orders]
    wanted = [numbers[maker][index] for maker, index in zip(source.makers, source.wanted, strict=True)]
    results = _results(source.kind, source.makers, wanted, scores_of(targets, orders, source.images))
    return Part(results, source.images)


def _first(scores: Sequence[Tensor]) -> list[list[int]]:
    """Return every network's first guesses."""
    return [each.argmax(1).tolist() for each in scores]


def _results(kind: str, makers: Sequence[int], wanted: Sequence[int], scores: Sequence[Tensor]) -> list[Result]:
    """Return what all networks make of images: first guess, its probability, and that of the class wanted."""
    firsts = _first(scores)
    return [
        {
            "kind": kind,
            "maker": maker,
            "wanted": index,
            "label": None,
            "first": [guesses[row] for guesses in firsts],
            "confidence": [shortest(float(each[row].max())) for each in scores],
            "same": [shortest(float(each[row, index])) for each in scores],
            "before": None,
        }
        for row, (maker, index) in enumerate(zip(makers, wanted, strict=True))
    ]


def _fits(result: dict[str, Any], folder: ExperimentFolder, piece: Piece) -> bool:
    """Return whether a result may be one of a part."""
    networks, classes = len(folder.config.targets), len(folder.config.classes)
    evolved = result["kind"] in ENCODINGS
    lists = [result["first"], result["confidence"], result["same"], *([] if evolved else [result["before"]])]
    indices = [result["wanted"], *result["first"], *(result["before"] or ())]
    if any(each is None or len(each) != networks for each in lists) or max(indices) >= classes:
        return False
    if result["maker"] >= networks or (evolved != (result["label"] is None)):
        return False
    if piece.maker is not None and (result["kind"], result["maker"]) != (piece.kind, piece.maker):
        return False
    batch = folder.config.options.batch
    return evolved or (
        result.get("image", -1) // batch == piece.number and result["label"] == folder.subjects.label(result["image"])
    )
