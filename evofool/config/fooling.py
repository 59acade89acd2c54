"""Options of experiments that make images which fool networks, or take some that are there."""

from __future__ import annotations

from typing import Annotated

from .experiment_options import ImageExperimentOptions
from .options import Positive, option
from .perturb import METHODS, epsilon_l2_option, epsilon_option

ENCODINGS = ("cppn", "direct")
"""Kinds of images that are evolved from nothing, by their encoding."""

PIXEL = "pixel"
"""The kind of images in which a few pixels are edited."""

KINDS = (*ENCODINGS, PIXEL, *METHODS)
"""How images that fool a network are made."""


class FoolingOptions(
    ImageExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="fooling"
):
    """The options of ``transfer`` and of ``detect``: which images, and how they are made."""

    images: Annotated[
        str | tuple[str, ...] | None,
        option(
            "Images that were evolved for one of the networks already: a run, a bank, or a file or folder of genomes.",
            alias="--from",
            path=True,
            repeated=True,
        ),
    ] = None
    images_sha256: Annotated[tuple[str, ...] | None, option("Digests of these images.", identity=True, shown=False)] = (
        None
    )
    kinds: Annotated[
        tuple[str, ...] | None,
        option(
            "What is made for every network: cppn, direct (evolved), pixel (edited), and fgsm, iterated, pgd, pgd-l2, "
            "lbfgs (perturbed).",
            default="cppn,direct,pixel,fgsm,pgd,lbfgs; nothing with --images",
            identity=True,
        ),
    ] = None
    runs: Annotated[Positive, option("Evolutions of a network and an encoding, each with its seed.", identity=True)] = 5
    evaluations: Annotated[Positive, option("Images that an evolution scores.", identity=True)] = 3000
    pixels: Annotated[Positive, option("How many pixels are edited.", short="-k", identity=True)] = 1
    queries: Annotated[Positive, option("Images that are scored to edit one.", identity=True)] = 500
    epsilon: Annotated[tuple[float, ...] | None, epsilon_option("8/255; of grey images 0.25")] = None
    epsilon_l2: Annotated[tuple[float, ...] | None, epsilon_l2_option("0.5; of grey images 2")] = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Where images are taken from."""
        return (self.images,) if isinstance(self.images, str) else self.images or ()

    @property
    def usual(self) -> tuple[str, ...]:
        """The kinds that are made where nobody says which."""
        return () if self.sources else (*ENCODINGS, PIXEL, "fgsm", "pgd", "lbfgs")

    @property
    def made(self) -> tuple[str, ...]:
        """The kinds that are made."""
        return self.usual if self.kinds is None else self.kinds
