"""From options to an audit in a folder, and its result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ..config.audit import AuditConfig, AuditOptions
from ..datasets import Fitting, LabelledImages, open_data
from ..errors import ConfigError
from ..jobs.checks import TARGETS_WITH_DATA, check_common, check_fitting
from ..jobs.life import start
from ..store.audit import AuditFolder
from .plan import plan_of, rounded_down
from .result import AuditResult

if TYPE_CHECKING:
    from ..engines.opening import ServedTarget
    from ..targets.protocols import Target
    from .job import AuditStep

Observer: TypeAlias = "Callable[[AuditStep], object]"


def run(
    options: AuditOptions, own: Target | None = None, *, out: Path, observer: Observer | None = None
) -> AuditResult:
    """Audit a classifier, without showing anything.

    Args:
        options: The audit's options.
        own: The user's own target, instead of the one that the options name.
        out: The new folder.
        observer: Called after every task, and after every step of the jobs that tasks consist of.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    options, chosen = _paired(_with_one_limit(options), named=own is None)
    outline = check_common(options, named=own is None, out=out)
    if outline and options.data is not None and chosen:
        check_fitting(options, outline)
    from ..engines.opening import ServedTarget, opened  # This and the next import torch.
    from .prepare import prepared_for

    prepared = prepared_for(options, own)
    with closing(opened([(prepared.target, prepared.record)], options)) as engine:
        served = ServedTarget(prepared.target, prepared.fitting, prepared.record, engine)
        return _audit(options, served, own, chosen=chosen, out=out, observer=observer)


def _audit(
    options: AuditOptions,
    prepared: ServedTarget,
    own: Target | None,
    *,
    chosen: bool,
    out: Path,
    observer: Observer | None,
) -> AuditResult:
    """Make the plan, choose images, and go through the plan in a folder.

    Args:
        options: The audit's options, with a target and one limit of queries.
        prepared: The target.
        chosen: Whether the user chose the data.
        own, out, observer: See :func:`run`.
    """
    from ..attacks.image_selection import select_images
    from ..jobs.data import data_record
    from ..targets.prepare import versions
    from ..targets.protocols import Differentiable, precision_of
    from ..targets.queries.metered import images_left, metered
    from .job import AuditJob
    from .other_data import other_records
    from .prepare import speed_of
    from .tasks import Work

    target, fitting = prepared.target, prepared.fitting
    data, no_data = _images(options, fitting, chosen=chosen)
    others = other_records(options, fitting)
    speed = None if options.limits.seconds is None else speed_of(prepared, options)
    queries = options.limits.queries or rounded_down((speed or 0) * (options.limits.seconds or 0))
    if (left := images_left(target)) is not None:
        queries = min(queries, left)
    plan = plan_of(
        queries,
        options.profile,
        images=len(data) if data else 0,
        values=len(target.classes),
        gradients=isinstance(target, Differentiable),
        paid=bool(metered(target)),
        exact=precision_of(target) == "float32",
        shape=target.image_shape,
        others=[record.images for record in others],
        skip=options.skip,
    )
    images = None
    if data and plan.real:
        images = select_images(data, prepared.engine, count=plan.real, seed=options.seed, include_misclassified=True)
    config = AuditConfig(
        options=options,
        target=prepared.record,
        classes=tuple(target.classes),
        differentiable=isinstance(target, Differentiable),
        resize=fitting.resize,
        interpolation=fitting.interpolation,
        data=data_record(options, data, images, asked=plan.real) if data and images else None,
        no_data=no_data or ("" if images else "the budget leaves none"),
        others=others,
        plan=plan,
        speed=speed,
        versions=versions(),
    )

    def create() -> AuditJob:
        folder = AuditFolder.create(out, config, images.subjects if images else [])
        return AuditJob(Work(folder, prepared, own))

    result: AuditResult = start(out, create, observer)
    return result


def _with_one_limit(options: AuditOptions) -> AuditOptions:
    """Return the options with the smaller of two limits of queries as both."""
    if options.limits.queries is None or options.max_queries is None:
        return options
    return msgspec.structs.replace(options, max_queries=min(options.limits.queries, options.max_queries))


def _paired(options: AuditOptions, *, named: bool) -> tuple[AuditOptions, bool]:
    """Return the options with a target, and with its own data where it has some; and whether the user chose the data.

    Raises:
        ConfigError: There are data, and nothing says what is to be audited.
    """
    data = options.data
    if named and options.target is None:
        stem = TARGETS_WITH_DATA[0] if data is None else data.lower()
        if stem not in TARGETS_WITH_DATA:
            raise ConfigError(f"`data={data}` needs a `target` to audit; see: evofool targets")
        options = msgspec.structs.replace(options, target=stem)
    if data is None and named and options.target in TARGETS_WITH_DATA:
        return msgspec.structs.replace(options, data=options.target), False
    return options, data is not None


def _images(options: AuditOptions, fitting: Fitting, *, chosen: bool) -> tuple[LabelledImages | None, str]:
    """Return the real images, and why there are none.

    Raises:
        ConfigError: The user chose some that can't be used.
    """
    if options.data is None:
        return None, "none were given"
    try:
        data = open_data(options.data, Path(options.data_dir), fitting)
    except ConfigError as error:
        if chosen:
            raise
        return None, str(error)
    _check_classes(data)
    return data, ""


def _check_classes(data: LabelledImages) -> None:
    """Refuse images of one class: a classifier that says it of everything would be right.

    Raises:
        ConfigError: They are.
    """
    from ..datasets.base import UNKNOWN

    labels = set(data.labels.tolist())
    if len(data) and len(labels) == 1 and UNKNOWN not in labels:
        raise ConfigError(
            f"all {len(data):,} images of {data.name} are of one class, and accuracy says nothing then; give `data` "
            "with images of several classes"
        )
