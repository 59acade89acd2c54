"""The options of the experiment ``detect``."""

from __future__ import annotations

from typing import Annotated

from .fooling import ENCODINGS, PIXEL, FoolingOptions
from .images import Count
from .options import Positive, option


class DetectOptions(
    FoolingOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="detect"
):
    """The options of ``evofool lab detect`` and of :func:`evofool.detect`."""

    target: Annotated[
        str | None,
        option(
            "The classifier whose images are told apart; see: evofool targets.", short="-t", default="the data's own"
        ),
    ] = None
    count: Count = 400
    images: Annotated[
        str | tuple[str, ...] | None,
        option(
            "Images that were evolved for it already: a run, a bank, or a file or folder of genomes.",
            alias="--from",
            path=True,
            repeated=True,
        ),
    ] = None
    kinds: Annotated[
        tuple[str, ...] | None,
        option(
            "What is made to fool it: cppn, direct (evolved), pixel (edited), and fgsm, iterated, pgd, pgd-l2, lbfgs "
            "(perturbed, which takes gradients).",
            default="cppn,direct,pixel,fgsm,pgd as far as it allows; without cppn and direct with --images",
            identity=True,
        ),
    ] = None
    runs: Annotated[Positive, option("Evolutions with each encoding, each with its seed.", identity=True)] = 10
    neighbours: Annotated[
        Positive,
        option(
            "The k of the score knn: an image's distance to the k-th nearest real image, in the network's features.",
            identity=True,
        ),
    ] = 5

    @property
    def usual(self) -> tuple[str, ...]:
        """The kinds that are made where nobody says which, of a network that gives gradients."""
        return (*(() if self.sources else ENCODINGS), PIXEL, "fgsm", "pgd")
