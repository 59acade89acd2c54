"""From options to an experiment in a folder, and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..config.experiment_options import ExperimentOptions
from ..jobs.life import start
from ..store.experiment import ExperimentFolder
from ..targets.protocols import Target
from .registry import find
from .result import ExperimentResult

if TYPE_CHECKING:
    from .job import ExperimentStep

Observer: TypeAlias = "Callable[[ExperimentStep], object]"


def run(
    options: ExperimentOptions, own: Sequence[Target] = (), *, out: Path, observer: Observer | None = None
) -> ExperimentResult:
    """Run an experiment, without showing anything.

    Args:
        options: Its options, which say which one it is.
        own: The user's own targets, instead of those that the options name.
        out: The new folder.
        observer: Called after every part of the work.

    Raises:
        EvofoolError: One of its family, for bad options, targets, data and folders.
    """
    experiment = find(options.experiment)
    experiment.check_engine(options)
    begun = experiment.begin(options, own, out)
    from ..engines.opening import opened  # This and the next import torch.
    from .job import ExperimentJob

    networks = list(zip(begun.targets, begun.config.targets, strict=True))
    with closing(opened(networks, options)) as engine:

        def create() -> ExperimentJob:
            return ExperimentJob(ExperimentFolder.create(out, begun.config, begun.subjects), begun.targets, engine)

        result: ExperimentResult = start(out, create, observer)
        return result
