"""The options of the experiment ``ascend``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .experiment_options import ExperimentOptions
from .options import Natural, Positive, option

PARAMETRISATIONS = ("pixel", "fourier", "cppn")
"""What an ascent changes."""

Above = Annotated[float, msgspec.Meta(gt=0, le=1e3)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Blur = Annotated[float, msgspec.Meta(ge=0, le=100)]
Until = Annotated[float, msgspec.Meta(gt=0, le=1)]


class AscendOptions(
    ExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="ascend"
):
    """The options of ``evofool lab ascend`` and of :func:`evofool.ascend`."""

    parametrisation: Annotated[
        str,
        option(
            "What is changed: pixel; fourier (decorrelated coefficients, as lucid's); or cppn (the weights of evolved "
            "genomes).",
            identity=True,
        ),
    ] = "pixel"
    classes: Annotated[
        tuple[int | str, ...] | str | None,
        option("Classes to climb to, by name or index: giraffe,3.", alias="--class", default="all", identity=True),
    ] = None
    steps: Annotated[Positive, option("Most steps to each class.", identity=True)] = 200
    until: Annotated[Until, option("Probability at which a class is reached; 1 takes all steps.", identity=True)] = (
        0.9999
    )
    step_size: Annotated[Above | None, option("Size of Adam's steps.", default="0.05; cppn: 0.03", identity=True)] = (
        None
    )
    noise: Annotated[
        Above | None,
        option(
            "Standard deviation of the noise that images begin as.",
            default="0.1 around mid-grey; fourier: 0.01 of each coefficient",
            identity=True,
        ),
    ] = None
    init: Annotated[
        str | None,
        option(
            "Evolved genomes that cppn begins with, each class with the one that scores it highest: a run, a genome "
            "file, a folder of them, or a bank.",
            default="imagenet-cppn; of grey images mnist-cppn",
            path=True,
        ),
    ] = None
    init_sha256: Annotated[str | None, option("SHA-256 that these genomes must have.", shown=False, identity=True)] = (
        None
    )
    init_rows: Annotated[
        tuple[Natural, ...] | None,
        option("Which of these genomes each class begins with.", shown=False, identity=True),
    ] = None
    decay: Annotated[
        Share,
        option("Share of every value that a step takes away, towards grey or weights of 0 (L2 decay).", identity=True),
    ] = 0.0
    blur: Annotated[
        Blur, option("Standard deviation in pixels of a Gaussian blur, every few steps; not for cppn.", identity=True)
    ] = 0.0
    clip: Annotated[
        Share,
        option("Share of pixels, those nearest to grey, that become grey every few steps; for pixel.", identity=True),
    ] = 0.0
    every: Annotated[Positive, option("Steps from one blur or clipping to the next.", identity=True)] = 4
    jitter: Annotated[
        Natural,
        option("Most pixels by which the network sees an image shifted at a step, in each direction.", identity=True),
    ] = 0
