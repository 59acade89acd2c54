"""Data sets that have a name: scikit-learn's digits, torchvision's data sets."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError
from .archives import read_archive
from .base import ArrayImages, FileImages, Fitting, LabelledImages

NAMED_DATASETS = ("digits", "mnist", "fashionmnist", "cifar10", "cifar100", "svhn", "imagenet")
"""Names that the parameter ``data`` takes."""

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
        fitting: How pictures become images for the target.

    Raises:
        ConfigError: The files are missing and can't be downloaded, or the target takes other colours.
    """
    if name == "imagenet":
        return _imagenet(directory, fitting)
    if name == "digits":
        images, labels = digits(train=False)
    elif name == "cifar10" and (directory / CIFAR10_ARCHIVES[1]).exists():
        archive = read_archive(directory / CIFAR10_ARCHIVES[1], fitting.classes)
        images, labels = archive.images, archive.labels
    else:
        images, labels = torchvision_arrays(name, directory, train=False)
    if images.shape[1] != fitting.image_shape[0]:
        colour = {1: "grey", 3: "RGB"}
        raise ConfigError(
            f"`data={name}` is {colour[images.shape[1]]}, the target takes {colour[fitting.image_shape[0]]} images; "
            "choose another `data` or `target`"
        )
    return ArrayImages(name, images, labels, fitting)


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
            f"no {dataset.__name__} under {directory} and it could not be downloaded ({error}); "
            "put torchvision's files there (`data_dir`) or go online"
        ) from error


def _imagenet(directory: Path, fitting: Fitting) -> FileImages:
    from torchvision.datasets import ImageNet

    try:
        data = ImageNet(root=directory, split="val")
    except Exception as error:
        raise ConfigError(
            f"no ImageNet validation set under {directory} ({error}); put torchvision's files there, or give a folder "
            "with a folder for each class as `data`"
        ) from error
    paths = [path for path, _ in data.samples]
    ids = [Path(path).relative_to(directory).as_posix() for path in paths]
    return FileImages("imagenet", paths, np.array([label for _, label in data.samples], np.int64), ids, fitting)
