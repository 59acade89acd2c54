"""Which images are attacked: seeded, balanced over the classes, only those the target gets right."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakes import Foreign
from hypothesis import given
from hypothesis import strategies as st
from labelled import fitting, images_read_as, numbers, picture, reading_target
from PIL import Image
from support import global_random_untouched, random_images, tiny_target

from evofool import Target
from evofool.attacks import image_selection
from evofool.attacks.image_selection import SelectedImages, select_images
from evofool.datasets import ArrayImages
from evofool.datasets.base import UNKNOWN
from evofool.datasets.folders import read_folder
from evofool.errors import ConfigError


@pytest.fixture(scope="module")
def reader() -> Target:
    """Return a target whose class is the value of the upper left pixel."""
    return reading_target()


def images_of(chosen: SelectedImages) -> np.ndarray:
    return np.stack([subject.image for subject in chosen.subjects])


def labels(chosen: SelectedImages) -> list[int]:
    return [subject.label for subject in chosen.subjects]


def predictions(chosen: SelectedImages) -> list[int]:
    return [subject.prediction for subject in chosen.subjects]


def ids(chosen: SelectedImages) -> list[str]:
    return [subject.id for subject in chosen.subjects]


def right(counts: list[int], wrong: list[int] | None = None) -> ArrayImages:
    """Return so many images of each class that the target gets right, and so many that it gets wrong, mixed."""
    wrong = wrong or [0] * len(counts)
    pairs = [(label, label) for label, count in enumerate(counts) for _ in range(count)]
    pairs += [((label + 1) % len(counts), label) for label, count in enumerate(wrong) for _ in range(count)]
    mixed = np.random.default_rng(5).permutation(np.array(pairs))
    return images_read_as(mixed[:, 0], mixed[:, 1])


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=4, max_size=4),
    st.integers(1, 40),
    st.integers(0, 2**40),
)
def test_classes_are_as_even_as_the_data_allow(
    reader: Target, counts: list[tuple[int, int]], count: int, seed: int
) -> None:
    available, wrong = [n for n, _ in counts], [n for _, n in counts]
    if not sum(available):
        return
    data = right(available, wrong)
    chosen = select_images(data, reader, count=count, seed=seed)
    taken = [labels(chosen).count(label) for label in range(4)]
    assert sum(taken) == len(chosen.subjects) == min(count, sum(available))
    for label in range(4):
        assert taken[label] <= available[label]
        if taken[label] < available[label]:
            assert taken[label] >= max(taken) - 1
    assert len(set(numbers(images_of(chosen)))) == len(chosen.subjects)
    assert predictions(chosen) == labels(chosen)
    assert len(chosen.subjects) <= chosen.looked <= len(data)
    assert len(chosen.subjects) <= chosen.correct <= sum(available)


def test_a_class_with_few_correct_images_gives_all_of_them(reader: Target) -> None:
    chosen = select_images(right([30, 2, 30, 30], [0, 28, 0, 0]), reader, count=29)
    assert Counter(labels(chosen)) == {0: 9, 1: 2, 2: 9, 3: 9}


def test_one_image_of_every_class_comes_before_the_second_of_any(reader: Target) -> None:
    order = labels(select_images(right([9, 2, 9, 9]), reader, count=14))
    turns = [order[:4], order[4:8], order[8:11], order[11:14]]
    assert [sorted(turn) for turn in turns] == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 2, 3], [0, 2, 3]]


def test_a_seed_is_the_same_selection_and_another_seed_another(reader: Target) -> None:
    data = right([40] * 4, [5] * 4)
    with global_random_untouched():
        orders = [numbers(images_of(select_images(data, reader, count=20, seed=seed))) for seed in (0, 0, 1, 2**63)]
    assert orders[0] == orders[1]
    assert len({tuple(sorted(order)) for order in orders}) == 3


def test_a_larger_count_begins_with_the_smaller_one_s_images(reader: Target) -> None:
    data = right([40] * 4)
    small, large = (numbers(images_of(select_images(data, reader, count=n, seed=3))) for n in (8, 24))
    assert set(small) < set(large)


def test_every_image_of_a_class_is_as_likely(reader: Target) -> None:
    data = right([10, 10, 10, 10])
    drawn = Counter(
        n for seed in range(150) for n in numbers(images_of(select_images(data, reader, count=4, seed=seed)))
    )
    assert len(drawn) == 40
    assert max(drawn.values()) < 36  # 15 each on average, standard deviation 3.7


def test_first_keeps_the_data_s_order(reader: Target) -> None:
    data = images_read_as([3, 3, 1, 0, 2, 3, 3], [3, 3, 0, 0, 2, 1, 3])
    for seed in (0, 1):
        chosen = select_images(data, reader, count=4, first=True, seed=seed)
        assert numbers(images_of(chosen)) == [0, 1, 3, 4]
        assert labels(chosen) == [3, 3, 0, 2]
        assert ids(chosen) == ["set:0", "set:1", "set:3", "set:4"]
    assert numbers(images_of(select_images(data, reader, count=99, first=True))) == [0, 1, 3, 4, 6]


def test_first_leaves_out_classes_and_keeps_misclassified_when_asked(reader: Target) -> None:
    data = images_read_as([3, 3, 1, 0, 2, 3, 3], [3, 3, 0, 0, 2, 1, 3])
    chosen = select_images(data, reader, count=3, first=True, include_misclassified=True, without=[3])
    assert numbers(images_of(chosen)) == [2, 3, 4]


def test_misclassified_images_are_taken_only_when_asked(reader: Target) -> None:
    data = right([3] * 4, [5] * 4)
    clean = select_images(data, reader, count=99)
    assert len(clean.subjects) == 12
    assert (clean.looked, clean.correct) == (32, 12)
    everything = select_images(data, reader, count=99, include_misclassified=True)
    assert sorted(numbers(images_of(everything))) == list(range(32))
    assert sum(subject.prediction != subject.label for subject in everything.subjects) == 20
    assert (everything.looked, everything.correct) == (32, 12)
    assert sorted(labels(everything)) == sorted(data.labels.tolist())


@pytest.mark.parametrize("first", [False, True])
def test_an_unlabelled_image_is_what_the_target_takes_it_for(first: bool) -> None:
    target, images = tiny_target(), random_images(20)
    chosen = select_images(ArrayImages("raw", images.numpy(), np.full(20, UNKNOWN)), target, count=20, first=first)
    guesses = target.confirm(torch.from_numpy(images_of(chosen))).argmax(1).tolist()
    assert len(chosen.subjects) == chosen.correct == chosen.looked == 20
    assert labels(chosen) == predictions(chosen) == guesses
    assert len(set(guesses)) > 1


def test_known_and_unknown_labels_mix(reader: Target) -> None:
    data = images_read_as([0, 1, 2, 3, 1], [0, UNKNOWN, 1, UNKNOWN, 1])
    chosen = select_images(data, reader, count=9, first=True)
    assert labels(chosen) == [0, 1, 3, 1]
    assert numbers(images_of(chosen)) == [0, 1, 3, 4]


@pytest.mark.parametrize("first", [False, True])
def test_without_leaves_out_classes(first: bool, reader: Target) -> None:
    chosen = select_images(right([5] * 4), reader, count=99, first=first, without=(1, 3))
    assert Counter(labels(chosen)) == {0: 5, 2: 5}
    assert chosen.looked == 10


@pytest.mark.parametrize("first", [False, True])
def test_without_counts_for_unlabelled_images_too(first: bool, reader: Target) -> None:
    data = images_read_as([0, 1, 2, 1, 3], [UNKNOWN] * 5)
    chosen = select_images(data, reader, count=3, first=first, without={1})
    assert sorted(labels(chosen)) == [0, 2, 3]


def test_what_is_said_of_an_image_is_its_own(target: Target) -> None:
    images = random_images(30, seed=1)
    guesses = target.confirm(images).argmax(1).numpy()
    given = np.where(np.arange(30) % 3, guesses, (guesses + 1) % 4)
    chosen = select_images(ArrayImages("noise", images.numpy(), given), target, count=12, seed=4)
    scores = target.confirm(torch.from_numpy(images_of(chosen)))
    assert len(chosen.subjects) == 12
    for number, (subject, confidence) in enumerate(zip(chosen.subjects, scores.amax(1).tolist(), strict=True)):
        index = int(subject.id.removeprefix("noise:"))
        assert subject.index == number
        np.testing.assert_array_equal(subject.image, images[index].numpy())
        assert subject.image.dtype == np.uint8
        assert subject.label == given[index] == subject.prediction == guesses[index]
        assert subject.confidence == pytest.approx(confidence, rel=1e-5)
        assert subject.sha256 == hashlib.sha256(images[index].numpy().tobytes()).hexdigest()


@pytest.mark.parametrize("batch", [1, 7, 10_000])
@pytest.mark.parametrize("first", [False, True])
def test_how_many_are_looked_at_together_changes_nothing(
    batch: int, first: bool, reader: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = right([90, 10, 90, 90], [10, 90, 10, 10])
    usual = select_images(data, reader, count=300, first=first)
    assert usual.looked > image_selection.BATCH
    monkeypatch.setattr(image_selection, "BATCH", batch)
    other = select_images(data, reader, count=300, first=first)
    assert (ids(other), other.looked, other.correct) == (ids(usual), usual.looked, usual.correct)


def test_no_more_is_read_than_is_needed(reader: Target) -> None:
    data = right([500] * 4)
    read: list[int] = []
    data.read = lambda index: read.append(index) or data.images[index]  # type: ignore[method-assign,func-returns-value]
    assert select_images(data, reader, count=8).looked == 8
    assert len(read) == 8


@pytest.mark.parametrize("label", [4, 1000, -2])
def test_a_label_that_is_no_class_is_named(label: int, reader: Target) -> None:
    data = images_read_as([0, 1, 2], [0, label, 2])
    with pytest.raises(ConfigError, match=rf"set, image 1, has the label {label}, reader has classes 0 to 3; choose"):
        select_images(data, reader, count=1)


@pytest.mark.parametrize(
    ("shape", "says"), [((1, 8, 8), "8 × 8 grey"), ((3, 8, 9), "9 × 8 RGB"), ((3, 32, 32), "32 × 32 RGB")]
)
def test_images_of_another_shape_are_refused(shape: tuple[int, int, int], says: str, reader: Target) -> None:
    data = images_read_as([0, 1], [0, 1], shape)
    with pytest.raises(ConfigError, match=f"the images of set are {says}, reader takes 8 × 8 RGB; choose"):
        select_images(data, reader, count=1)


@pytest.mark.parametrize("first", [False, True])
def test_everything_misclassified_says_so_and_what_to_do(first: bool, reader: Target) -> None:
    data = images_read_as([1, 2, 3], [0, 1, 2])
    with pytest.raises(ConfigError, match=r"reader misclassifies all 3 images of set .*`include_misclassified=True`"):
        select_images(data, reader, count=2, first=first)
    assert len(select_images(data, reader, count=2, first=first, include_misclassified=True).subjects) == 2


def test_no_images_at_all_is_refused(reader: Target) -> None:
    with pytest.raises(ConfigError, match="set holds no images"):
        select_images(images_read_as([], []), reader, count=1)


def test_images_of_the_only_class_to_reach_are_refused(reader: Target) -> None:
    with pytest.raises(
        ConfigError, match="every image of set is of the only class to reach; choose another `criterion`"
    ):
        select_images(images_read_as([2, 2], [2, 2]), reader, count=1, without=[2])


def test_images_of_the_only_class_to_reach_are_refused_in_the_data_s_order(reader: Target) -> None:
    with pytest.raises(ConfigError, match="the only class to reach; choose another `criterion`"):
        select_images(images_read_as([2, 2], [2, 2]), reader, count=1, first=True, without=[2])


@pytest.mark.parametrize("first", [False, True])
def test_unlabelled_images_of_the_only_class_to_reach_are_refused(first: bool, reader: Target) -> None:
    with pytest.raises(
        ConfigError, match="all images of set are of the only class to reach; choose another `criterion`"
    ):
        select_images(images_read_as([2, 2], [UNKNOWN] * 2), reader, count=1, first=first, without=[2])


def _cut(path: Path, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def _flipped(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "no_bytes.png": lambda path: path.write_bytes(b""),
    "no_bytes.jpg": lambda path: path.write_bytes(b""),
    "text.png": lambda path: path.write_text("<html>404</html>"),
    "corrupt.png": _flipped,
    "cut.png": lambda path: _cut(path, 0.5),
    "cut.jpg": lambda path: _cut(path, 0.5),
    "head.gif": lambda path: path.write_bytes(b"GIF89a"),
}


def test_unreadable_pictures_are_skipped_with_a_reason(reader: Target, tmp_path: Path) -> None:
    for name, write in UNREADABLE.items():
        write(tmp_path / name)
    picture(tmp_path / "good.png", (2, 0, 0))
    chosen = select_images(read_folder(tmp_path, fitting()), reader, count=99)
    assert ids(chosen) == ["good.png"]
    assert labels(chosen) == [2]
    assert chosen.skipped.keys() == UNREADABLE.keys()
    for name, reason in chosen.skipped.items():
        assert name not in reason
        assert "\n" not in reason
    assert (chosen.looked, chosen.correct) == (1, 1)


def test_the_next_of_its_class_is_taken_for_an_unreadable_one(reader: Target, tmp_path: Path) -> None:
    for label, name in enumerate(("airplane", "car")):
        for number in range(6):
            picture(tmp_path / name / f"{number}.png", (label, number, 0))
    for number in range(5):
        (tmp_path / "car" / f"{number}.png").write_bytes(b"gone")
    picture(tmp_path / "loose.png")
    for seed in range(5):
        chosen = select_images(read_folder(tmp_path, fitting()), reader, count=2, seed=seed)
        assert sorted(labels(chosen)) == [0, 1]
        assert "car/5.png" in ids(chosen)
        assert chosen.skipped["loose.png"] == "lies beside the class folders"
    chosen = select_images(read_folder(tmp_path, fitting()), reader, count=6)
    assert Counter(labels(chosen)) == {0: 5, 1: 1}


def test_nothing_but_unreadable_pictures_names_the_first(reader: Target, tmp_path: Path) -> None:
    for name, write in UNREADABLE.items():
        write(tmp_path / name)
    with pytest.raises(
        ConfigError, match=rf"none of the {len(UNREADABLE)} images .* can be read; the first, "
    ) as raised:
        select_images(read_folder(tmp_path, fitting()), reader, count=1, first=True)
    assert str(raised.value).count("corrupt.png") == 1


def _rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.new("RGB", (8, 8), (90, 90, 90))
    stored.paste((3, 3, 3), (0, 4, 4, 8))  # lower left; a quarter clockwise and it is the upper left
    stored.save(path, exif=exif)


def _deep(path: Path, value: int, size: int) -> None:
    """Save a picture of 16 bits; one bright pixel in a corner tells that it has."""
    pixels = np.full((size, size), value * 257, np.uint16)
    pixels[-1, -1] = 65_535
    Image.fromarray(pixels).save(path)


def _palette(path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([200, 0, 0, 3, 70, 0])
    image.save(path)


ODD: dict[str, tuple[Callable[[Path], Any], int]] = {
    "1x1.png": (lambda path: picture(path, (1, 0, 0), (1, 1)), 1),
    "1xlong.png": (lambda path: picture(path, (2, 0, 0), (1, 3000)), 2),
    "wide.png": (lambda path: picture(path, (3, 0, 0), (3000, 40)), 3),
    "high.jpg": (lambda path: picture(path, (2, 2, 2), (40, 3000), quality=95), 2),
    "16-bit.png": (lambda path: _deep(path, 2, 9), 2),
    "16-bit.tif": (lambda path: _deep(path, 3, 8), 3),
    "float.tif": (lambda path: Image.fromarray(np.full((8, 8), 2, np.float32)).save(path), 2),
    "palette.png": (_palette, 3),
    "palette.gif": (_palette, 3),
    "rgba.png": (lambda path: picture(path, (1, 9, 9, 255), mode="RGBA"), 1),
    "grey.png": (lambda path: picture(path, 2, mode="L"), 2),
    "grey alpha.png": (lambda path: picture(path, (3, 255), mode="LA"), 3),
    "black and white.png": (lambda path: picture(path, 0, mode="1"), 0),
    "rotated.png": (_rotated, 3),
}


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_every_kind_work(channels: int, tmp_path: Path) -> None:
    for name, (write, _) in ODD.items():
        write(tmp_path / name)
    shape = (channels, 8, 8)
    target = reading_target(256, shape)
    chosen = select_images(read_folder(tmp_path, fitting(shape, target.classes)), target, count=99)
    assert chosen.skipped == {}
    assert images_of(chosen).shape == (len(ODD), *shape)
    seen = dict(zip(ids(chosen), labels(chosen), strict=True))
    if channels == 3:
        assert seen == {name: value for name, (_, value) in ODD.items()}
    else:
        assert seen.keys() == ODD.keys()
        assert seen["grey.png"] == 2
        assert seen["rotated.png"] == 3


def test_a_target_that_is_no_torch_module_will_do() -> None:
    images = random_images(12, Foreign.image_shape).numpy()
    chosen = select_images(ArrayImages("raw", images, np.full(12, UNKNOWN)), Foreign(), count=5)
    assert len(chosen.subjects) == 5
    assert all(0.5 <= subject.confidence <= 1 for subject in chosen.subjects)
