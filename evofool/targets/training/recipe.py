"""How a network is trained: what a trainer needs to know besides the network and the images."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ConfigError


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    Attributes:
        epochs: How often every image is seen.
        batch: Images per step.
        peak: Highest learning rate of the cycle.
        warmup: Share of the steps in which the learning rate rises to the peak.
        decay: Weight decay of the weights; biases and batch normalisations have none.
        pad: Pixels of zero padding for random crops.
        mirror: Whether half of the images are mirrored.
        small: (Share of the epochs, edge): early epochs learn from smaller crops, which cost less.
        average: Decay of the moving average of the weights, per step.

    Raises:
        ConfigError: There is no epoch.
    """

    epochs: int
    batch: int = 128
    peak: float = 0.1
    warmup: float = 0.15
    decay: float = 5e-4
    pad: int = 0
    mirror: bool = False
    small: tuple[float, int] = (0.0, 0)
    average: float = 0.998

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ConfigError(f"`epochs` must be at least 1, got {self.epochs}")


@dataclass(frozen=True)
class Epoch:
    """What one epoch did.

    Attributes:
        number: Which epoch it was, from 1.
        total: The number of epochs.
        loss: Mean loss over its steps.
        accuracy: Accuracy of the averaged weights on the held-out images, in [0, 1].
        seconds: How long it took in the session that ended it.
    """

    number: int
    total: int
    loss: float
    accuracy: float
    seconds: float

    @property
    def to_go(self) -> float:
        """Seconds that the other epochs will take, if each takes as long."""
        return (self.total - self.number) * self.seconds
