"""What ``config.json`` of an experiment holds."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from .perturb import PerturbOptions
from .records import DataRecord, JobConfig, TargetRecord


class ExperimentConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The config of an experiment. Its options say which one it is, as ``experiment``.

    Attributes:
        options: The options.
        target: The target.
        classes: The target's class names.
        data: Where its images came from.
    """

    kind: ClassVar[str] = "experiment"

    options: PerturbOptions
    target: TargetRecord
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    data: DataRecord

    def __post_init__(self) -> None:
        if len(self.classes) != self.target.classes:
            raise ValueError(f"classes must be {self.target.classes} names")

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return str(self.options.__struct_config__.tag)

    def identity(self) -> dict[str, Any]:
        """Return what results depend on besides the images, which are named by their hashes."""
        options = {"experiment": self.experiment, **self.options.identity()}
        return {**options, **self.target.identity(), "classes": self.classes}
