"""From options to a campaign in a folder, and its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from ..attacks.image_selection import SelectedImages, select_images
from ..attacks.operators import operators_of
from ..attacks.plan import excluded_classes, plan_of
from ..config.attack import AttackOptions
from ..config.records import CampaignConfig, DataRecord
from ..datasets import NAMED_DATASETS, LabelledImages, check_data, open_data
from ..datasets.base import printable
from ..engines.toolbox import Hook
from ..errors import ConfigError
from ..store.campaign import CampaignFolder
from ..targets.execution.devices import choose_device, choose_precision
from ..targets.prepare import prepare_target, versions
from ..targets.protocols import Target
from ..targets.registry import card
from .campaign import CampaignJob, CampaignStep
from .life import start
from .result import CampaignResult

Observer = Callable[[CampaignStep], object]

TARGETS_WITH_DATA = ("digits", "mnist", "cifar10")
"""Targets whose images are a data set of the same name."""


def run(
    options: AttackOptions,
    user_target: Target | None = None,
    *,
    out: Path,
    observer: Observer | None = None,
    toolbox: Hook | None = None,
) -> CampaignResult:
    """Attack as :func:`evofool.attack` does, from options that are checked already, and without showing anything.

    Args:
        options: The campaign's options.
        user_target: The user's own target, instead of the one that the options name.
        out, observer, toolbox: See :func:`evofool.attack`.
    """
    options = _paired(options, user_target)
    assert options.target is not None
    assert options.data is not None
    prepared = prepare_target(
        user_target if user_target is not None else options.target, options, fold=_fold(options, user_target)
    )
    target = prepared.target
    plan = plan_of(options, target)
    operators = operators_of(plan, target.image_shape, toolbox)
    data = open_data(options.data, Path(options.data_dir), prepared.fitting)
    images = select_images(
        data,
        target,
        count=options.count,
        seed=options.seed,
        first=options.first,
        include_misclassified=options.include_misclassified,
        without=excluded_classes(plan),
    )
    config = CampaignConfig(
        options=options,
        target=prepared.record,
        classes=tuple(target.classes),
        data=_data_record(options, data, images),
        plan=plan,
        swapped=operators.swapped,
        versions=versions(),
    )
    result: CampaignResult = start(
        out, lambda: CampaignJob(CampaignFolder.create(out, config, images.subjects), target, operators), observer
    )
    return result


def _paired(options: AttackOptions, user_target: Target | None) -> AttackOptions:
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
    if user_target is None:
        card(target)  # reports an unknown target before missing data
    stem = target.split(":")[0] if user_target is None else ""
    if stem not in TARGETS_WITH_DATA:
        raise ConfigError(
            f"target {target} needs `data`: {', '.join(NAMED_DATASETS)}, a folder of pictures or an .npz archive"
        )
    return msgspec.structs.replace(options, data=stem)


def _fold(options: AttackOptions, user_target: Target | None) -> bool | None:
    """Return whether passes may be folded. In float32 every candidate is scored by the network as it is."""
    if user_target is not None:
        return None
    exact = choose_precision(options.precision, choose_device(options.device)) == "float32"
    return False if exact else None


def _data_record(options: AttackOptions, data: LabelledImages, images: SelectedImages) -> DataRecord:
    matching = data.matching
    mapping = zip(matching.names, matching.indices, strict=True) if matching and matching.by != "name" else ()
    return DataRecord(
        name=str(options.data),
        path=None if str(options.data).lower() in NAMED_DATASETS else str(Path(str(options.data)).absolute()),
        dir=str(Path(options.data_dir).absolute()),
        asked=options.count,
        chosen=len(images.subjects),
        looked=images.looked,
        correct=images.correct,
        labelled=images.labelled,
        mapping=tuple((printable(name), index) for name, index in mapping),
        reason=matching.reason if matching else "",
        skipped=images.skipped,
    )
