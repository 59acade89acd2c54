"""Folders of pictures: which class a folder is, what is read, what is left out."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from labelled import CLASSES, fitting, picture
from PIL import Image

from evofool.datasets import LabelledImages, open_data
from evofool.datasets.base import UNKNOWN
from evofool.datasets.folders import PICTURES, read_folder
from evofool.errors import ConfigError, ImageError


def labels_by_id(data: LabelledImages) -> dict[str, int]:
    return {data.id(index): int(data.labels[index]) for index in range(len(data))}


def class_folders(root: Path, names: Sequence[str]) -> Path:
    """A picture in every folder."""
    for name in names:
        picture(root / name / "a.png")
    return root


@pytest.mark.parametrize(
    "names",
    [
        ["airplane", "car", "bird", "sea lion"],
        ["AIRPLANE", "Car", "bIRD", "Sea Lion"],
        ["airplane", "car", "bird", "sea_lion"],
        ["airplane", "car", "bird", "sea-lion"],
        ["airplane", " car ", "bird_", "sea  -_lion"],
    ],
)
def test_folders_are_called_like_the_classes(names: list[str], tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, names), fitting())
    assert labels_by_id(data) == {f"{name}/a.png": label for label, name in enumerate(names)}
    assert data.labels.dtype == np.int64


def test_a_few_of_the_classes_are_enough(tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, ["sea lion", "car"]), fitting())
    assert labels_by_id(data) == {"car/a.png": 1, "sea lion/a.png": 3}


def test_folders_are_called_by_index(tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, ["10", "9", "0", "02"]), fitting(classes=[f"c{i}" for i in range(11)]))
    assert labels_by_id(data) == {"0/a.png": 0, "02/a.png": 2, "9/a.png": 9, "10/a.png": 10}


def test_a_class_called_by_a_number_is_meant_by_its_name(tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, ["0", "1"]), fitting(classes=["1", "0", "2"]))
    assert labels_by_id(data) == {"0/a.png": 1, "1/a.png": 0}


def test_as_many_folders_as_classes_are_taken_in_sorted_order(tmp_path: Path) -> None:
    names = ["n02", "Zebra", "n01", "ça va?"]
    data = read_folder(class_folders(tmp_path, names), fitting())
    assert labels_by_id(data) == {f"{name}/a.png": label for label, name in enumerate(sorted(names))}


def test_numbers_too_large_for_indices_are_taken_in_sorted_order(tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, ["1", "2", "3", "4"]), fitting())
    assert labels_by_id(data) == {f"{number}/a.png": number - 1 for number in (1, 2, 3, 4)}


def test_of_two_classes_with_one_name_the_first_is_meant(tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, ["crane"]), fitting(classes=["a", "crane", "b", "Crane"]))
    assert labels_by_id(data) == {"crane/a.png": 1}


@pytest.mark.parametrize(
    ("names", "strange"),
    [
        (["airplane", "griffin"], "griffin"),
        (["0", "1", "4"], "4"),
        (["0", "car"], "0"),
        (["-1", "2"], "-1"),
        (["car", "٢"], "٢"),
        (["1", "1e9", "2"], "1"),
        (["0" * 9 + "1", "2"], "0000000001"),
        (["a", "b", "c", "d", "e"], "a"),
    ],
)
def test_a_strange_folder_is_named(names: list[str], strange: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="class name or index") as raised:
        read_folder(class_folders(tmp_path, names), fitting())
    assert f'"{strange}"' in str(raised.value)
    assert str(tmp_path) in str(raised.value)
    assert "4 classes" in str(raised.value)


def test_pictures_lie_as_deep_as_they_like(tmp_path: Path) -> None:
    for name in ("b.png", "a/c/z.JPG", "a.png", "a/y.gif"):
        picture(tmp_path / "car" / name)
    picture(tmp_path / "bird" / "only" / "here.png")
    data = read_folder(tmp_path, fitting())
    assert list(labels_by_id(data).items()) == [
        ("bird/only/here.png", 2),
        ("car/a.png", 1),
        ("car/a/c/z.JPG", 1),
        ("car/a/y.gif", 1),
        ("car/b.png", 1),
    ]


@pytest.mark.parametrize("ending", PICTURES)
def test_every_ending_is_a_picture_and_can_be_read(ending: str, tmp_path: Path) -> None:
    picture(tmp_path / f"a{ending}", (40, 80, 120), (8, 8))
    (tmp_path / f"a{ending}").rename(tmp_path / f"a{ending.upper()}")
    data = read_folder(tmp_path, fitting())
    assert labels_by_id(data) == {f"a{ending.upper()}": UNKNOWN}
    assert data.read(0).shape == (3, 8, 8)
    np.testing.assert_allclose(data.read(0)[:, 4, 4], (40, 80, 120), atol=4)


def test_hidden_files_and_other_files_are_nothing(tmp_path: Path) -> None:
    picture(tmp_path / "car" / "a.png")
    picture(tmp_path / "car" / ".b.png")
    picture(tmp_path / "car" / ".cache" / "c.png")
    picture(tmp_path / ".thumbnails" / "d.png")
    picture(tmp_path / ".e.png")
    (tmp_path / "car" / "notes.txt").write_text("red")
    (tmp_path / "README.md").write_text("cars")
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no picture")
    data = read_folder(tmp_path, fitting())
    assert labels_by_id(data) == {"car/a.png": 1}
    assert data.skipped == {}


def test_loose_pictures_beside_class_folders_are_reported(tmp_path: Path) -> None:
    class_folders(tmp_path, ["car", "bird"])
    picture(tmp_path / "lost.png")
    picture(tmp_path / "again.jpg")
    data = read_folder(tmp_path, fitting())
    assert list(labels_by_id(data)) == ["bird/a.png", "car/a.png"]
    assert data.skipped == dict.fromkeys(("again.jpg", "lost.png"), "lies beside the class folders")


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "C.gif", "ä ö.png", "%d'\" ;.png"):
        picture(tmp_path / name)
    (tmp_path / "folder.png").mkdir()
    data = read_folder(tmp_path, fitting())
    assert [data.id(index) for index in range(len(data))] == sorted(
        ("b.png", "a.jpg", "C.gif", "ä ö.png", "%d'\" ;.png")
    )
    assert data.labels.tolist() == [UNKNOWN] * 5
    assert data.labels.dtype == np.int64
    assert data.skipped == {}
    assert all(data.read(index).shape == (3, 8, 8) for index in range(5))


def test_a_folder_called_like_a_picture_is_a_class_folder(tmp_path: Path) -> None:
    picture(tmp_path / "car.png" / "a.png")
    assert labels_by_id(read_folder(tmp_path, fitting(classes=["bus", "car.png"]))) == {"car.png/a.png": 1}


@pytest.mark.parametrize("inside", [[], ["notes.txt"], ["car/notes.txt"], [".a.png"], [".git/a.png"]])
def test_a_folder_without_pictures_says_what_is_one(inside: list[str], tmp_path: Path) -> None:
    for name in inside:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("something")
    with pytest.raises(ConfigError, match=r"holds no pictures \(\.png, .*\)") as raised:
        read_folder(tmp_path, fitting())
    assert str(tmp_path) in str(raised.value)


def test_the_images_are_called_by_the_folder(tmp_path: Path) -> None:
    assert read_folder(class_folders(tmp_path / "my pets", ["car"]), fitting()).name == "my pets"
    picture(tmp_path / "flat" / "a.png")
    assert read_folder(tmp_path / "flat", fitting()).name == "flat"


def test_the_working_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert open_data(".", tmp_path, fitting()).name


def test_a_link_to_a_picture_is_one_and_a_dangling_one_is_an_image_error(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere" / "a.png", (1, 2, 3))
    (tmp_path / "data" / "car").mkdir(parents=True)
    os.symlink(tmp_path / "elsewhere" / "a.png", tmp_path / "data" / "car" / "a.png")
    os.symlink(tmp_path / "gone.png", tmp_path / "data" / "car" / "b.png")
    data = read_folder(tmp_path / "data", fitting())
    assert data.read(0)[:, 0, 0].tolist() == [1, 2, 3]
    with pytest.raises(ImageError, match="cannot read image: No such file"):
        data.read(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_resized_and_cropped_for_the_target(channels: int, tmp_path: Path) -> None:
    wide = Image.new("RGB", (40, 10), (200, 0, 0))
    wide.paste((90, 90, 90), (15, 0, 25, 10))  # The middle square.
    wide.save(tmp_path / "a.png")
    exact = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    exact.save(tmp_path / "b.png")
    data = read_folder(tmp_path, fitting((channels, 8, 8)))
    assert data.read(0).shape == (channels, 8, 8)
    assert (data.read(0)[..., 1:-1] == 90).all()  # At the edge, what was cropped shines through.
    as_taken = np.asarray(exact.convert("L"))[None] if channels == 1 else np.asarray(exact).transpose(2, 0, 1)
    np.testing.assert_array_equal(data.read(1), as_taken)


def test_the_card_s_interpolation_and_resize_are_used(tmp_path: Path) -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    stripes[8:24, 8:24] = 255  # The inner quarter is white.
    Image.fromarray(stripes).save(tmp_path / "a.png")
    near = read_folder(tmp_path, fitting(interpolation="nearest")).read(0)
    soft = read_folder(tmp_path, fitting(interpolation="bilinear")).read(0)
    assert set(np.unique(near).tolist()) <= {0, 255}
    assert not set(np.unique(soft).tolist()) <= {0, 255}
    assert (read_folder(tmp_path, fitting(resize=16, interpolation="nearest")).read(0) == 255).all()


def test_folders_in_decomposed_unicode_are_the_same_names(tmp_path: Path) -> None:
    classes = ["café", "zebra", "été"]
    root = class_folders(tmp_path, [unicodedata.normalize("NFD", name) for name in classes])
    data = read_folder(root, fitting(classes=classes))
    assert [classes[label] for label in data.labels] == [
        unicodedata.normalize("NFC", data.id(index).split("/")[0]) for index in range(3)
    ]


def test_folders_that_are_partly_known_are_refused(tmp_path: Path) -> None:
    root = class_folders(tmp_path, ["plane", "car", "bird", "sea lion"])
    with pytest.raises(ConfigError) as raised:
        read_folder(root, fitting())
    assert str(raised.value) == (
        f'the folders in {tmp_path}: "plane" (did you mean "airplane"?) is none of the target\'s 4 classes; call all '
        "folders by class name or index"
    )


def test_what_unnamed_folders_were_taken_for_is_kept(tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, ["eins", "zwei", "drei", "vier"]), fitting())
    assert data.matching is not None
    assert dict(zip(data.matching.names, data.matching.indices, strict=True)) == {
        "drei": 0, "eins": 1, "vier": 2, "zwei": 3,
    }  # fmt: skip
    assert data.matching.by == "order"
    assert data.matching.reason.startswith("no folder's name is that of a class")


@pytest.mark.parametrize(
    "names",
    [[str(number) for number in range(1, 12)], [f"class_{number}" for number in range(11)]],
    ids=["counted from 1", "with a number"],
)
def test_folders_whose_order_is_not_certain_are_refused(names: list[str], tmp_path: Path) -> None:
    """Sorted as text, 10 stands before 2: whoever trained the network may have meant either order."""
    with pytest.raises(ConfigError, match=r"which is which is not certain.*name or index \(0 to 10\)"):
        read_folder(class_folders(tmp_path, names), fitting(classes=[f"c {index}" for index in range(11)]))


@pytest.mark.parametrize(
    "names", [[f"{number:02}" for number in range(1, 12)], [f"c{number:03}" for number in range(11)]]
)
def test_folders_with_leading_zeros_have_a_certain_order(names: list[str], tmp_path: Path) -> None:
    classes = [chr(ord("a") + index) for index in range(11)]
    data = read_folder(class_folders(tmp_path, names), fitting(classes=classes))
    assert labels_by_id(data) == {f"{name}/a.png": label for label, name in enumerate(names)}


@pytest.mark.parametrize(
    ("splits", "best"),
    [(["train", "val"], "val"), (["Test", "Train", "Validation"], "Validation"), (["training"], "training")],
)
@pytest.mark.parametrize("classes", [CLASSES, ("a", "b")], ids=["more classes", "as many classes"])
def test_the_parts_of_a_data_set_are_no_classes(
    splits: list[str], best: str, classes: Sequence[str], tmp_path: Path
) -> None:
    for split in splits:
        class_folders(tmp_path / split, ["x", "y"])
    with pytest.raises(ConfigError, match="parts of a data set and not classes") as raised:
        read_folder(tmp_path, fitting(classes=classes))
    assert str(raised.value).endswith(f"give one of them: `data={tmp_path / best}`")


def test_class_folders_one_level_further_in_are_found(tmp_path: Path) -> None:
    class_folders(tmp_path / "images", ["car", "bird"])
    class_folders(tmp_path / "masks", ["1", "2"])
    with pytest.raises(ConfigError, match=rf"`data={tmp_path / 'images'}`"):
        read_folder(tmp_path, fitting())


def test_classes_may_be_called_like_parts_of_a_data_set(tmp_path: Path) -> None:
    data = read_folder(class_folders(tmp_path, ["train", "test"]), fitting(classes=["test", "train", "bus"]))
    assert labels_by_id(data) == {"train/a.png": 1, "test/a.png": 0}


def test_pictures_of_formats_that_are_not_read_are_named(tmp_path: Path) -> None:
    class_folders(tmp_path, ["car", "bird"])
    for name in ("car/IMG_1.HEIC", "bird/deep/b.avif", "sea lion/c.jxl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"?")
    data = read_folder(tmp_path, fitting())
    assert labels_by_id(data) == {"bird/a.png": 2, "car/a.png": 1}
    assert data.skipped == {
        "bird/deep/b.avif": "AVIF is not read; convert it to PNG or JPEG",
        "car/IMG_1.HEIC": "HEIC is not read; convert it to PNG or JPEG",
        "sea lion/c.jxl": "JXL is not read; convert it to PNG or JPEG",
    }


def test_a_folder_of_nothing_but_other_formats_names_one(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.heic").write_bytes(b"?")
    (tmp_path / "IMG_2.heic").write_bytes(b"?")
    with pytest.raises(ConfigError, match=r"holds no pictures.*2 are of other kinds, such as IMG_1\.heic"):
        read_folder(tmp_path, fitting())


def test_a_file_that_can_t_be_read_is_not_named_twice(tmp_path: Path) -> None:
    for name, content in (("a.png", b"no image"), ("b.png", b"\x89PNG\r\n\x1a\n cut")):
        (tmp_path / name).write_bytes(content)
    images = read_folder(tmp_path, fitting())
    for index in range(2):
        with pytest.raises(ImageError) as refused:
            images.read(index)
        assert str(tmp_path) not in str(refused.value)
