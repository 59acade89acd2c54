"""The shape of an experiment: parts of work with their results, and what these come to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..attacks.subject import Subject
from ..config.engine import EngineOptions
from ..config.experiments import ExperimentConfig
from ..errors import ConfigError
from ..gallery.pages.experiment_page import ExperimentPage
from ..store.experiment import ExperimentFolder, Result
from ..store.records import Kind
from ..targets.protocols import Target


class Part(NamedTuple):
    """What one part of the work brought."""

    results: list[Result]
    """What was found of each image, as plain JSON values. An ``image`` in them is the index of one in the folder."""
    pictures: NDArray[np.uint8]
    """(N, C, H, W): what the images became."""


@dataclass(frozen=True)
class Findings:
    """What an experiment's results come to, so far.

    Attributes:
        figures: The figures as plain JSON values.
        rows: Names and values that the command line says.
        page: What its page shows.
        gallery: Whether its images have a gallery page beside that one.
    """

    figures: dict[str, Any]
    rows: Sequence[tuple[str, str]]
    page: ExperimentPage
    gallery: bool = False


class Begun(NamedTuple):
    """What an experiment begins with."""

    config: ExperimentConfig
    targets: Sequence[Target]
    subjects: Sequence[Subject] = ()
    """The images that it works on, which its folder keeps."""


class Experiment(ABC):
    """One experiment: its work is cut into parts that don't depend on each other, or on when they are done.

    Importing an experiment and reading its folder need no torch.

    Attributes:
        result: What a result must be, a structure or a union of some; a file from a stranger is checked by it.
        asks: Whether it asks targets for scores alone, so that their queries can be counted and limited.
        alone: Why workers can't do its parts, in words; empty where they can.
    """

    result: ClassVar[Kind]
    asks: ClassVar[bool] = False
    alone: ClassVar[str] = ""

    @classmethod
    def check_engine(cls, options: EngineOptions) -> None:
        """Check that the parts can be done where the options say.

        Raises:
            ConfigError: Workers can't do them.
        """
        if options.engine != "local" and cls.alone:
            name = cls.__name__.lower()
            raise ConfigError(f"{name} {cls.alone}, which workers can't share; leave `engine={options.engine}` out")

    @classmethod
    @abstractmethod
    def begin(cls, options: Any, own: Sequence[Target], out: Path) -> Begun:
        """Check the options, load what they name, and return what a folder begins with. Nothing is written.

        Args:
            options: The experiment's options.
            own: The user's own targets, instead of those that the options name.
            out: The folder, which must be free.

        Raises:
            EvofoolError: One of its family, for bad options, targets, data and folders.
        """

    @staticmethod
    @abstractmethod
    def parts(config: ExperimentConfig) -> int:
        """Return how many parts the work has."""

    @classmethod
    def spread(cls, config: ExperimentConfig) -> int:
        """Return how many of the first parts need no other part, so that workers can do them at the same time."""
        return cls.parts(config)

    @staticmethod
    @abstractmethod
    def work(folder: ExperimentFolder, targets: Sequence[Target], part: int) -> Part:
        """Do a part of the work.

        It depends on the folder's config and images, on the part's number, and on what earlier parts brought.

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

    @staticmethod
    def known_scores(folder: ExperimentFolder, most: int) -> Iterable[tuple[NDArray[np.uint8], tuple[int, float]]]:
        """Yield pictures with a class and its recorded probability, to see whether the first target is as it was.

        Args:
            folder: The experiment's folder.
            most: How many are asked for.
        """
        for subject in folder.subjects[:most]:
            yield subject.image, (subject.prediction, subject.confidence)
