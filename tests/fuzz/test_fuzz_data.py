"""Data sets from strangers: archives that lie or swell, folders of hostile names."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from file_fates import archive_can_be, arrays_of, names_can_be
from hostile import Fate, Sandbox, fuzz, tried
from hypothesis import given
from hypothesis import strategies as st
from labelled import CLASSES, fitting, picture, reading_target
from mutations import WORDS, damaged

from evofool.attacks.image_selection import select_images
from evofool.config.classes import choose_classes
from evofool.datasets import open_data

TARGET, SHAPE = reading_target(), (3, 8, 8)


def archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def plain(n: int = 8) -> dict[str, Any]:
    images = np.zeros((n, 8, 8, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(n) % 4
    return {"images": images, "labels": np.arange(n) % 4, "classes": np.array(TARGET.classes)}


SAMPLE = archive(**plain())


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """An empty folder."""
    box = Sandbox(tmp_path_factory.mktemp("data"))
    box.inside.mkdir()
    box.remember()
    return box


def use(file: Path) -> None:
    """Choose images of a data set, as a campaign does."""
    data = open_data(file, file.parent, fitting())
    select_images(data, TARGET, count=4, include_misclassified=True)


def held(kind: str, content: bytes, fate: Fate, box: Sandbox) -> None:
    """Hold an archive to the promise; every refusal names the archive or one of its images."""
    box.held(kind, "a.npz", content, lambda: use(box.inside / "a.npz"), fate, box.inside / "a.npz", "a:", "images of a")


@fuzz(0.05)
@given(content=damaged(SAMPLE))
def test_a_damaged_archive(content: bytes, sandbox: Sandbox) -> None:
    arrays = arrays_of(content)
    held(
        "data set bytes",
        content,
        Fate.MAY_LOAD if arrays and archive_can_be(arrays, SHAPE, CLASSES) else Fate.REFUSED,
        sandbox,
    )


names = st.one_of(st.sampled_from(WORDS), st.text(max_size=9)).filter(lambda word: "\ud800" not in word)


@st.composite
def arrays(draw: Any) -> Any:
    """Draw an array of any kind and shape, but small."""
    kind = draw(
        st.sampled_from([np.uint8, np.int64, np.uint64, np.float64, np.bool_, "U9", "S9", np.complex64, "M8[s]", ">i4"])
    )
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 3, 4, 8]), max_size=5)))
    if kind == "U9" and draw(st.booleans()):
        return np.array(draw(st.lists(names, max_size=5)))
    value = draw(st.sampled_from([0, 1, 3, 255]))
    return np.full(shape, value).astype(kind)


@fuzz(0.05)
@given(changes=st.dictionaries(st.sampled_from(["images", "labels", "classes", "more"]), arrays(), min_size=1))
def test_an_archive_of_other_arrays(changes: dict[str, Any], sandbox: Sandbox) -> None:
    content = {**plain(), **changes}
    held(
        "data set arrays",
        archive(**content),
        Fate.LOADS if archive_can_be(content, SHAPE, CLASSES) else Fate.REFUSED,
        sandbox,
    )


class Mark:
    """Unpickled without care, it leaves a marker behind."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.marker,)


@pytest.mark.parametrize("place", ["images", "labels", "classes", "a pickle called so", "a pickle in the archive"])
def test_no_code_runs(place: str, sandbox: Sandbox) -> None:
    marker = sandbox.root / "marker"
    code = Mark(marker)
    if place.startswith("a pickle"):
        content = pickle.dumps(code)
        if "in the" in place:
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as packed:
                packed.writestr("images.npy", content)
                packed.writestr("labels.npy", content)
            content = buffer.getvalue()
    else:
        content = archive(**{**plain(), place: np.array([code] * 8, object)})
    held("data sets with code", content, Fate.REFUSED, sandbox)
    assert not marker.exists()


def big(shape: tuple[int, ...], kind: Any = np.uint8) -> np.ndarray:
    return np.zeros(shape, kind)


BOMBS = {
    "many tiny images": (lambda: {"images": big((2 * 10**7, 1, 1)), "labels": big((2 * 10**7,))}, Fate.REFUSED),
    "many classes": (lambda: {**plain(), "classes": big((2 * 10**7,), "U1")}, Fate.REFUSED),
    "classes of much text": (lambda: {**plain(), "classes": big((1,), "U9000000")}, Fate.REFUSED),
    "a long row": (lambda: {"images": big((1, 1, 2 * 10**7)), "labels": big((1,))}, Fate.REFUSED),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_or_costs_little(name: str, sandbox: Sandbox) -> None:
    make, fate = BOMBS[name]
    content = archive(**make())
    assert len(content) < 1_000_000
    held("data set bombs", content, fate, sandbox)


FILE_NAMES = [word for word in WORDS if word.strip(". ") and not set(word) & set("/\0\ud800") and len(word) < 99]
file_names = st.one_of(
    st.sampled_from(FILE_NAMES),
    st.sampled_from(CLASSES),
    st.binary(min_size=1, max_size=20).filter(lambda b: not set(b) & {0, 47} and b not in (b".", b"..")).map(
        lambda b: b.decode("utf-8", "surrogateescape")
    ),
)  # fmt: skip


def folder_can_be(root: Path) -> bool:
    """Return whether a folder is labelled pictures for a target with ``CLASSES``; folders in it have pictures."""
    visible = [path for path in root.iterdir() if not path.name.startswith(".")]
    folders = [path.name for path in visible if path.is_dir()]
    if not folders:
        return any(path.suffix == ".png" for path in visible)
    by_value = sorted(folders, key=lambda name: re.sub("[0-9]+", lambda number: number[0].zfill(99), name))
    return names_can_be(folders, CLASSES) and (len(folders) < len(CLASSES) or by_value == sorted(folders))


@fuzz(0.03)
@given(folders=st.lists(file_names, max_size=4), files=st.lists(file_names, max_size=3))
def test_a_folder_of_hostile_names(
    folders: list[str], files: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("pictures")
    for name in folders:
        picture(root / name / "a.png")
    for name in files:
        if not (root / (name + ".png")).exists():
            picture(root / (name + ".png"))
    tried("folders of pictures", lambda: use(root), Fate.LOADS if folder_can_be(root) else Fate.REFUSED, root)


def classes_can_be(wanted: str | list[str | int], classes: list[str]) -> bool:
    """Return whether names and indices mean some of these classes."""
    entries = wanted.split(",") if isinstance(wanted, str) else wanted
    meant = [entry.strip() if isinstance(entry, str) else entry for entry in entries]
    meant = [entry for entry in meant if entry != ""]
    known = {name.lower() for name in classes}
    return bool(meant) and all(
        0 <= int(entry) < len(classes)
        if isinstance(entry, int) or (entry.lower() not in known and re.fullmatch("-?[0-9]{1,18}", entry))
        else entry.lower() in known
        for entry in meant
    )


@fuzz(0.02)
@given(
    wanted=st.one_of(st.text(), st.lists(st.one_of(names, st.integers()), max_size=4)),
    classes=st.lists(names, min_size=1, max_size=6),
)
def test_class_names_of_any_kind(wanted: Any, classes: list[str]) -> None:
    fate = Fate.LOADS if classes_can_be(wanted, classes) else Fate.REFUSED
    tried("class names", lambda: choose_classes(wanted, classes), fate, "class")
