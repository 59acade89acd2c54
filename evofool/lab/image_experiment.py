"""Experiments on labelled images and the gradients of one network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config.experiments import ExperimentConfig
from ..datasets import LabelledImages, open_data
from ..jobs.checks import check_fitting, check_labelled
from ..targets.protocols import Target
from .experiment import Begun, Experiment
from .prepare import check_asking, prepared, selected_images


class ImageExperiment(Experiment):
    """An experiment that works on labelled images, those that the network gets wrong included."""

    @classmethod
    @abstractmethod
    def check(cls, options: Any, classes: Sequence[str], channels: int) -> None:
        """Check options against a target's classes and the channels of its images.

        Raises:
            ConfigError: They contradict each other, or don't fit the target.
        """

    @classmethod
    def excluded(cls, options: Any, classes: Sequence[str]) -> list[int]:
        """Return the classes whose images are left out."""
        return []

    @classmethod
    def begin(cls, options: Any, own: Sequence[Target], out: Path) -> Begun:
        """Load the target and choose the images."""
        data: LabelledImages | None = None
        options, outline = check_labelled(options, named=not own, out=out)
        check_asking(options)
        if outline:
            cls.check(options, outline.classes, outline.image_shape[0])
            data = check_fitting(options, outline)
        from ..jobs.data import data_record
        from ..targets.prepare import versions
        from ..targets.protocols import differentiable

        ready = prepared(options, own[0] if own else str(options.target))
        target = differentiable(ready.target)
        cls.check(options, target.classes, target.image_shape[0])
        data = data or open_data(str(options.data), Path(options.data_dir), ready.fitting)
        images = selected_images(options, data, target, cls.excluded(options, target.classes))
        config = ExperimentConfig(
            options=options,
            targets=(ready.record,),
            classes=tuple(target.classes),
            data=data_record(options, data, images, options.count),
            versions=versions(),
        )
        return Begun(config, [target], images.subjects)


def chosen_images(config: ExperimentConfig) -> int:
    """Return how many images an experiment works on."""
    assert config.data is not None, "an experiment on labelled images"
    return config.data.chosen
