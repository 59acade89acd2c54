"""The options of experiments on evolved images: ``occlude`` and ``ablate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ..errors import ConfigError
from .experiment_options import ExperimentOptions
from .options import Natural, Positive, option

FILLS = ("mean", "grey", "black")
"""What is put in place of what is taken out: the picture's mean colour, mid-grey, or black."""

SIDE_PARTS = 4
"""The square that is moved over an image is this part of its shorter side, where nobody says: 56 of 224 pixels."""

GENOMES = ("cifar10-cppn",)
"""The evolved images that are looked at where nobody names any."""


class EliteOptions(
    ExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="elites"
):
    """The options of experiments on evolved images."""

    genomes: Annotated[
        tuple[str, ...],
        option(
            "Runs, genome files, folders of them, banks, entries of these (cifar10-cppn#cat), pictures.", shown=False
        ),
    ] = GENOMES
    target: Annotated[
        str | None,
        option(
            "The classifier to look into; see: evofool targets.", short="-t", default="the one they were evolved for"
        ),
    ] = None
    classes: Annotated[
        tuple[int | str, ...] | str | None,
        option("Classes whose images are taken, by name or index: cat,3.", alias="--class", default="all"),
    ] = None
    count: Annotated[Positive, option("Most images; of more, they are chosen by the seed.")] = 20
    fill: Annotated[str, option("What is put in place of what is taken out: mean, grey or black.", identity=True)] = (
        "mean"
    )

    @property
    def stem(self) -> str:
        """What a folder of the experiment is called where nobody names one."""
        return f"{self.experiment}-{Path(self.genomes[0]).stem if self.genomes else 'elites'}"


class OccludeOptions(
    EliteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="occlude"
):
    """The options of ``evofool lab occlude`` and of :func:`evofool.occlude`."""

    patch: Annotated[
        Positive | None,
        option("Side of the square that is covered, in pixels.", default="a quarter of the image", identity=True),
    ] = None
    stride: Annotated[
        Positive | None,
        option("Pixels from one place of the square to the next.", default="half the square", identity=True),
    ] = None

    def square(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return the side of the square and the step from place to place, in pixels, for images (C, H, W)."""
        patch = self.patch or max(1, min(shape[1:]) // SIDE_PARTS)
        return patch, self.stride or max(1, patch // 2)

    def places(self, shape: tuple[int, ...]) -> tuple[list[int], list[int]]:
        """Return the upper and the left edges of all places of the square; the last ones touch the image's edges.

        Raises:
            ConfigError: The square is larger than the image, or leaves pixels out.
        """
        patch, stride = self.square(shape)
        if patch > min(shape[1:]):
            raise ConfigError(f"`patch` must be at most the {min(shape[1:])} pixels of the image's side, got {patch}")
        if stride > patch:
            raise ConfigError(
                f"`stride` must be at most the {patch} pixels of `patch`, or pixels are left out; got {stride}"
            )
        rows, columns = ([*range(0, side - patch, stride), side - patch] for side in shape[1:])
        return rows, columns


class AblateOptions(
    EliteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="ablate"
):
    """The options of ``evofool lab ablate`` and of :func:`evofool.ablate`."""

    pairs: Annotated[
        Natural,
        option(
            "Most pairs of nodes that are removed from a genome; of more, they are drawn by the seed.", identity=True
        ),
    ] = 1000
