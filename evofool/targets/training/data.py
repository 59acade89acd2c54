"""The labelled images that the embedded networks are trained on and measured with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...datasets import named
from ...datasets.archives import read_archive
from ...datasets.class_lists import CIFAR10
from ...errors import ConfigError


@dataclass(frozen=True)
class Split:
    """Images and their labels: ``images`` (N, C, H, W) uint8, ``labels`` (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> Split:
        """Return the first images, at most ``count``."""
        return Split(self.images[:count], self.labels[:count])


@dataclass(frozen=True)
class TrainingData:
    """The images that a network learns from, and those held out, on which its card's accuracy is measured."""

    train: Split
    test: Split


def digits() -> TrainingData:
    """Return scikit-learn's digits; see :func:`evofool.datasets.named.digits`."""
    return TrainingData(_split(*named.digits(train=True)), _split(*named.digits(train=False)))


def mnist(directory: Path) -> TrainingData:
    """Return MNIST through torchvision, which downloads it into a folder where it is missing.

    Raises:
        ConfigError: The files are missing and can't be downloaded.
    """
    return TrainingData(*(_split(*named.torchvision_arrays("mnist", directory, train=part)) for part in (True, False)))


def cifar10(directory: Path) -> TrainingData:
    """Return CIFAR-10 from ``cifar10-train.npz`` and ``cifar10-test.npz`` in a folder, else torchvision's.

    The archives hold ``images`` (N, 32, 32, 3) uint8 and ``labels`` (N,).

    Raises:
        ConfigError: The files are missing and can't be downloaded, or an archive is damaged.
    """
    archives = [directory / name for name in named.CIFAR10_ARCHIVES]
    if all(path.exists() for path in archives):
        return TrainingData(*map(_archive, archives))
    parts = (named.torchvision_arrays("cifar10", directory, train=part) for part in (True, False))
    return TrainingData(*(_split(*part) for part in parts))


def _split(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(labels.astype(np.int64)))


def _archive(path: Path) -> Split:
    data = read_archive(path, CIFAR10)
    if data.images.shape[1:] != (3, 32, 32):
        raise ConfigError(f"{path}: expected images (N, 32, 32, 3) uint8, got {data.images.shape[1:]} each")
    if data.labels.min() < 0 or data.labels.max() > 9:
        raise ConfigError(f"{path}: expected one label 0…9 for each of the {len(data)} images")
    return _split(data.images, data.labels)
