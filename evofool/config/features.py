"""The options of the experiment ``features``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from . import images
from .experiment_options import ExperimentOptions
from .options import Natural, Positive, option
from .training import TrainPrecision

D, D_R, D_NR, D_RAND, D_DET = "D", "D_R", "D_NR", "D_rand", "D_det"
"""The data sets by the names of Ilyas et al. 2019: the original one, the robust one, the non-robust one, and those
whose labels are random, or the class after the true one."""

MADE = (D_R, D_NR, D_RAND, D_DET)
"""The data sets that are made."""

IMAGES, NOISE = "images", "noise"
STARTS = (IMAGES, NOISE)
"""What the images of D_R and D_NR begin as."""

EXPORTS = ("npz", "folder")
"""How data sets can be exported: an archive of arrays each, or a folder for each class (torchvision's ImageFolder)."""

Norm = Annotated[float, msgspec.Meta(gt=0, le=1e4)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=100)]
Decay = Annotated[float, msgspec.Meta(ge=0, le=1)]


class FeaturesOptions(
    ExperimentOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="features"
):
    """The options of ``evofool lab features`` and of :func:`evofool.features`."""

    target: Annotated[
        str | None,
        option(
            "Whose images are learnt from, and whose network it is by default: digits, mnist or cifar10.",
            short="-t",
            default="digits",
        ),
    ] = None
    data_dir: images.DataDir = "data"
    count: images.Count = 1000
    size: Annotated[
        Positive | None,
        option(
            "Images to learn from, chosen by the seed.",
            default="10,000 or all there are; with --full all",
            identity=True,
        ),
    ] = None
    network: Annotated[
        str | None,
        option(
            "The network that makes the data sets and learns from them: digits, lenet, convnet, convnet-bn, "
            "perceptron, linear, resnet8, resnet20, resnet32, resnet44 or resnet56.",
            default="digits, lenet, convnet-bn (with --full resnet20)",
            identity=True,
        ),
    ] = None
    learners: Annotated[
        tuple[str, ...] | None,
        option(
            "Other kinds of networks that learn from D_rand too, to compare how much each learns with how often "
            "perturbations made against the first kind fool it; an empty text for none.",
            default="convnet and perceptron; of cifar10 perceptron and linear",
            identity=True,
        ),
    ] = None
    epsilon: Annotated[
        Norm | None,
        option(
            "Euclidean norm of the perturbations that robust accuracy is measured with.",
            alias="--eps",
            default="digits 0.3, mnist 1, cifar10 0.25",
            identity=True,
        ),
    ] = None
    epsilon_trained: Annotated[
        Norm | None,
        option(
            "Euclidean norm that the robust network is trained against.", default="twice the one measured with",
            identity=True,
        ),
    ] = None  # fmt: skip
    epsilon_made: Annotated[
        Norm | None,
        option(
            "Euclidean norm of the perturbations that make D_rand and D_det, the images labelled as what they are "
            "perturbed to.",
            default="twice the one measured with; digits 1",
            identity=True,
        ),
    ] = None  # fmt: skip
    steps: Annotated[
        Positive | None,
        option("Steps of the perturbations that make D_rand and D_det.", default="20; with --full 100", identity=True),
    ] = None
    step_size: Annotated[
        Norm | None,
        option(
            "Euclidean length of one of these steps.",
            default="2.5 times the norm, in all; with --full 0.1",
            identity=True,
        ),
    ] = None
    match_steps: Annotated[
        Positive | None,
        option(
            "Steps that make D_R and D_NR, the images optimised until the robust (D_R) or the standard network (D_NR) "
            "has the same features of them as of others.",
            default="50; with --full 1,000",
            identity=True,
        ),
    ] = None
    match_size: Annotated[
        Norm | None, option("Euclidean length of one of these steps.", default="0.3; with --full 0.1", identity=True)
    ] = None
    start: Annotated[
        str, option("What the images of D_R and D_NR are optimised from: images of the data, or noise.", identity=True)
    ] = IMAGES
    epochs: Annotated[
        Positive | None,
        option("Epochs of every training.", default="digits 30, mnist 15, cifar10 20; with --full 100", identity=True),
    ] = None
    train_steps: Annotated[Positive, option("Steps of the perturbations in adversarial training.", identity=True)] = 7
    learning_rate: Annotated[
        Rate | None,
        option(
            "Highest learning rate of networks that learn from the unchanged images (D), from D_R or from D_det.",
            default="0.05; with --full 0.1",
            identity=True,
        ),
    ] = None
    slow_rate: Annotated[
        Rate | None,
        option(
            "Highest learning rate of networks that learn from D_NR or D_rand.",
            default="0.02; with --full 0.01",
            identity=True,
        ),
    ] = None
    decay: Annotated[Decay, option("Weight decay.", identity=True)] = 5e-4
    unaugmented: Annotated[
        tuple[str, ...],
        option(
            "Data sets that are learnt without random crops and mirror images, of D, D_R, D_NR, D_rand and D_det; an "
            "empty text for none.",
            identity=True,
        ),
    ] = (D_DET,)
    train_precision: TrainPrecision = "float32"
    evaluations: Annotated[Positive, option("Images that each evolution against a network scores.", identity=True)] = (
        3000
    )
    runs: Annotated[
        Natural, option("Evolutions of each network and encoding, each with its seed; 0: none.", identity=True)
    ] = 2
    full: Annotated[
        bool,
        option(
            "Take the published recipe, for a GPU: all images, 1,000 steps for D_R and D_NR, 100 steps of 0.1 for "
            "D_rand and D_det, 100 epochs.",
            identity=True,
        ),
    ] = False
    export: Annotated[
        tuple[str, ...],
        option("Write the data sets as well, as npz (an archive each), folder (a folder for each class), or both."),
    ] = ()
    images_sha256: Annotated[str | None, option("SHA-256 of the images to learn from.", shown=False, identity=True)] = (
        None
    )
    batch: Annotated[
        Positive, option("Images that are made together; memory and last digits depend on it.", identity=True)
    ] = 250

    @property
    def data(self) -> str:
        """The data set's name."""
        return self.target or "digits"

    @property
    def stem(self) -> str:
        """What a folder of the experiment is called where nobody names one."""
        return f"features-{self.data}"
