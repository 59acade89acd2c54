"""The options of an attack campaign."""

from __future__ import annotations

from typing import Annotated

from . import images
from .options import Positive, option
from .scoring import WEIGHTS, ScoringOptions

UNTARGETED = "untargeted"
"""The criterion that any other class meets."""

ALL = "all"
"""The criteria of a campaign that tries every other class in turn."""


class AttackOptions(ScoringOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a campaign: of ``evofool attack`` and of :func:`evofool.attack`."""

    target: Annotated[
        str | tuple[str, ...] | None,
        option(
            "The classifier to fool; see: evofool targets. Several, to fool all of them with the same images.",
            short="-t",
            default="the data's own",
            repeated=True,
        ),
    ] = None
    weights: Annotated[str | tuple[str, ...] | None, option(WEIGHTS, path=True, repeated=True)] = None
    data: images.Data = None
    data_dir: images.DataDir = "data"
    count: images.Count = 100
    first: images.First = False
    include_misclassified: Annotated[bool, option("Attack images that the target gets wrong, too.")] = False
    pixels: Annotated[
        Positive | str,
        option("How many pixels may change; auto: the fewest that succeed.", short="-k", identity=True),
    ] = 1
    max_pixels: Annotated[Positive | None, option("Where --pixels auto ends.", default="5", identity=True)] = None
    criterion: Annotated[
        tuple[int | str, ...] | str,
        option(
            "What counts as success: untargeted, all (every other class in turn), or classes: cat, or 3, or cat,dog. "
            "A class that is itself called untargeted or all is named by its index.",
            identity=True,
        ),
    ] = UNTARGETED
    strategy: Annotated[
        str | None,
        option(
            "How to search: local, de, rand1, best1bin, sparse-rs, corners or random.", default="local", identity=True
        ),
    ] = None
    preset: Annotated[
        str | None, option("A publication's settings instead: su2019 or hyperparticle.", identity=True)
    ] = None
    queries: Annotated[
        Positive | None,
        option("Budget of an attempt, in scored images.", default="the strategy's own", identity=True),
    ] = None
    baseline: Annotated[bool, option("After each attempt, run random search with as many queries.", identity=True)] = (
        False
    )
    seed: images.Seed = 0
    export: Annotated[bool, option("Write the images found: adversarial.npz and PNGs.")] = False
    device: images.Device = "auto"
    precision: Annotated[
        str, option("What the search scores in: auto, float32 or bfloat16. Outcomes are always float32.")
    ] = "auto"
    micro_batch: Annotated[
        Positive | None, option("Images per forward pass; only speed depends on it.", default="chosen by trial")
    ] = None
