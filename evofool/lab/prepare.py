"""The networks of experiments: asked alone, as they are, and in one way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.classes import choose_classes
from ..config.experiment_options import ExperimentOptions, ImageExperimentOptions
from ..config.model import ASKING, ModelOptions
from ..errors import ConfigError
from ..targets.protocols import Target

if TYPE_CHECKING:
    from ..attacks.image_selection import SelectedImages
    from ..datasets.base import LabelledImages
    from ..targets.prepare import PreparedTarget


@dataclass(frozen=True)
class _Alone:
    """The options of a target that is asked alone and as it is: no ensemble, no transformations."""

    model: ModelOptions
    seed: int
    weights: str | None
    device: str | None
    combine: str = "min"
    robust: str | None = None
    robust_to: tuple[str, ...] | None = None
    robust_draws: int = 1


def prepared(options: ExperimentOptions, target: str | Target) -> PreparedTarget:
    """Return the target of an experiment, ready for work; with a record to have it again.

    It runs in float32 and in one way, so that gradients have the same bits each time, as far as a Target that the user
    made doesn't say itself how it is run.

    Args:
        options: The experiment's options.
        target: A name, or the user's own.

    Raises:
        TargetError: There is no such target.
    """
    from ..targets.prepare import prepare_target  # It imports torch.

    way = {
        "micro_batch": options.batch,
        "precision": "float32",
        "memory_format": "channels_last",  # backward passes of cifar10 and mnist take 10 to 35 % less time so
        "fold": False,
    }
    return prepare_target(target, _Alone(options.model, options.seed, options.weights, options.device), way=way)


def selected_images(
    options: ImageExperimentOptions, data: LabelledImages, target: Target, without: Collection[int] | None = None
) -> SelectedImages:
    """Return the labelled images that an experiment works on, those that the target gets wrong among them.

    Args:
        options: The experiment's options.
        data: Where they are chosen from.
        target: The classifier.
        without: Classes whose images are left out; None for those that the options don't choose.
    """
    from ..attacks.image_selection import select_images  # It imports torch.

    if without is None:
        wanted = set(choose_classes(options.classes, target.classes).tolist())
        without = [index for index in range(len(target.classes)) if index not in wanted]
    return select_images(
        data,
        target,
        count=options.count,
        seed=options.seed,
        first=options.first,
        include_misclassified=True,
        without=without,
    )


def check_asking(options: ExperimentOptions) -> None:
    """Check that nothing is said of how a target is asked, for an experiment that takes gradients.

    Raises:
        ConfigError: Something is.
    """
    if asked := [name for name in ASKING if name in options.said]:
        raise ConfigError(
            f"`{asked[0]}` is for classifiers that are asked for scores; an experiment takes gradients, leave it out"
        )
