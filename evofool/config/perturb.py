"""The options of the experiment ``perturb``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .attack import UNTARGETED
from .experiment_options import ImageExperimentOptions
from .options import Positive, option

RANDOM = "random"
"""The criterion of another class for each image, drawn by the seed."""

METHODS = ("fgsm", "iterated", "pgd", "pgd-l2", "lbfgs")
"""How images are perturbed."""


def epsilon_option(default: str) -> msgspec.Meta:
    """Declare the largest changes of a value of a pixel; ``default`` is what the help says of theirs."""
    return option(
        "Largest changes of a value of a pixel in [0, 1], for fgsm, iterated and pgd: 8/255 or 0.03.",
        default=default,
        identity=True,
    )


def epsilon_l2_option(default: str) -> msgspec.Meta:
    """Declare the largest Euclidean norms; ``default`` is what the help says of theirs."""
    return option("Largest Euclidean norms of a perturbation, for pgd-l2.", default=default, identity=True)


class PerturbOptions(
    ImageExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="perturb"
):
    """The options of ``evofool lab perturb`` and of :func:`evofool.perturb`."""

    methods: Annotated[
        tuple[str, ...],
        option("How to perturb: fgsm, iterated, pgd, pgd-l2 and lbfgs, or some of them.", identity=True),
    ] = METHODS
    epsilon: Annotated[
        tuple[float, ...] | None, epsilon_option("1/255,2/255,4/255,8/255; of grey images 0.05,0.1,0.15,0.25")
    ] = None
    epsilon_l2: Annotated[tuple[float, ...] | None, epsilon_l2_option("0.1,0.25,0.5; of grey images 0.5,1,2")] = None
    criterion: Annotated[
        int | str,
        option(
            "What counts as success: untargeted, random (another class for each image), or a class: elephant, or 3.",
            identity=True,
        ),
    ] = UNTARGETED
    steps: Annotated[Positive, option("Steps of iterated and pgd.", identity=True)] = 20
    restarts: Annotated[
        Positive, option("Climbs of pgd: the first from fgsm's image, the others from random places.", identity=True)
    ] = 2
    iterations: Annotated[Positive, option("Iterations of L-BFGS for one weight of the distance.", identity=True)] = 15
    searches: Annotated[Positive, option("Weights that L-BFGS is tried with.", identity=True)] = 8
