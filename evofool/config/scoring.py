"""The options that say how an image's score is made of several: of several networks', or under transformations."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .engine import EngineOptions
from .options import option

Draws = Annotated[int, msgspec.Meta(ge=1, le=64)]

WEIGHTS = (
    "Weights of your own: a .safetensors file or a torch checkpoint. With several targets NAME=FILE, once for each "
    "target that has some."
)
"""What the option ``weights`` does."""

COMBINE = ("min", "mean")
"""How the scores of several targets become one: the lowest counts, or their mean."""


ROBUST = ("worst", "mean")
"""How the scores of an image under transformations become one: the lowest counts, or their mean."""

TRANSFORMATIONS = ("resize", "shift", "crop", "jpeg", "blur", "noise", "brightness")
"""What robust images are scored under."""

UNCHANGED, PHOTOGRAPHED_AGAIN = "unchanged", "photographed again"
"""What records call the image as it is, and as a picture that is photographed again: resized, JPEG and blur."""


class ScoringOptions(EngineOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a job's score of an image is."""

    combine: Annotated[
        str,
        option(
            "With several targets: how their scores of an image become one, min (the lowest counts) or mean.",
            reset_by=("target",),
        ),
    ] = "min"
    robust: Annotated[
        str | None,
        option(
            "Score images under transformations too, drawn by the seed: worst (the lowest score counts) or mean.",
            identity=True,
        ),
    ] = None
    robust_to: Annotated[
        tuple[str, ...] | None,
        option(
            "The transformations: resize, shift, crop, jpeg, blur, noise, brightness.",
            default="all",
            identity=True,
        ),
    ] = None
    robust_draws: Annotated[Draws, option("In how many strengths each transformation is scored.", identity=True)] = 1
