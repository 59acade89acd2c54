"""Declarations of options that every job on labelled images has."""

from __future__ import annotations

from typing import Annotated

from .options import Natural, Positive, option

Data = Annotated[
    str | None,
    option(
        "Images to attack: digits, mnist, fashionmnist, cifar10, cifar100, svhn, imagenet, a folder of pictures or "
        "an .npz archive.",
        default="the target's own",
        path=True,
    ),
]
DataDir = Annotated[str, option("Where named data sets are, or are downloaded to.", path=True)]
Count = Annotated[Positive, option("How many images; chosen by the seed and balanced over the classes.")]
First = Annotated[bool, option("Take the data's first images instead of a random choice.")]
Seed = Annotated[Natural, option("Random seed.", identity=True)]
Device = Annotated[str, option("Where to run: auto, cpu, cuda, cuda:0 … or mps.")]
