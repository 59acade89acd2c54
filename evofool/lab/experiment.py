"""The shape of an experiment: parts of work with their results, and what these come to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..config.experiments import ExperimentConfig
from ..config.perturb import PerturbOptions
from ..gallery.pages.experiment_page import ExperimentPage
from ..store.experiment import ExperimentFolder, Result
from ..targets.protocols import Target


class Part(NamedTuple):
    """What one part of the work brought."""

    results: list[Result]
    """What was found of each image, as plain JSON values."""
    pictures: NDArray[np.uint8]
    """(N, C, H, W): what the images became."""


@dataclass(frozen=True)
class Findings:
    """What an experiment's results come to, so far.

    Attributes:
        figures: The figures as plain JSON values.
        rows: Names and values that the command line says.
        page: What its page shows.
    """

    figures: dict[str, Any]
    rows: Sequence[tuple[str, str]]
    page: ExperimentPage


class Experiment(ABC):
    """One experiment: its work is cut into parts that don't depend on each other, or on when they are done.

    Importing an experiment and reading its folder need no torch.

    Attributes:
        result: What a result must be; a file from a stranger is checked by it.
    """

    result: ClassVar[type[msgspec.Struct]]

    @classmethod
    @abstractmethod
    def check(cls, options: PerturbOptions, classes: Sequence[str], channels: int) -> None:
        """Check options against a target's classes and the channels of its images.

        Raises:
            ConfigError: They contradict each other, or don't fit the target.
        """

    @classmethod
    def excluded(cls, options: PerturbOptions, classes: Sequence[str]) -> list[int]:
        """Return the classes whose images are left out."""
        return []

    @staticmethod
    @abstractmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many parts the work has."""

    @staticmethod
    @abstractmethod
    def work(folder: ExperimentFolder, target: Target, part: int) -> Part:
        """Do a part of the work. It depends on the folder's config and images, and on the part's number alone.

        Raises:
            TargetError: The target gives no gradients, or other things that can't be used.
        """

    @staticmethod
    @abstractmethod
    def findings(folder: ExperimentFolder) -> Findings:
        """Return what the results come to, so far.

        Raises:
            RunError: They are damaged.
        """
