"""Refuses jobs whose options can't be, before torch is imported, which takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from ..attacks.plan import choices_of
from ..config.attack import AttackOptions
from ..config.audit import AuditOptions
from ..config.classes import choose_classes
from ..config.evolve import EvolveOptions
from ..config.experiment_options import ExperimentOptions, ImageExperimentOptions
from ..config.records import RobustRecord
from ..config.scoring import COMBINE
from ..datasets import NAMED_DATASETS, ArrayImages, Fitting, LabelledImages, check_data, open_data
from ..datasets.named import match_named
from ..encodings.banks import RANDOM, check_genomes
from ..errors import ConfigError
from ..search.defaults import resolve
from ..search.diversity_options import check_diversity
from ..store.folder import check_free
from ..targets.members import check_combine, joined
from ..targets.outline import Outline, check_named, outline_of

LabelledOptions = AttackOptions | ImageExperimentOptions
"""Options of jobs on labelled images."""

L = TypeVar("L", bound=LabelledOptions)

TARGETS_WITH_DATA = ("digits", "mnist", "cifar10")
"""Targets whose images are a data set of the same name."""


def check_evolve(options: EvolveOptions, *, named: bool, out: Path | None) -> EvolveOptions:
    """Check the options of a run as far as that needs neither torch nor the target itself.

    Args:
        options: The options.
        named: Whether the target is the named one, not an object of the user's own.
        out: The run's folder, if it has one.

    Returns:
        The options with all filled in that doesn't depend on the target.

    Raises:
        EvofoolError: One of its family, for what can't be.
    """
    options = resolve(options)
    if outline := check_common(options, named=named, out=out):
        choose_classes(options.classes, outline.classes)
        check_diversity(options, outline.image_shape[0])
    if options.init not in (None, RANDOM):
        check_genomes(str(options.init), RANDOM)
    return options


def check_attack(
    options: AttackOptions, *, named: bool, out: Path | None
) -> tuple[AttackOptions, LabelledImages | None]:
    """Check the options of a campaign as far as that needs neither torch nor the target itself.

    Args:
        options: The options.
        named: Whether the target is the named one, not an object of the user's own.
        out: The campaign's folder, if it has one.

    Returns:
        The options with a target and data that belong together; and the images, where they had to be read.

    Raises:
        EvofoolError: One of its family, for what can't be.
    """
    options, outline = check_labelled(options, named=named, out=out)
    if not outline:
        return options, None
    choices_of(options, *outline)
    return options, check_fitting(options, outline)


def check_labelled(options: L, *, named: bool, out: Path | None) -> tuple[L, Outline | None]:
    """Check what all jobs on labelled images have; arguments and errors as :func:`check_attack`.

    Returns:
        The options with a target and data that belong together, and the outline of a named target.
    """
    options = _paired(options, named=named)
    outline = check_common(options, named=named, out=out)
    check_data(str(options.data))
    return options, outline


def check_fitting(options: LabelledOptions | AuditOptions, outline: Outline) -> LabelledImages | None:
    """Check that a job's images fit its target, and return them where they had to be read.

    Raises:
        ConfigError: They don't.
    """
    data, (classes, image_shape) = str(options.data), outline
    if data.lower() in NAMED_DATASETS:
        if NAMED_DATASETS[data.lower()].classes:
            match_named(data.lower(), classes, image_shape[0])
        return None
    images = open_data(data, Path(options.data_dir), Fitting(classes, image_shape, min(image_shape[1:])))
    return images if isinstance(images, ArrayImages) else None  # Files are fitted as the target's card says.


def check_common(
    options: EvolveOptions | AttackOptions | ExperimentOptions | AuditOptions, *, named: bool, out: Path | None
) -> Outline | None:
    """Check what all jobs have.

    Args:
        options: The options.
        named: Whether the target is the named one, not an object of the user's own.
        out: The job's folder, if it has one.

    Returns:
        The outline of a named target; None where only building it tells.

    Raises:
        EvofoolError: One of its family, for what can't be.
    """
    if out is not None:
        check_free(out)
    if isinstance(options, EvolveOptions | AttackOptions):
        _check_scoring(options)
    if not named:
        return None
    return check_named(
        options.target or (),
        weights=options.weights,
        device=options.device,
        precision=getattr(options, "precision", None),
        model=options.model,
    )


def _check_scoring(options: EvolveOptions | AttackOptions) -> None:
    """Check how an image's score is made of several."""
    check_combine(options.combine)
    RobustRecord.of(options)
    if options.combine != COMBINE[0] and isinstance(options.target, str | None):
        raise ConfigError("`combine` says how scores of several targets become one; give several, or leave it out")


def _paired(options: L, *, named: bool) -> L:
    """Return the options with a target and data that belong together, where one or both were left open."""
    target, data = options.target, options.data
    if target is None and data is None:
        return msgspec.structs.replace(options, target=TARGETS_WITH_DATA[0], data=TARGETS_WITH_DATA[0])
    if target is None:
        check_data(str(data))
        if str(data).lower() not in TARGETS_WITH_DATA:
            raise ConfigError(f"`data={data}` needs a `target` to attack; see: evofool targets")
        return msgspec.structs.replace(options, target=str(data).lower())
    if data is not None:
        return options
    if named:
        outline_of(target)  # Reports an unknown target before missing data.
    stems = (
        {name.partition("=")[0].partition(":")[0] for name in ((target,) if isinstance(target, str) else target)}
        if named
        else set()
    )
    stem = stems.pop() if len(stems) == 1 else ""
    if stem not in TARGETS_WITH_DATA:
        raise ConfigError(
            f"target {joined(target)} needs `data`: {', '.join(NAMED_DATASETS)}, a folder of pictures or an "
            ".npz archive"
        )
    return msgspec.structs.replace(options, data=stem)
