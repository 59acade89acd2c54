"""The labelled images that the embedded networks are trained on and measured with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError


@dataclass(frozen=True)
class Split:
    """Images and their labels: ``images`` (N, C, H, W) uint8, ``labels`` (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class TrainingData:
    """What a network learns from, and the held-out images that its card's accuracy is measured on."""

    train: Split
    test: Split


def digits() -> TrainingData:
    """scikit-learn's 1,797 handwritten digits (8×8, 17 grey levels); every fifth image is held out."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    held_out = np.arange(len(labels)) % 5 == 0
    return TrainingData(_split(pixels[~held_out], labels[~held_out]), _split(pixels[held_out], labels[held_out]))


def mnist(directory: Path) -> TrainingData:
    """MNIST through torchvision; downloaded into ``directory`` where it is not there yet.

    Raises:
        ConfigError: the files are neither there nor to be had.
    """
    from torchvision.datasets import MNIST

    def read(train: bool) -> Split:
        data = _torchvision(MNIST, directory, train)
        return _split(data.data.numpy()[:, None], data.targets.numpy())

    return TrainingData(read(True), read(False))


def cifar10(directory: Path) -> TrainingData:
    """CIFAR-10 from ``cifar10-train.npz`` and ``cifar10-test.npz`` in ``directory``, else torchvision's.

    The archives hold ``images`` (N, 32, 32, 3) uint8 and ``labels`` (N,).

    Raises:
        ConfigError: the files are neither there nor to be had, or an archive is damaged.
    """
    archives = directory / "cifar10-train.npz", directory / "cifar10-test.npz"
    if all(path.exists() for path in archives):
        return TrainingData(_read_npz(archives[0]), _read_npz(archives[1]))
    from torchvision.datasets import CIFAR10

    def read(train: bool) -> Split:
        data = _torchvision(CIFAR10, directory, train)
        return _split(data.data.transpose(0, 3, 1, 2), np.asarray(data.targets))

    return TrainingData(read(True), read(False))


def _split(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(labels.astype(np.int64)))


def _read_npz(path: Path) -> Split:
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"]
    except Exception as error:  # numpy and zipfile raise almost anything on garbage
        raise ConfigError(
            f"{path} is not a readable image archive ({error}); "
            "expected an .npz with images (N, 32, 32, 3) uint8 and labels (N,)"
        ) from error
    if images.ndim != 4 or images.shape[1:] != (32, 32, 3) or images.dtype != np.uint8 or not len(images):
        raise ConfigError(f"{path}: expected images (N, 32, 32, 3) uint8, got {images.shape} {images.dtype}")
    whole = labels.shape == images.shape[:1] and np.issubdtype(labels.dtype, np.integer)
    if not whole or labels.min() < 0 or labels.max() > 9:
        raise ConfigError(f"{path}: expected one label 0…9 for each of the {len(images)} images")
    return _split(images.transpose(0, 3, 1, 2), labels)


def _torchvision(dataset: type[Any], directory: Path, train: bool) -> Any:
    try:
        return dataset(root=directory, train=train, download=False)
    except RuntimeError:
        pass
    try:
        return dataset(root=directory, train=train, download=True)
    except Exception as error:
        raise ConfigError(
            f"no {dataset.__name__} under {directory} and it could not be downloaded ({error}); "
            "put torchvision's files there or go online"
        ) from error
