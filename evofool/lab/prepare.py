"""The networks of experiments: asked alone, as they are, and in one way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.experiment_options import ExperimentOptions
from ..config.model import ASKING, ModelOptions
from ..errors import ConfigError
from ..targets.protocols import Target

if TYPE_CHECKING:
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


def check_asking(options: ExperimentOptions) -> None:
    """Check that nothing is said of how a target is asked, for an experiment that takes gradients.

    Raises:
        ConfigError: Something is.
    """
    if asked := [name for name in ASKING if name in options.said]:
        raise ConfigError(
            f"`{asked[0]}` is for classifiers that are asked for scores; an experiment takes gradients, leave it out"
        )
