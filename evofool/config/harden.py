"""The options of the experiment ``harden``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .experiment_options import ExperimentOptions
from .images import DataDir
from .options import Positive, option
from .training import TrainPrecision

BY = {"cppn": ("cppn",), "direct": ("direct",), "both": ("cppn", "direct"), "pgd": ("cppn",)}
"""What a network can be hardened by, each with the encodings that are evolved against it in every round."""

REPLAY = ("all", "last")
"""Which rounds' images are learnt from."""

NORMS = ("l2", "linf")
"""How perturbations are measured."""

Size = Annotated[float, msgspec.Meta(gt=0, le=100)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=10)]


class HardenOptions(
    ExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="harden"
):
    """The options of ``evofool lab harden`` and of :func:`evofool.harden`."""

    target: Annotated[
        str | None, option("The network to harden: digits, mnist or cifar10.", short="-t", default="digits")
    ] = None
    by: Annotated[
        str,
        option(
            "What it learns from: images evolved as cppn, direct or both, as one class more; or pgd, perturbed images "
            "with their labels.",
            identity=True,
        ),
    ] = "cppn"
    rounds: Annotated[Positive, option("How often it is trained and fooled again.", identity=True)] = 5
    replay: Annotated[
        str,
        option("Evolved images that it learns from: those of all rounds so far, or of the last one.", identity=True),
    ] = "all"
    epochs: Annotated[Positive, option("Epochs of training in a round.", identity=True)] = 3
    peak: Annotated[Rate, option("Highest learning rate of a training.", identity=True)] = 0.05
    scratch: Annotated[bool, option("Begin trainings with new weights instead of the last ones.", identity=True)] = (
        False
    )
    train: Annotated[
        Positive | None, option("Labelled images to learn from, chosen by the seed.", default="all", identity=True)
    ] = None
    train_precision: TrainPrecision = "float32"
    added: Annotated[
        Positive, option("Most evolved images that one round adds to what it learns from.", identity=True)
    ] = 1000
    runs: Annotated[Positive, option("Evolutions of a round and an encoding, each with its seed.", identity=True)] = 2
    evaluations: Annotated[Positive, option("Images that an evolution scores.", identity=True)] = 3000
    norm: Annotated[str, option("How perturbations to learn from are measured: l2 or linf.", identity=True)] = "l2"
    epsilon: Annotated[
        Size | None,
        option(
            "Their largest norm, such as 0.5 or 8/255.",
            default="cifar10: 0.25 or 8/255; mnist: 2 or 0.25; digits: 0.5 or 0.1",
            identity=True,
        ),
    ] = None
    steps: Annotated[Positive, option("Steps of the perturbations to learn from.", identity=True)] = 3
    count: Annotated[Positive, option("Held-out images that are attacked.", identity=True)] = 100
    queries: Annotated[Positive, option("Images that are scored to edit a pixel of one.", identity=True)] = 300
    data_dir: DataDir = "data"
    data_sha256: Annotated[
        str | None, option("SHA-256 that the labelled images must have.", shown=False, identity=True)
    ] = None

    @property
    def stem(self) -> str:
        """What a folder of the experiment is called where nobody names one."""
        return f"harden-{self.target or 'digits'}-{self.by}"
