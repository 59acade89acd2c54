"""Declarations of options that experiments have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from . import images
from .engine import EngineOptions
from .options import Positive, option

Batch = Annotated[
    Positive, option("Images that are worked on together; memory and last digits depend on it.", identity=True)
]


class ExperimentOptions(
    EngineOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="experiment"
):
    """The options of every experiment. Each has a structure of its own, whose tag is the experiment's name."""

    target: Annotated[
        str | None, option("The classifier to look into; see: evofool targets.", short="-t", default="cifar10")
    ] = None
    weights: Annotated[
        str | None, option("Weights of your own: a .safetensors file or a torch checkpoint.", path=True)
    ] = None
    batch: Batch = 50
    seed: images.Seed = 0
    device: images.Device = "auto"

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return str(self.__struct_config__.tag)

    @property
    def stem(self) -> str:
        """What a folder of the experiment is called where nobody names one."""
        return f"{self.experiment}-{self.target or 'cifar10'}"


class ImageExperimentOptions(
    ExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="images"
):
    """The options of experiments on labelled images."""

    target: Annotated[
        str | None, option("The classifier to fool; see: evofool targets.", short="-t", default="the data's own")
    ] = None
    data: images.Data = None
    data_dir: images.DataDir = "data"
    count: images.Count = 100
    first: images.First = False
    classes: Annotated[
        tuple[int | str, ...] | str | None,
        option("Classes whose images are taken, by name or index: giraffe,3.", alias="--class", default="all"),
    ] = None

    @property
    def stem(self) -> str:
        """What a folder of the experiment is called where nobody names one."""
        return f"{self.experiment}-{self.target or Path(self.data or 'digits').stem}"
