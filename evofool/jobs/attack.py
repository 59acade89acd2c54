"""From options to a campaign in a folder, and its result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..attacks.plan import excluded_classes, plan_of
from ..config.attack import AttackOptions
from ..config.records import CampaignConfig
from ..datasets import LabelledImages, open_data
from ..store.campaign import CampaignFolder
from ..targets.protocols import Target
from .checks import check_attack
from .life import start
from .queries import keep_ledger
from .result import CampaignResult

if TYPE_CHECKING:
    from ..engines.base import Engine
    from ..engines.toolbox import Hook
    from ..targets.prepare import PreparedTarget
    from .campaign import CampaignStep

Observer: TypeAlias = "Callable[[CampaignStep], object]"


def run(
    options: AttackOptions,
    user_target: Target | PreparedTarget | None = None,
    *,
    out: Path,
    observer: Observer | None = None,
    toolbox: Hook | None = None,
) -> CampaignResult:
    """Attack as :func:`evofool.attack` does, from options that are checked already, and without showing anything.

    Args:
        options: The campaign's options.
        user_target: The user's own target, or one that is prepared, instead of the one that the options name.
        out, observer, toolbox: See :func:`evofool.attack`.
    """
    options, data = check_attack(options, named=user_target is None, out=out)
    assert options.target is not None
    from ..engines.opening import opened  # This and the next import torch.
    from ..targets.prepare import prepare_target

    prepared = prepare_target(
        user_target if user_target is not None else options.target, options, fold=_fold(options, user_target)
    )
    with closing(opened([(prepared.target, prepared.record)], options, user_target)) as engine:
        return _campaign(options, prepared, engine, data, out=out, observer=observer, toolbox=toolbox)


def _campaign(
    options: AttackOptions,
    prepared: PreparedTarget,
    engine: Engine,
    data: LabelledImages | None,
    *,
    out: Path,
    observer: Observer | None,
    toolbox: Hook | None,
) -> CampaignResult:
    """Choose images, and attack them in a folder.

    Args:
        options: The campaign's options, with nothing left open.
        prepared: The target.
        engine: Where images are scored.
        data: The labelled images, where they were read already.
        out, observer, toolbox: See :func:`run`.
    """
    from ..attacks.image_selection import select_images
    from ..attacks.operators import operators_of
    from ..targets.prepare import versions
    from .campaign import CampaignJob
    from .data import data_record

    assert options.data is not None
    target = prepared.target
    plan = plan_of(options, target)
    operators = operators_of(plan, target.image_shape, toolbox)
    data = data or open_data(options.data, Path(options.data_dir), prepared.fitting)
    images = select_images(
        data,
        engine,
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
        data=data_record(options, data, images, options.count),
        plan=plan,
        swapped=operators.swapped,
        versions=versions(),
    )

    def create() -> CampaignJob:
        folder = CampaignFolder.create(out, config, images.subjects)
        keep_ledger(target, folder.path)
        return CampaignJob(folder, engine, operators)

    result: CampaignResult = start(out, create, observer)
    return result


def _fold(options: AttackOptions, user_target: Target | PreparedTarget | None) -> bool | None:
    """Return whether layers may be joined. In float32 every candidate is scored by the network as it is."""
    if user_target is not None:
        return None
    from ..targets.execution.devices import choose_device, choose_precision

    exact = choose_precision(options.precision, choose_device(options.device)) == "float32"
    return False if exact else None
