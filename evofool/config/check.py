"""The options of a checkup."""

from __future__ import annotations

from typing import Annotated

from .model import ModelOptions
from .options import Natural, Positive, option


class CheckOptions(ModelOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of ``evofool targets check`` and of :func:`evofool.check_target`."""

    weights: Annotated[
        str | None, option("Weights of your own: a .safetensors file or a torch checkpoint.", path=True)
    ] = None
    data: Annotated[
        str | None,
        option(
            "Real images: digits, mnist, fashionmnist, cifar10, cifar100, svhn, imagenet, a folder of pictures (a "
            "folder in it for each class) or an .npz archive.",
            path=True,
        ),
    ] = None
    data_dir: Annotated[str, option("Where named data sets are, or are downloaded to.", path=True)] = "data"
    count: Annotated[Positive, option("How many real images; chosen by the seed and balanced over the classes.")] = 200
    seed: Annotated[Natural, option("Random seed of that choice.")] = 0
    device: Annotated[str, option("Where to run: auto, cpu, cuda, cuda:0 … or mps.")] = "auto"
