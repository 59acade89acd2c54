"""From options to an experiment in a folder, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..config.experiments import ExperimentConfig
from ..config.model import ASKING, ModelOptions
from ..config.perturb import PerturbOptions
from ..datasets import LabelledImages, open_data
from ..errors import ConfigError
from ..jobs.checks import check_fitting, check_labelled
from ..jobs.life import start
from ..store.experiment import ExperimentFolder
from ..targets.protocols import Target
from .registry import find
from .result import ExperimentResult

if TYPE_CHECKING:
    from .job import ExperimentStep

Observer: TypeAlias = "Callable[[ExperimentStep], object]"


@dataclass(frozen=True)
class _Alone:
    """The options of a target that is asked alone and as it is: no ensemble, no transformations.

    A named one is run in float32 and in one way, so that gradients have the same bits each time.
    """

    model: ModelOptions
    seed: int
    weights: str | None = None
    device: str | None = None
    micro_batch: int | None = None
    precision: str | None = None
    memory_format: str | None = None
    fold: bool | None = None
    combine: str = "min"
    robust: str | None = None
    robust_to: tuple[str, ...] | None = None
    robust_draws: int = 1

    @classmethod
    def of(cls, options: PerturbOptions, *, named: bool) -> _Alone:
        """Return those of an experiment's target. An object of the user's own says itself how it is run."""
        if not named:
            return cls(options.model, options.seed, options.weights, options.device)
        return cls(
            options.model,
            options.seed,
            options.weights,
            options.device,
            micro_batch=options.batch,
            precision="float32",
            memory_format="channels_last",  # backward passes of cifar10 and mnist take 10 to 35 % less time so
            fold=False,
        )


def run(
    options: PerturbOptions, user_target: Target | None = None, *, out: Path, observer: Observer | None = None
) -> ExperimentResult:
    """Run an experiment, without showing anything.

    Args:
        options: Its options, which say which one it is.
        user_target: The user's own target, instead of the one that the options name.
        out: The new folder.
        observer: Called after every part of the work.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    experiment = find(str(options.__struct_config__.tag))
    data: LabelledImages | None = None
    options, outline = check_labelled(options, named=user_target is None, out=out)
    if asked := [name for name in ASKING if name in options.said]:
        raise ConfigError(
            f"`{asked[0]}` is for classifiers that are asked for scores; an experiment takes gradients, leave it out"
        )
    if outline:
        experiment.check(options, outline.classes, outline.image_shape[0])
        data = check_fitting(options, outline)
    from ..attacks.image_selection import select_images  # This and the next import torch.
    from ..jobs.data import data_record
    from ..targets.prepare import prepare_target, versions
    from ..targets.protocols import differentiable
    from .job import ExperimentJob

    assert options.target is not None
    named = user_target is None
    prepared = prepare_target(
        options.target if user_target is None else user_target, _Alone.of(options, named=named), fold=False
    )
    target = differentiable(prepared.target)
    experiment.check(options, target.classes, target.image_shape[0])
    data = data or open_data(str(options.data), Path(options.data_dir), prepared.fitting)
    images = select_images(
        data,
        target,
        count=options.count,
        seed=options.seed,
        first=options.first,
        include_misclassified=True,
        without=experiment.excluded(options, target.classes),
    )
    config = ExperimentConfig(
        options=options,
        target=prepared.record,
        classes=tuple(target.classes),
        data=data_record(options, data, images),
        versions=versions(),
    )

    def create() -> ExperimentJob:
        return ExperimentJob(ExperimentFolder.create(out, config, images.subjects), target)

    result: ExperimentResult = start(out, create, observer)
    return result
