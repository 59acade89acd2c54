"""Data sets from strangers: archives that lie or swell, folders of hostile names."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import WORDS, Sandbox, damaged, fuzz, instead, tried
from hypothesis import given
from hypothesis import strategies as st
from labelled import fitting, picture, reading_target

from evofool.attacks.image_selection import select_images
from evofool.config.classes import choose_classes
from evofool.datasets import open_data

TARGET = reading_target()


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
    box = Sandbox(tmp_path_factory.mktemp("data"))
    box.inside.mkdir()
    return box


def use(file: Path) -> None:
    data = open_data(file, file.parent, fitting())
    select_images(data, TARGET, count=4, include_misclassified=True)


@fuzz(0.05)
@given(content=damaged(SAMPLE))
def test_a_damaged_archive(content: bytes, sandbox: Sandbox) -> None:
    file = sandbox.inside / "a.npz"
    with instead(file, content):
        tried("data set bytes", lambda: use(file))
    sandbox.assert_untouched()


names = st.one_of(st.sampled_from(WORDS), st.text(max_size=9)).filter(lambda word: "\ud800" not in word)


@st.composite
def arrays(draw: Any) -> Any:
    """An array of any kind and shape, but small."""
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
    file = sandbox.inside / "a.npz"
    with instead(file, archive(**{**plain(), **changes})):
        tried("data set arrays", lambda: use(file))


class Mark:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.marker,)


@pytest.mark.parametrize("place", ["images", "labels", "classes", "a pickle called so", "a pickle in the archive"])
def test_no_code_runs(place: str, sandbox: Sandbox) -> None:
    file, marker = sandbox.inside / "a.npz", sandbox.root / "marker"
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
    with instead(file, content):
        assert tried("data sets with code", lambda: use(file)) is not None
    assert not marker.exists()


def big(shape: tuple[int, ...], kind: Any = np.uint8) -> np.ndarray:
    return np.zeros(shape, kind)


BOMBS = {
    "many tiny images": lambda: {"images": big((2 * 10**7, 1, 1)), "labels": big((2 * 10**7,))},
    "many classes": lambda: {**plain(), "classes": big((2 * 10**7,), "U1")},
    "classes of much text": lambda: {**plain(), "classes": big((1,), "U9000000")},
    "a long row": lambda: {"images": big((1, 1, 2 * 10**7)), "labels": big((1,))},
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name: str, sandbox: Sandbox) -> None:
    file = sandbox.inside / "a.npz"
    with instead(file, archive(**BOMBS[name]())):
        assert file.stat().st_size < 1_000_000
        told = tried("data set bombs", lambda: use(file))
        assert told is not None or name == "classes of much text"


FILE_NAMES = [word for word in WORDS if word.strip(". ") and not set(word) & set("/\0\ud800") and len(word) < 99]
file_names = st.one_of(
    st.sampled_from(FILE_NAMES),
    st.binary(min_size=1, max_size=20).filter(lambda b: not set(b) & {0, 47} and b not in (b".", b"..")).map(
        lambda b: b.decode("utf-8", "surrogateescape")
    ),
)  # fmt: skip


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
    tried("folders of pictures", lambda: use(root))


@fuzz(0.02)
@given(
    wanted=st.one_of(st.text(), st.lists(st.one_of(names, st.integers()), max_size=4)),
    classes=st.lists(names, min_size=1, max_size=6),
)
def test_class_names_of_any_kind(wanted: Any, classes: list[str]) -> None:
    tried("class names", lambda: choose_classes(wanted, classes))
