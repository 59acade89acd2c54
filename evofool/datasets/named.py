"""Data sets that have a name: scikit-learn's digits, torchvision's data sets."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..config.class_names import ClassNames, listed
from ..errors import ConfigError, in_words
from .archives import read_archive
from .base import ArrayImages, FileImages, Fitting, LabelledImages
from .class_lists import CIFAR10, CIFAR100, DIGITS, FASHION_MNIST
from .matching import Matching, match_names


class Description(NamedTuple):
    """What is known of a named data set before it is opened."""

    classes: tuple[str, ...]
    """The class names in the order of the labels; empty where only its files tell them."""
    channels: int
    """The number of channels of its images."""


NAMED_DATASETS = {
    "digits": Description(DIGITS, 1),
    "mnist": Description(DIGITS, 1),
    "fashionmnist": Description(FASHION_MNIST, 1),
    "cifar10": Description(CIFAR10, 3),
    "cifar100": Description(CIFAR100, 3),
    "svhn": Description(DIGITS, 3),
    "imagenet": Description((), 3),
}
"""Names that the parameter ``data`` takes, with what is known of the data sets."""

CIFAR10_ARCHIVES = "cifar10-train.npz", "cifar10-test.npz"
"""Files with CIFAR-10's images, which are read before torchvision's where a folder has them."""


def open_named(name: str, directory: Path, fitting: Fitting) -> LabelledImages:
    """Open the test images of a named data set, which are downloaded into ``directory`` if they are missing.

    ``digits`` is the fifth of scikit-learn's digits that the embedded network was not trained on. ``cifar10`` is
    ``cifar10-test.npz`` where the folder has it. ``imagenet`` is the validation set as torchvision lays it out, which
    can't be downloaded without an account.

    Args:
        name: One of ``NAMED_DATASETS``.
        directory: The folder of the data set's files.
        fitting: How pictures become images for the target. Without classes, those of the data set are taken.

    Raises:
        ConfigError: The files are missing and can't be downloaded, or the target has other classes or colours.
    """
    if name == "imagenet":
        return _imagenet(directory, fitting)
    data = NAMED_DATASETS[name]
    taken = (fitting.classes, fitting.image_shape[0]) if fitting.classes else data
    matching = match_named(name, *taken)
    if name == "digits":
        images, labels = digits(train=False)
    elif name == "cifar10" and (directory / CIFAR10_ARCHIVES[1]).exists():
        archive = read_archive(directory / CIFAR10_ARCHIVES[1], NAMED_DATASETS[name].classes)
        images, labels = archive.images, archive.labels
    else:
        images, labels = torchvision_arrays(name, directory, train=False)
    return ArrayImages(name, images, matching.translate(labels, f"`data={name}`"), fitting, matching)


def match_named(name: str, classes: Sequence[str], channels: int) -> Matching:
    """Return which of a target's classes those of a named data set are, before anything of it is read.

    Args:
        name: One of ``NAMED_DATASETS`` whose classes are known.
        classes: The target's class names.
        channels: The number of channels of the target's images.

    Raises:
        ConfigError: The data set has other classes than the target, or other colours.
    """
    data = NAMED_DATASETS[name]
    if data.channels != channels:
        colour = {1: "grey", 3: "RGB"}
        raise ConfigError(
            f"`data={name}` is {colour[data.channels]}, the target takes {colour[channels]} images; choose another "
            "`data` or `target`"
        )
    matching = match_names(data.classes, classes, f"`data={name}`", "class", "choose another `data` or `target`")
    if matching.by != "name" and not _are_numbered(classes):
        raise ConfigError(
            f"`data={name}` has other classes ({listed(data.classes, 3)}) than the target ({listed(classes, 3)}); "
            "choose another `data` or `target`"
        )
    return matching


def _are_numbered(classes: Sequence[str]) -> bool:
    """Return whether a target's class names are mere numbers, such as ``class 0``, which say nothing of the classes."""
    prefix = classes[0].removesuffix("0")
    return tuple(classes) != DIGITS and list(classes) == [f"{prefix}{index}" for index in range(len(classes))]


def digits(*, train: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's 1,797 handwritten digits (8×8, 17 grey levels), of which every fifth is held out.

    Args:
        train: Return the images to train on instead of those held out.

    Returns:
        Images (N, 1, 8, 8) uint8 and labels (N,).
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    wanted = (np.arange(len(labels)) % 5 != 0) == train
    return pixels[wanted], labels[wanted]


def torchvision_arrays(name: str, directory: Path, *, train: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return a torchvision data set that fits into memory.

    Args:
        name: ``mnist``, ``fashionmnist``, ``cifar10``, ``cifar100`` or ``svhn``.
        directory: The folder of its files, which are downloaded if they are missing.
        train: Return the training images instead of the test images.

    Returns:
        Images (N, C, H, W) uint8 and labels (N,).

    Raises:
        ConfigError: The files are missing and can't be downloaded.
    """
    from torchvision import datasets

    if name == "svhn":
        split = {"split": "train" if train else "test"}
        data = _fetch(datasets.SVHN, directory, split)
        return data.data, data.labels
    datasets_by_name = {
        "mnist": datasets.MNIST,
        "fashionmnist": datasets.FashionMNIST,
        "cifar10": datasets.CIFAR10,
        "cifar100": datasets.CIFAR100,
    }
    data = _fetch(datasets_by_name[name], directory, {"train": train})
    if name in ("mnist", "fashionmnist"):
        return data.data.numpy()[:, None], data.targets.numpy()
    return data.data.transpose(0, 3, 1, 2), np.asarray(data.targets)


def _fetch(dataset: type[Any], directory: Path, options: dict[str, Any]) -> Any:
    try:
        return dataset(root=directory, download=False, **options)
    except Exception:  # Files that are missing or damaged are downloaded next.
        pass
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Its progress must not mix with JSON.
            return dataset(root=directory, download=True, **options)
    except Exception as error:
        raise ConfigError(
            f"no {dataset.__name__} under {directory} and it could not be downloaded ({in_words(error)}); "
            "put torchvision's files there (`data_dir`) or go online"
        ) from error


def _imagenet(directory: Path, fitting: Fitting) -> FileImages:
    from torchvision.datasets import ImageNet

    try:
        data = ImageNet(root=directory, split="val")
    except Exception as error:
        raise ConfigError(
            f"no ImageNet validation set under {directory} ({in_words(error)}); put torchvision's files there, or give "
            "a folder with a folder for each class as `data`"
        ) from error
    paths = [path for path, _ in data.samples]
    ids = [Path(path).relative_to(directory).as_posix() for path in paths]
    names = [", ".join(synonyms) for synonyms in data.classes]
    matching = _match_imagenet(names, fitting.classes or names)
    labels = matching.translate(np.array([label for _, label in data.samples], np.int64), "`data=imagenet`")
    return FileImages("imagenet", paths, labels, ids, fitting, matching)


def _match_imagenet(names: Sequence[str], classes: Sequence[str]) -> Matching:
    """Return which of a target's classes those of ImageNet are.

    Networks spell some of the thousand names in their own ways, and two cranes share one. The order by WordNet number
    is common to all: it is taken where most names have their places in it.
    """
    known = ClassNames(classes)
    in_place = sum(index in known.find(name) for index, name in enumerate(names))
    if len(names) == len(classes) and 2 * in_place > len(names):
        return Matching(tuple(names), tuple(range(len(names))))
    return match_names(names, classes, "`data=imagenet`", "class", "choose another `data` or `target`")
