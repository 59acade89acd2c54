"""The labelled images that networks learn from."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from evofool.errors import ConfigError
from evofool.targets.training import data


def archive(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def pictures(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


GOOD = archive(images=pictures(4), labels=np.arange(4))


def put(folder: Path, train: bytes, test: bytes = GOOD) -> None:
    (folder / "cifar10-train.npz").write_bytes(train)
    (folder / "cifar10-test.npz").write_bytes(test)


def test_digits_are_split_by_every_fifth_image() -> None:
    digits = data.digits()
    assert (len(digits.train), len(digits.test)) == (1437, 360)
    assert digits.train.images.shape == (1437, 1, 8, 8)
    assert digits.train.images.dtype == torch.uint8
    assert digits.train.labels.dtype == torch.int64
    assert sorted(digits.train.labels.unique().tolist()) == list(range(10))
    assert digits.test.images.max() == 255  # scikit-learn's 16 is white
    shown = {bytes(image.numpy()) for image in digits.train.images}
    assert sum(bytes(image.numpy()) in shown for image in digits.test.images) == 0


def test_cifar10_archives_are_read(tmp_path: Path) -> None:
    images, labels = pictures(6), np.array([0, 9, 3, 3, 1, 2])
    put(tmp_path, archive(images=images, labels=labels))
    read = data.cifar10(tmp_path)
    assert torch.equal(read.train.images, torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    assert read.train.labels.tolist() == labels.tolist()
    assert read.train.labels.dtype == torch.int64
    assert len(read.test) == 4


PLAIN_ARRAY = io.BytesIO()
np.save(PLAIN_ARRAY, np.zeros(3))
BAD = {
    "empty file": b"",
    "text": b"hello",
    "one plain array": PLAIN_ARRAY.getvalue(),
    "cut short": GOOD[: len(GOOD) // 2],
    "damaged inside": GOOD[:2000] + bytes(200) + GOOD[2200:],
    "without labels": archive(images=pictures(4)),
    "without images": archive(labels=np.arange(4)),
    "objects": archive(images=pictures(2), labels=np.array([{}, {}], dtype=object)),
    "no images at all": archive(images=pictures(0), labels=np.arange(0)),
    "of other sizes": archive(images=np.zeros((4, 28, 28, 3), np.uint8), labels=np.arange(4)),
    "floats": archive(images=pictures(4).astype(np.float32), labels=np.arange(4)),
    "a label too few": archive(images=pictures(4), labels=np.arange(3)),
    "a label of eleven classes": archive(images=pictures(4), labels=np.array([0, 1, 2, 10])),
    "a negative label": archive(images=pictures(4), labels=np.array([0, 1, 2, -1])),
    "one-hot labels": archive(images=pictures(4), labels=np.eye(10, dtype=np.int64)[:4]),
    "classes of other names": archive(images=pictures(4), labels=np.arange(4), classes=np.array(["a", "b", "c", "d"])),
    "names for labels": archive(images=pictures(2), labels=np.array(["cat", "dog"])),
}


@pytest.mark.parametrize("which", ["train", "test"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_archives_are_config_errors_that_name_the_file(tmp_path: Path, kind: str, which: str) -> None:
    put(tmp_path, *((BAD[kind], GOOD) if which == "train" else (GOOD, BAD[kind])))
    with pytest.raises(ConfigError, match=f"cifar10-{which}.npz"):
        data.cifar10(tmp_path)


class Absent:
    """A torchvision data set that is neither there nor to be had."""

    def __init__(self, root: Path, train: bool, download: bool) -> None:
        raise OSError("<urlopen error>") if download else RuntimeError("Dataset not found")


@pytest.mark.parametrize(("name", "reader"), [("MNIST", data.mnist), ("CIFAR10", data.cifar10)])
def test_missing_data_that_cannot_be_downloaded_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reader: object
) -> None:
    import torchvision.datasets

    monkeypatch.setattr(torchvision.datasets, name, Absent)
    with pytest.raises(ConfigError, match=f"{tmp_path} and it could not be downloaded .*go online"):
        reader(tmp_path)  # type: ignore[operator]


def test_mnist_is_read_through_torchvision(shared: Path) -> None:
    mnist = data.mnist(shared / "data")
    assert (len(mnist.train), len(mnist.test)) == (60_000, 10_000)
    assert mnist.test.images.shape == (10_000, 1, 28, 28)
    assert mnist.test.images.dtype == torch.uint8
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
