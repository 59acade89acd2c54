"""The options of the experiment ``transfer``."""

from __future__ import annotations

from typing import Annotated

from .experiment_options import ImageExperimentOptions
from .options import Positive, option
from .perturb import METHODS, epsilon_l2_option, epsilon_option
from .scoring import WEIGHTS

ENCODINGS = ("cppn", "direct")
"""Kinds of images that are evolved from nothing, by their encoding."""

PIXEL = "pixel"
"""The kind of images in which a few pixels are edited."""

KINDS = (*ENCODINGS, PIXEL, *METHODS)
"""How images that fool a network are made."""

DEFAULT_KINDS = (*ENCODINGS, PIXEL, "fgsm", "pgd", "lbfgs")
"""The kinds that are made where nobody says which."""


DEFAULT_TARGETS = ("mnist", "mnist:logistic")
"""The networks where nobody names any."""


class TransferOptions(
    ImageExperimentOptions,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="experiment",
    tag="transfer",
):
    """The options of ``evofool lab transfer`` and of :func:`evofool.transfer`."""

    target: Annotated[
        str | tuple[str, ...] | None,
        option(
            "The networks, two or more; see: evofool targets. One with other weights: cifar10=FILE.safetensors.",
            short="-t",
            default="mnist and mnist:logistic",
            repeated=True,
        ),
    ] = None  # type: ignore[assignment]  # others have one network
    weights: Annotated[str | tuple[str, ...] | None, option(WEIGHTS, path=True, repeated=True)] = None  # type: ignore[assignment]
    images: Annotated[
        str | tuple[str, ...] | None,
        option(
            "Images that were evolved for one of the networks already: a run, a bank, or a file or folder of genomes.",
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
    def names(self) -> tuple[str, ...]:
        """The networks' names."""
        return (self.target,) if isinstance(self.target, str) else self.target or DEFAULT_TARGETS

    @property
    def sources(self) -> tuple[str, ...]:
        """Where images are taken from."""
        return (self.images,) if isinstance(self.images, str) else self.images or ()

    @property
    def made(self) -> tuple[str, ...]:
        """The kinds that are made."""
        return (() if self.sources else DEFAULT_KINDS) if self.kinds is None else self.kinds

    @property
    def labelled(self) -> bool:
        """Whether labelled images are needed."""
        return not set(self.made) <= set(ENCODINGS)

    @property
    def stem(self) -> str:
        """What a folder of the experiment is called where nobody names one."""
        return f"transfer-{self.names[0].partition('=')[0]}"
