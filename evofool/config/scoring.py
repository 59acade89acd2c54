"""The options that say how an image's score is made of several: of several networks', or under transformations."""

from __future__ import annotations

from typing import Annotated

from .model import ModelOptions
from .options import option

WEIGHTS = (
    "Weights of your own: a .safetensors file or a torch checkpoint. With several targets NAME=FILE, once for each "
    "target that has some."
)
"""What the option ``weights`` does."""

COMBINE = ("min", "mean")
"""How the scores of several targets become one: the lowest counts, or their mean."""


class ScoringOptions(ModelOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a job's score of an image is."""

    combine: Annotated[
        str,
        option(
            "With several targets: how their scores of an image become one, min (the lowest counts) or mean.",
            reset_by=("target",),
        ),
    ] = "min"
