"""Archives of labelled images: every accepted layout, labels by name, and one clear error for everything else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import CLASSES

from evofool.datasets import archives
from evofool.datasets.archives import read_archive
from evofool.datasets.base import UNKNOWN
from evofool.errors import ConfigError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 3, 6, 7), np.uint8)
LABELS = np.array([0, 3, 1, 2, 3])


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def archive(path: Path, **changes: Any) -> Path:
    """Five images that can be read, with some arrays changed, or left out where None."""
    arrays = {"images": IMAGES.transpose(0, 2, 3, 1), "labels": LABELS} | changes
    return saved(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("channels", "stored"),
    [
        (3, lambda images: images.transpose(0, 2, 3, 1)),
        (3, lambda images: images),
        (1, lambda images: images.transpose(0, 2, 3, 1)),
        (1, lambda images: images),
        (1, lambda images: images[:, 0]),
    ],
    ids=["NHW3", "N3HW", "NHW1", "N1HW", "NHW"],
)
def test_every_layout_is_the_same_images(
    channels: int, stored: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    images = IMAGES[:, :channels]
    data = read_archive(archive(tmp_path / "a.npz", images=stored(images)), CLASSES)
    assert len(data) == 5
    assert data.labels.tolist() == LABELS.tolist()
    assert data.skipped == {}
    for index in range(5):
        image = data.read(index)
        np.testing.assert_array_equal(image, images[index])
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous  # Its hash is that of its bytes.


def test_colours_come_last_where_both_layouts_fit(tmp_path: Path) -> None:
    images = IMAGES[:, :, :3, :3]
    data = read_archive(saved(tmp_path / "a.npz", images=images, labels=LABELS), CLASSES)
    np.testing.assert_array_equal(data.read(2), images[2].transpose(2, 0, 1))


def test_an_image_is_called_by_the_archive_and_its_place(tmp_path: Path) -> None:
    data = read_archive(archive(tmp_path / "pets.v2.npz"), CLASSES)
    assert data.name == "pets.v2"
    assert data.id(3) == "pets.v2:3"


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, np.uint32, np.int64, np.uint64, ">i4"])
def test_labels_of_any_whole_type_become_int64(kind: Any, tmp_path: Path) -> None:
    data = read_archive(archive(tmp_path / "a.npz", labels=LABELS.astype(kind)), CLASSES)
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == LABELS.tolist()


def test_an_image_without_label_stays_unknown(tmp_path: Path) -> None:
    labels = np.array([0, UNKNOWN, 1, 2, 3])
    data = read_archive(archive(tmp_path / "a.npz", labels=labels, classes=np.array(CLASSES[::-1])), CLASSES)
    assert data.labels.tolist() == [3, UNKNOWN, 2, 1, 0]


@given(st.permutations(CLASSES), st.sampled_from([str, str.upper, str.title]))
def test_class_names_translate_labels(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], spelt: Callable[[str], str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "named.npz"
    archive(path, classes=np.array([spelt(name) for name in order]))
    labels = read_archive(path, CLASSES).labels
    assert labels.dtype == np.int64
    assert [CLASSES[label] for label in labels] == [order[label] for label in LABELS]


def test_some_of_the_target_s_classes_are_enough(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", labels=np.array([0, 1, 0, 1, 1], np.uint8), classes=np.array(["bird", "car"]))
    assert read_archive(path, CLASSES).labels.tolist() == [2, 1, 2, 1, 1]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["car", "airplane", "bird", "griffin"], '"griffin" is none of the target\'s 4 classes'),
        (["griffin", "sphinx"], '"griffin", "sphinx" are none of'),
        (["car", "airplane", "bird"], "label 3, and names for 0 to 2"),
        (["car"], "label 3, and names for 0 to 0"),
    ],
    ids=["strange", "all strange", "one too few", "too few"],
)
def test_names_that_do_not_fit_are_refused(names: list[str], says: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", classes=np.array(names, str))
    with pytest.raises(ConfigError, match=says) as raised:
        read_archive(path, CLASSES)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("names", [np.array([], str), np.array([], "S1")])
def test_an_archive_may_have_no_names(names: np.ndarray, tmp_path: Path) -> None:
    data = read_archive(archive(tmp_path / "a.npz", classes=names), CLASSES)
    assert (data.labels.tolist(), data.matching) == (LABELS.tolist(), None)


def test_names_may_be_bytes(tmp_path: Path) -> None:
    names = np.array(["été".encode(), b"Car"])
    data = read_archive(archive(tmp_path / "a.npz", labels=LABELS % 2, classes=names), ["car", "été"])
    assert data.labels.tolist() == (1 - LABELS % 2).tolist()


def test_as_many_names_in_another_language_are_the_classes_in_order(tmp_path: Path) -> None:
    data = read_archive(archive(tmp_path / "a.npz", classes=np.array(["Zug", "Auto", "Vogel", "Meer"])), CLASSES)
    assert data.labels.tolist() == LABELS.tolist()
    assert data.matching is not None
    assert data.matching.by == "order"


@pytest.mark.parametrize("shape", [(5, 1), (5, 1, 1)])
def test_labels_may_be_a_column(shape: tuple[int, ...], tmp_path: Path) -> None:
    data = read_archive(archive(tmp_path / "a.npz", labels=LABELS.reshape(shape).astype(np.uint8)), CLASSES)
    assert data.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("kind", [np.uint8, np.float32, bool])
def test_one_hot_labels_are_named_with_what_to_do(kind: type, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", labels=np.eye(4, dtype=kind)[LABELS])
    with pytest.raises(ConfigError, match=r"labels \(5, 4\) are one-hot.*np\.argmax\(labels, axis=1\)"):
        read_archive(path, CLASSES)


def test_two_classes_of_one_name_stay_apart(tmp_path: Path) -> None:
    classes = ["crane", "car", "bird", "crane"]
    data = read_archive(archive(tmp_path / "a.npz", classes=np.array(classes)), classes)
    assert data.labels.tolist() == LABELS.tolist()


def _pickled(path: Path) -> None:
    archive(path, labels=np.array([{"a": 1}] * 5, object))


def _npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, IMAGES)


def _cut(path: Path) -> None:
    archive(path)
    path.write_bytes(path.read_bytes()[:-100])


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "readable image archive"),
    "text": (lambda path: path.write_text("airplane, car\nbird\n"), "readable image archive"),
    "an empty zip": (lambda path: zipfile.ZipFile(path, "w").close(), "readable image archive"),
    "a single array": (_npy, "readable image archive"),
    "cut off": (_cut, "readable image archive"),
    "pickled objects": (_pickled, "readable image archive"),
    "pickled names": (lambda path: archive(path, classes=np.array(CLASSES, object)), "readable image archive"),
    "one name": (lambda path: archive(path, classes=np.array("car")), "readable image archive"),
    "no labels array": (lambda path: archive(path, labels=None), "readable image archive.*labels"),
    "no images array": (lambda path: archive(path, images=None), "readable image archive.*images"),
    "float images": (
        lambda path: archive(path, images=IMAGES / 255),
        r"float64; expected.*\(images \* 255\)",
    ),
    "16-bit images": (
        lambda path: archive(path, images=IMAGES.astype(np.uint16)),
        r"uint16; expected.*images\.astype",
    ),
    "too few labels": (lambda path: archive(path, labels=LABELS[:4]), r"each of the 5 images, got labels \(4,\)"),
    "one-hot labels": (lambda path: archive(path, labels=np.eye(5, dtype=int)), "one-hot"),
    "a single label": (lambda path: archive(path, labels=np.array(1)), r"got labels \(\)"),
    "float labels": (lambda path: archive(path, labels=LABELS / 1), "float64"),
    "labels as names": (
        lambda path: archive(path, labels=np.array(["car"] * 5)),
        "<U3; names belong into classes",
    ),
    "yes-no labels": (lambda path: archive(path, labels=LABELS > 1), "bool"),
    "no images": (lambda path: archive(path, images=np.zeros((0, 8, 8, 3), np.uint8), labels=LABELS[:0]), "no images"),
    "images of no size": (lambda path: archive(path, images=np.zeros((5, 0, 8, 3), np.uint8)), "no images"),
    "four colours": (lambda path: archive(path, images=np.zeros((5, 8, 8, 4), np.uint8)), r"got \(5, 8, 8, 4\)"),
    "flat images": (lambda path: archive(path, images=np.zeros((5, 64), np.uint8)), r"got \(5, 64\)"),
    "videos": (lambda path: archive(path, images=np.zeros((5, 2, 8, 8, 3), np.uint8)), r"got \(5, 2, 8, 8, 3\)"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_bad_archive_is_one_line_that_names_the_file(kind: str, tmp_path: Path) -> None:
    write, says = BROKEN[kind]
    path = tmp_path / "bad.npz"
    write(path)
    with pytest.raises(ConfigError, match=says) as raised:
        read_archive(path, CLASSES)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_zip_of_text_is_a_config_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("images.npy", "no array")
        file.writestr("labels.npy", "none either")
    with pytest.raises(ConfigError, match=r"a\.npz"):
        read_archive(tmp_path / "a.npz", CLASSES)


def test_a_number_in_place_of_images_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.npz"):
        read_archive(archive(tmp_path / "a.npz", images=np.array(7, np.uint8)), CLASSES)


def test_a_label_too_large_is_not_taken_for_unknown(tmp_path: Path) -> None:
    labels = np.array([0, 1, 2, 3, 2**64 - 1], np.uint64)
    data = read_archive(archive(tmp_path / "a.npz", labels=labels), CLASSES)
    assert data.labels[4] >= len(CLASSES)


def test_a_missing_archive_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.npz"):
        read_archive(tmp_path / "nowhere.npz", CLASSES)


def _bytes() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=IMAGES, labels=LABELS, classes=np.array(CLASSES))
    return buffer.getvalue()


WHOLE = _bytes()


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255), st.booleans())
def test_a_damaged_archive_is_read_right_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int, cut: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(WHOLE[:place] if cut else WHOLE[:place] + bytes([WHOLE[place] ^ change]) + WHOLE[place + 1 :])
    with suppress(ConfigError):
        data = read_archive(path, CLASSES)
        np.testing.assert_array_equal(data.images, IMAGES)
        assert data.labels.tolist() == LABELS.tolist()


def test_more_images_or_classes_than_can_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(tmp_path / "a.npz", classes=np.array(CLASSES))
    monkeypatch.setattr(archives, "MAX_CLASSES", len(CLASSES) - 1)
    with pytest.raises(ConfigError, match=f"at most {len(CLASSES) - 1}"):
        read_archive(tmp_path / "a.npz", CLASSES)
    monkeypatch.setattr(archives, "MAX_CLASSES", len(CLASSES))
    monkeypatch.setattr(archives, "MAX_IMAGES", 4)
    with pytest.raises(ConfigError, match="5 images; at most 4"):
        read_archive(tmp_path / "a.npz", CLASSES)


@pytest.mark.parametrize("kind", [bool, float])
def test_labels_that_are_no_whole_numbers_get_the_line_that_makes_them_some(kind: type, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 8, 8), np.uint8), labels=np.array([0, 1]).astype(kind))
    with pytest.raises(ConfigError, match=r"got labels \(2,\) (bool|float64); .*labels\.astype\(int\)"):
        read_archive(tmp_path / "a.npz", ["a", "b"])


def test_messages_call_an_image_by_its_archive_and_number(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 8, 8), np.uint8), labels=np.array([0, 1]))
    images = read_archive(tmp_path / "a.npz", ["a", "b"])
    assert (images.id(1), images.place(1)) == ("a:1", "a.npz, image 1,")
