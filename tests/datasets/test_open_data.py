"""What `data` may be: a name, a folder, an archive, and a helpful line for anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from labelled import fitting, picture

from evofool.datasets import NAMED_DATASETS, ArrayImages, open_data
from evofool.errors import ConfigError


def test_an_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pets.NPZ"
    with path.open("wb") as file:
        np.savez(
            file, images=np.zeros((2, 8, 8, 3), np.uint8), labels=np.array([1, 0]), classes=np.array(["car", "bird"])
        )
    for data in (open_data(path, tmp_path, fitting()), open_data(str(path), tmp_path, fitting())):
        assert isinstance(data, ArrayImages)
        assert data.labels.tolist() == [2, 1]  # By the target's names.


def test_a_folder_is_read(tmp_path: Path) -> None:
    picture(tmp_path / "pets" / "car" / "a.png")
    for where in (tmp_path / "pets", str(tmp_path / "pets"), f"{tmp_path}/pets/"):
        data = open_data(where, tmp_path, fitting())
        assert (data.name, data.labels.tolist()) == ("pets", [1])


@pytest.mark.parametrize("name", ["digits", "Digits", "DIGITS"])
def test_a_name_is_read_however_written(name: str, tmp_path: Path) -> None:
    data = open_data(name, tmp_path, fitting((1, 8, 8), "0123456789"))
    assert (data.name, len(data)) == ("digits", 360)


def test_a_name_goes_before_a_folder_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "digits" / "a.png")
    assert len(open_data("digits", tmp_path, fitting((1, 8, 8), "0123456789"))) == 360
    assert len(open_data("./digits", tmp_path, fitting((1, 8, 8)))) == 1


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("mnits", "mnist"),
        ("digit", "digits"),
        ("CIFAR-10", "cifar10"),
        ("fashion-mnist", "fashionmnist"),
        ("imagnet", "imagenet"),
        ("svnh", "svhn"),
        ("cifar_100", "cifar100"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(misspelt: str, meant: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf'did you mean .*"{meant}"') as raised:
        open_data(misspelt, tmp_path, fitting())
    assert misspelt in str(raised.value)


@pytest.mark.parametrize("data", ["zzzzzz", "no/such/folder", "nowhere.npz", "a\0b", "x" * 5000, "~"])
def test_nothing_there_lists_what_there_is(data: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no data at `data=") as raised:
        open_data(data, tmp_path, fitting())
    assert all(name in str(raised.value) for name in NAMED_DATASETS)
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize("name", ["pets.zip", "pets.png", "pets", "pets.npy"])
def test_another_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(ConfigError, match=r"is a file; expected an \.npz archive, a folder") as raised:
        open_data(tmp_path / name, tmp_path, fitting())
    assert name in str(raised.value)
