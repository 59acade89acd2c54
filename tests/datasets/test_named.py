"""Data sets that have a name: the right images with the right labels, and a clear line where they are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from labelled import CLASSES, fitting, picture
from sklearn.datasets import load_digits

from evofool.datasets.named import NAMED_DATASETS, digits, match_named, open_named, torchvision_arrays
from evofool.errors import ConfigError

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TEN = "0123456789"
GREY = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
COLOURS = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), np.uint8)
LABELS = [3, 0, 9, 1, 1, 2]


class Fake:
    """A torchvision data set: a fake of each of its kinds, on disk from the start or after a download."""

    on_disk: bool = True
    calls: list[dict[str, Any]]

    def __init__(self, root: Path, download: bool = False, **options: Any) -> None:
        type(self).calls.append({"root": root, "download": download, **options})
        if download:
            print("100% of 170 MB")
        if not download and not self.on_disk:
            raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")
        self.fill()

    def fill(self) -> None:
        raise NotImplementedError


class FakeMNIST(Fake):
    def fill(self) -> None:
        self.data, self.targets = torch.from_numpy(GREY), torch.tensor(LABELS)


class FakeCIFAR(Fake):
    def fill(self) -> None:
        self.data, self.targets = COLOURS, LABELS


class FakeSVHN(Fake):
    def fill(self) -> None:
        self.data, self.labels = COLOURS.transpose(0, 3, 1, 2), np.array(LABELS)


class Offline(Fake):
    def __init__(self, root: Path, download: bool = False, **options: Any) -> None:
        type(self).calls.append({"root": root, "download": download, **options})
        raise OSError("Network is unreachable") if download else RuntimeError("Dataset not found")


KINDS: dict[str, tuple[str, type[Fake], np.ndarray]] = {
    "mnist": ("MNIST", FakeMNIST, GREY[:, None]),
    "fashionmnist": ("FashionMNIST", FakeMNIST, GREY[:, None]),
    "cifar10": ("CIFAR10", FakeCIFAR, COLOURS.transpose(0, 3, 1, 2)),
    "cifar100": ("CIFAR100", FakeCIFAR, COLOURS.transpose(0, 3, 1, 2)),
    "svhn": ("SVHN", FakeSVHN, COLOURS.transpose(0, 3, 1, 2)),
}


def put(monkeypatch: pytest.MonkeyPatch, name: str, kind: type[Fake] | None = None, on_disk: bool = True) -> type[Fake]:
    """Put a fake in the place of torchvision's class, under that class's name."""
    called, usual, _ = KINDS[name]
    fake = type(called, (kind or usual,), {"on_disk": on_disk, "calls": []})
    monkeypatch.setattr(torchvision.datasets, called, fake)
    return fake


def test_digits_are_every_fifth_of_scikit_learn_s(tmp_path: Path) -> None:
    data = open_named("digits", tmp_path, fitting((1, 8, 8), TEN))
    assert (data.name, len(data), data.id(7)) == ("digits", 360, "digits:7")
    images, labels = load_digits(return_X_y=True)
    assert data.labels.tolist() == labels[::5].tolist()
    for index in (0, 1, 359):
        scaled = images[5 * index].reshape(1, 8, 8) / 16 * 255
        assert np.abs(data.read(index) - scaled).max() <= 0.5
    assert max(int(data.read(index).max()) for index in range(50)) == 255
    assert list(tmp_path.iterdir()) == []


def test_the_digits_to_train_on_are_all_others() -> None:
    (train, train_labels), (test, test_labels) = digits(train=True), digits(train=False)
    assert (len(train), len(test)) == (1437, 360)
    assert train.dtype == test.dtype == np.uint8
    everything = np.empty((1797, 1, 8, 8), np.uint8)
    everything[::5] = test
    everything[np.arange(1797) % 5 != 0] = train
    np.testing.assert_array_equal(everything.reshape(1797, 64), np.rint(load_digits().data * 255 / 16))
    assert sorted(np.concatenate((train_labels, test_labels)).tolist()) == sorted(load_digits().target.tolist())


def test_mnist_is_read_from_the_folder(shared: Path) -> None:
    data = open_named("mnist", shared / "data", fitting((1, 28, 28), TEN))
    assert len(data) == 10_000
    assert data.labels[:5].tolist() == [7, 2, 1, 0, 4]  # Of the test images, as everybody knows.
    assert data.read(0).shape == (1, 28, 28)
    assert data.id(0) == "mnist:0"


def test_cifar10_is_the_archive_s_where_there_is_one(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = put(monkeypatch, "cifar10")
    data = open_named("cifar10", shared / "data", fitting((3, 32, 32), CIFAR10))
    with np.load(shared / "data" / "cifar10-test.npz") as archive:
        images, labels = archive["images"], archive["labels"]
    assert len(data) == len(labels)
    assert data.labels.tolist() == labels.tolist()
    np.testing.assert_array_equal(data.read(11), images[11].transpose(2, 0, 1))
    assert data.id(11) == "cifar10:11"
    assert fake.calls == []


def test_cifar10_s_archive_is_read_by_class_name(tmp_path: Path) -> None:
    images = COLOURS[:3]
    np.savez(tmp_path / "cifar10-test.npz", images=images, labels=np.array([0, 1, 2]), classes=np.array(CIFAR10))
    data = open_named("cifar10", tmp_path, fitting((3, 32, 32), CIFAR10[::-1]))
    assert data.labels.tolist() == [9, 8, 7]


def test_cifar10_s_damaged_archive_is_told_and_not_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = put(monkeypatch, "cifar10")
    (tmp_path / "cifar10-test.npz").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"cifar10-test\.npz is not a readable image archive"):
        open_named("cifar10", tmp_path, fitting((3, 32, 32), CIFAR10))
    assert fake.calls == []


@pytest.mark.parametrize("name", KINDS)
def test_torchvision_s_test_images_are_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, images = put(monkeypatch, name), KINDS[name][2]
    data = open_named(name, tmp_path, fitting(images.shape[1:], NAMED_DATASETS[name].classes))
    assert (data.name, data.id(2)) == (name, f"{name}:2")
    assert data.labels.tolist() == LABELS
    assert data.labels.dtype == np.int64
    for index in range(6):
        np.testing.assert_array_equal(data.read(index), images[index])
    split = {"split": "test"} if name == "svhn" else {"train": False}
    assert fake.calls == [{"root": tmp_path, "download": False, **split}]


@pytest.mark.parametrize("name", KINDS)
def test_the_training_images_are_asked_for_as_such(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = put(monkeypatch, name)
    images, labels = torchvision_arrays(name, tmp_path, train=True)
    np.testing.assert_array_equal(images, KINDS[name][2])
    assert isinstance(labels, np.ndarray)
    split = {"split": "train"} if name == "svhn" else {"train": True}
    assert fake.calls == [{"root": tmp_path, "download": False, **split}]


@pytest.mark.parametrize("name", KINDS)
def test_what_is_not_there_is_downloaded_in_silence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake, images = put(monkeypatch, name, on_disk=False), KINDS[name][2]
    data = open_named(name, tmp_path, fitting(images.shape[1:], NAMED_DATASETS[name].classes))
    assert data.labels.tolist() == LABELS
    assert [call["download"] for call in fake.calls] == [False, True]
    assert {str(call["root"]) for call in fake.calls} == {str(tmp_path)}
    printed = capsys.readouterr()
    assert printed.out == ""  # It may be one JSON object.
    assert "170 MB" in printed.err


@pytest.mark.parametrize("name", KINDS)
def test_a_failed_download_is_a_config_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, name, Offline)
    with pytest.raises(ConfigError, match=r"could not be downloaded \(Network is unreachable\)") as raised:
        open_named(name, tmp_path, fitting(KINDS[name][2].shape[1:], NAMED_DATASETS[name].classes))
    assert f"no {KINDS[name][0]} under {tmp_path}" in str(raised.value)
    assert "`data_dir`" in str(raised.value)


def test_torchvision_s_damaged_files_are_a_config_error(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (raw / f"{part}-{kind}-ubyte").write_bytes(b"\0\0\x08\x03cut")
    with pytest.raises(ConfigError, match="MNIST"):
        open_named("mnist", tmp_path, fitting((1, 28, 28), TEN))


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("digits", (3, 8, 8), "`data=digits` is grey, the target takes RGB images"),
        ("mnist", (3, 28, 28), "`data=mnist` is grey, the target takes RGB images"),
        ("cifar100", (1, 32, 32), "`data=cifar100` is RGB, the target takes grey images"),
    ],
)
def test_the_wrong_colours_are_refused(
    name: str, shape: tuple[int, int, int], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in KINDS:
        put(monkeypatch, name)
    with pytest.raises(ConfigError, match=says):
        open_named(name, tmp_path, fitting(shape))


@pytest.mark.parametrize(("name", "shape"), [("fashionmnist", (1, 14, 20)), ("svhn", (3, 40, 40))])
def test_images_of_another_size_are_fitted(
    name: str, shape: tuple[int, int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, name)
    data = open_named(name, tmp_path, fitting(shape, NAMED_DATASETS[name].classes))
    images = [data.read(index) for index in range(len(data))]
    assert {image.shape for image in images} == {shape}
    assert len({image.tobytes() for image in images}) == 6
    assert data.labels.tolist() == LABELS


def imagenet(root: Path, wnids: dict[str, tuple[str, ...]], pictures: Callable[[str], int]) -> Path:
    """A validation set as torchvision leaves it after it has unpacked ImageNet's archives."""
    for wnid in wnids:
        for number in range(pictures(wnid)):
            picture(
                root / "val" / wnid / f"ILSVRC2012_val_{number:08}.JPEG", (30 * number, 0, 0), (20, 16), format="PNG"
            )
    torch.save((wnids, list(wnids)), root / "meta.bin")
    return root


def test_imagenet_is_read_as_torchvision_lays_it_out(tmp_path: Path) -> None:
    wnids = {"n02": ("car",), "n01": ("airplane", "aeroplane"), "n03": ("bird",)}
    imagenet(tmp_path, wnids, lambda wnid: int(wnid[-1]))
    data = open_named("imagenet", tmp_path, fitting())
    names = [("n01", 0), ("n02", 0), ("n02", 1), ("n03", 0), ("n03", 1), ("n03", 2)]
    assert [data.id(index) for index in range(6)] == [f"val/{w}/ILSVRC2012_val_{n:08}.JPEG" for w, n in names]
    assert data.labels.tolist() == [0, 1, 1, 2, 2, 2]  # Classes in the order of their WordNet numbers.
    assert data.labels.dtype == np.int64
    assert data.name == "imagenet"
    assert data.read(5).shape == (3, 8, 8)
    assert data.read(5)[:, 4, 4].tolist() == [60, 0, 0]


def test_imagenet_under_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imagenet(tmp_path / "big", {"n01": ("car",)}, lambda wnid: 1)
    monkeypatch.chdir(tmp_path)
    data = open_named("imagenet", Path("big"), fitting())
    assert data.id(0) == "val/n01/ILSVRC2012_val_00000000.JPEG"
    assert data.read(0).shape == (3, 8, 8)


@pytest.mark.parametrize("meta", [None, b"", b"nothing that torch reads"])
def test_imagenet_that_is_not_there_says_what_to_do(meta: bytes | None, tmp_path: Path) -> None:
    picture(tmp_path / "val" / "n01" / "a.png")
    if meta is not None:
        (tmp_path / "meta.bin").write_bytes(meta)
    with pytest.raises(ConfigError, match="no ImageNet validation set under") as raised:
        open_named("imagenet", tmp_path, fitting())
    assert str(tmp_path) in str(raised.value)
    assert "a folder for each class" in str(raised.value)


def test_imagenet_without_pictures_is_a_config_error(tmp_path: Path) -> None:
    imagenet(tmp_path, dict.fromkeys(["n01"], CLASSES), lambda wnid: 0)
    (tmp_path / "val" / "n01").mkdir(parents=True)
    with pytest.raises(ConfigError, match="no ImageNet validation set"):
        open_named("imagenet", tmp_path, fitting())


@pytest.mark.parametrize("name", [name for name, data in NAMED_DATASETS.items() if data.classes])
def test_every_data_set_s_classes_are_matched_by_name(name: str) -> None:
    data = NAMED_DATASETS[name]
    backwards = [label.upper().replace("_", " ") for label in reversed(data.classes)]
    matching = match_named(name, backwards, data.channels)
    assert matching.by == "name"
    assert matching.indices == tuple(reversed(range(len(data.classes))))


def test_class_names_are_torchvision_s() -> None:
    assert NAMED_DATASETS["fashionmnist"].classes == tuple(torchvision.datasets.FashionMNIST.classes)
    assert match_named("mnist", torchvision.datasets.MNIST.classes, 1).indices == tuple(range(10))
    assert len(NAMED_DATASETS["cifar100"].classes) == 100
    assert list(NAMED_DATASETS["cifar100"].classes) == sorted(NAMED_DATASETS["cifar100"].classes)


def test_digits_may_be_called_by_their_words() -> None:
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    assert match_named("digits", words, 1).indices == tuple(range(10))


@pytest.mark.parametrize(
    ("name", "classes", "channels"),
    [
        ("fashionmnist", TEN, 1),
        ("mnist", NAMED_DATASETS["fashionmnist"].classes, 1),
        ("cifar100", CIFAR10, 3),
        ("cifar10", ["tench", "goldfish"], 3),
        ("svhn", CIFAR10, 3),
        ("cifar10", [*CIFAR10[:9], "lorry"], 3),
    ],
)
def test_data_of_other_classes_are_refused_before_they_are_read(
    name: str, classes: Sequence[str], channels: int
) -> None:
    with pytest.raises(ConfigError, match=f"^`data={name}`.*choose another `data` or `target`$"):
        match_named(name, classes, channels)


@pytest.mark.parametrize("prefix", ["class ", "LABEL_", "c"])
def test_classes_that_are_merely_numbered_are_taken_in_order(prefix: str) -> None:
    for name in ("cifar10", "svhn"):
        matching = match_named(name, [f"{prefix}{index}" for index in range(10)], 3)
        assert matching.indices == tuple(range(10))
        assert matching.reason


def test_imagenet_s_order_is_taken_where_most_names_have_their_places(tmp_path: Path) -> None:
    wnids = {"n01": ("tench", "Tinca tinca"), "n02": ("crane",), "n03": ("crane",), "n04": ("cock",)}
    imagenet(tmp_path, wnids, lambda wnid: 1)
    data = open_named("imagenet", tmp_path, fitting(classes=["tench", "crane bird", "crane", "cock"]))
    assert data.labels.tolist() == [0, 1, 2, 3]


def test_imagenet_s_names_are_looked_up_where_a_target_has_another_order(tmp_path: Path) -> None:
    wnids = {"n01": ("tench", "Tinca tinca"), "n02": ("goldfish",), "n03": ("cock",)}
    imagenet(tmp_path, wnids, lambda wnid: 1)
    data = open_named("imagenet", tmp_path, fitting(classes=["cock", "tench", "goldfish", "hen"]))
    assert data.labels.tolist() == [1, 2, 0]


def test_imagenet_is_refused_by_a_target_of_other_classes(tmp_path: Path) -> None:
    imagenet(tmp_path, {"n01": ("tench",), "n02": ("car",)}, lambda wnid: 1)
    with pytest.raises(ConfigError, match='"tench" is none of the target'):
        open_named("imagenet", tmp_path, fitting())
