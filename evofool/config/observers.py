"""The trackers of experiments that a job's figures can be sent to, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigError, suggestion


@dataclass(frozen=True)
class Home:
    """Where a tracker is.

    Attributes:
        module, name: Its module in ``observers``, and its class there.
        needs: The package that it needs, as Python calls it; the extra has the tracker's name.
        path: Whether what follows its name is a folder.
    """

    module: str
    name: str
    needs: str
    path: bool = False


TRACKERS = {
    "tensorboard": Home("tensorboard", "TensorBoard", "tensorboard", path=True),
    "mlflow": Home("mlflow", "MLflow", "mlflow"),
    "wandb": Home("wandb", "WandB", "wandb"),
}
"""The trackers by the names that users give."""


def check_observers(names: Sequence[str]) -> None:
    """Refuse trackers that there are not.

    Raises:
        ConfigError: A name is none, or nothing follows its colon.
    """
    for each in names:
        name, colon, where = each.partition(":")
        if name not in TRACKERS:
            known = ", ".join(TRACKERS)
            raise ConfigError(f'`observe` must be one of {known}, got "{each:.40}"{suggestion(name, TRACKERS)}')
        if colon and not where:
            raise ConfigError(f'`observe={each}` names no place after the colon; say "{name}" or "{name}:PLACE"')
