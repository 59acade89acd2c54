"""The options of the experiment ``probe``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from . import images
from .experiment_options import ImageExperimentOptions
from .options import Positive, option
from .perturb import RANDOM

SOURCES = ("lbfgs", "pixel", "fooling")
"""Where adversarial images come from."""

Part = Annotated[float, msgspec.Meta(gt=0, le=1)]


class ProbeOptions(
    ImageExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="probe"
):
    """The options of ``evofool lab probe`` and of :func:`evofool.probe`."""

    count: images.Count = 20
    sources: Annotated[
        tuple[str, ...],
        option(
            "Which adversarial images: lbfgs, pixel (edits of one pixel), fooling (evolved ones), or some of them.",
            identity=True,
        ),
    ] = SOURCES
    samples: Annotated[Positive, option("Noisy images of each level, of each kind of noise.", identity=True)] = 100
    as_published_code: Annotated[
        bool,
        option(
            "Draw noise as the authors' code does: each level 0.9 times as large as said, plus the perturbation's "
            "mean, and its own values at one level only.",
            identity=True,
        ),
    ] = False
    unclipped: Annotated[
        bool,
        option(
            "Let noisy images leave [0, 1]. Clipped noise is no longer of mean 0 where a picture is black or white.",
            identity=True,
        ),
    ] = False
    criterion: Annotated[
        int | str,
        option(
            "What L-BFGS has to reach: random (another class for each image), untargeted, or a class.", identity=True
        ),
    ] = RANDOM
    distance_weight: Annotated[
        Part,
        option(
            "Weight of the distance in L-BFGS's objective, as a share of the largest that reaches the class: 1 ends "
            "at the class's border, smaller ones inside it.",
            identity=True,
        ),
    ] = 0.5
    iterations: Annotated[Positive, option("Iterations of L-BFGS for one weight of the distance.", identity=True)] = 30
    searches: Annotated[Positive, option("Weights that L-BFGS is tried with.", identity=True)] = 8
    queries: Annotated[Positive, option("Budget of a one-pixel attempt, in scored images.", identity=True)] = 1000
    encoding: Annotated[str, option("How fooling images are evolved: cppn or direct.", short="-e", identity=True)] = (
        "cppn"
    )
    evaluations: Annotated[
        Positive, option("Children that are scored to evolve fooling images for five classes.", identity=True)
    ] = 3000
    init: Annotated[
        str | None,
        option(
            "Evolve fooling images from genomes: a run, a file, a folder, or a bank such as cifar10-cppn.",
            default="random",
            path=True,
            identity=True,
        ),
    ] = None
    directions: Annotated[
        Positive, option("Random directions along which the label's radius is measured.", identity=True)
    ] = 20
