"""What ``config.json`` of an experiment holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union

import msgspec

from .ascend import AscendOptions
from .detect import DetectOptions
from .elites import AblateOptions, OccludeOptions
from .features import FeaturesOptions
from .harden import HardenOptions
from .perturb import PerturbOptions
from .probe import ProbeOptions
from .records import DataRecord, JobConfig, TargetRecord
from .transfer import TransferOptions

EXPERIMENT_OPTIONS = (
    AscendOptions,
    PerturbOptions,
    TransferOptions,
    ProbeOptions,
    DetectOptions,
    OccludeOptions,
    AblateOptions,
    FeaturesOptions,
    HardenOptions,
)
"""The options of every experiment."""

if TYPE_CHECKING:
    AnyOptions = Any  # Each experiment knows which ones are its own.
else:
    AnyOptions = Union[EXPERIMENT_OPTIONS]  # noqa: UP007 (a tuple's members)


class ExperimentConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The config of an experiment. Its options say which one it is, as ``experiment``.

    Attributes:
        options: The options.
        targets: The networks; the first is the one that results are about.
        classes: The first network's class names.
        data: Where its images came from; None where it has no labelled ones.
    """

    kind: ClassVar[str] = "experiment"

    options: AnyOptions
    targets: Annotated[tuple[TargetRecord, ...], msgspec.Meta(min_length=1)]
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    data: DataRecord | None

    def __post_init__(self) -> None:
        if len(self.classes) != self.target.classes:
            raise ValueError(f"classes must be {self.target.classes} names")

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return str(self.options.experiment)

    @property
    def target(self) -> TargetRecord:
        """The network that results are about."""
        return self.targets[0]

    def identity(self) -> dict[str, Any]:
        """Return what results depend on besides the images, which are named by their hashes."""
        options = {"experiment": self.experiment, **self.options.identity()}
        return {**options, "targets": [target.identity() for target in self.targets], "classes": self.classes}

    def facts(self) -> dict[str, Any]:
        """Return what is told of the networks besides the first, and of the images, as plain JSON values."""
        networks = {"networks": [target.name for target in self.targets]} if len(self.targets) > 1 else {}
        return networks | ({"data": self.data.name, "images": self.data.chosen} if self.data else {})
