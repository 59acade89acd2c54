"""Functions of users: what they return and how they fail, told in one line that loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import random_images, tiny_target

import evofool
from evofool.errors import ConfigError, EvofoolError, TargetError
from evofool.targets import registry

FUNCTIONS = """
from pathlib import Path
import numpy as np
import torch

weights = np.random.default_rng(0).normal(0, 0.3, (192, 4))
calls = 0


def array(images):
    powers = np.exp(images.reshape(len(images), -1) / 255 @ weights)
    return powers / powers.sum(1, keepdims=True)

def nested_list(images):
    return array(images).tolist()

def tensor_with_gradient(images):
    return torch.tensor(array(images), requires_grad=True)

def named(images):
    return {"probabilities": array(images), "features": np.zeros((len(images), 7))}

def other_each_time(images):
    part = 1 / (1 + counted())
    return array(images) * part + (1 - part) / 4

def another_shape(images):
    return array(images)[:, : 4 if counted() < 4 else 3]

def not_a_number(images):
    return array(images) * (1 if counted() < 5 else np.nan)

def throwing(images):
    if counted() == 6 and not Path(__file__).with_name("paid").exists():
        raise LookupError("quota\\nexceeded")
    return array(images)

def without_values(images):
    return torch.empty((len(images), 4), device="meta")

class Floats:
    def predict(self, images):
        assert images.dtype == np.float32
        return array(images * 255)

def flat(images):
    return array(images).ravel()

def transposed(images):
    return array(images).T

def nothing(images):
    return None

def label_texts(images):
    return ["cat"] * len(images)

def a_row_too_few(images):
    return array(images)[:-1]

def by_label(images):
    return [{"cat": 0.2, "dog": 0.8} for image in images]

def counted():
    global calls
    calls += 1
    return calls
"""

SETTINGS: dict[str, Any] = {"image_size": 8, "encoding": "direct", "batch": 20, "gallery": False}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of functions."""
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    return tmp_path / "mine.py"


@pytest.mark.parametrize("name", ["nested_list", "tensor_with_gradient", "named"])
def test_scores_of_any_kind_are_taken(name: str, file: Path) -> None:
    result = evofool.evolve(f"{file}:{name}", generations=4, **SETTINGS)
    expected = evofool.evolve(f"{file}:array", generations=4, **SETTINGS)
    np.testing.assert_array_equal(result.images, expected.images)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other_each_time", "other scores each time"),
        ("another_shape", r"must return \(20, 4\) for 20 images and 4 classes, got \(20, 3\)"),
        ("not_a_number", "returned NaN or infinite scores"),
        ("flat", r"must return \(8, K\) scores for 8 images, got one array \(32,\)"),
        ("transposed", r"must return \(8, K\) scores for 8 images, got one array \(4, 8\)"),
        ("nothing", r"must return \(8, K\) scores for 8 images, got NoneType"),
        ("label_texts", r"must return \(8, K\) scores for 8 images, got list"),
        ("a_row_too_few", r"must return \(8, K\) scores for 8 images, got one array \(7, 4\)"),
        ("by_label", r"must return \(8, K\) scores for 8 images, got list"),
        ("throwing", r"failed on \(3, 8, 8\) images: LookupError: quota; .*run is kept: go on with: evofool resume"),
        ("without_values", r"must return \(8, K\) scores for 8 images, got Tensor"),
    ],
)
def test_what_a_function_gets_wrong_is_named(name: str, message: str, file: Path, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=message):
        evofool.evolve(f"{file}:{name}", generations=30, out=tmp_path / "run", **SETTINGS)


def test_a_run_that_its_function_ended_goes_on(file: Path, tmp_path: Path) -> None:
    expected = evofool.evolve(f"{file}:array", generations=8, **SETTINGS)
    with pytest.raises(TargetError, match="quota"):
        evofool.evolve(f"{file}:throwing", generations=8, out=tmp_path / "run", **SETTINGS)
    (tmp_path / "paid").touch()
    result = evofool.resume(tmp_path / "run", gallery=False)
    np.testing.assert_array_equal(result.images, expected.images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": [0.5, 0.4]}, r"`mean` .*3 .*got 2"),
        ({"mean": [123.7, 116.3, 103.5]}, r"must be for pixels in \[0, 1\].*divide both by 255"),
        ({"std": [0.0]}, "`std` must be above 0"),
        ({"range": "0-2"}, "`range` must be 0-1 or 0-255 or -1-1, got '0-2'"),
        ({"layout": "CHW"}, "`layout` must be NCHW or NHWC or NHW, got 'CHW'"),
    ],
)
def test_how_it_takes_images_is_checked_before_it_is_called(options: dict[str, Any], message: str, file: Path) -> None:
    with pytest.raises(EvofoolError, match=message):
        evofool.load_target(f"{file}:Floats", image_size=8, **options)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("network.onx", r'no target can be read from a \.onx file \(did you mean "\.onnx"\?\); expected \.onnx, '),
        ("mine.py", r"^mine\.py names no object in the file; say which, as in `target=mine\.py:ATTRIBUTE`$"),
    ],
)
def test_a_file_of_another_kind_is_named(name: str, message: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    with pytest.raises(TargetError, match=message):
        evofool.load_target(name)


COUNTED = """
from pathlib import Path

import numpy as np

weights = np.random.default_rng(0).normal(0, 0.3, (192, 4))


def batch(images):
    assert images.ndim == 4
    with Path(__file__).with_name("bill").open("a") as bill:
        bill.write("".join(f"{image.tobytes().hex()}\\n" for image in images))
    powers = np.exp(images.reshape(len(images), -1) / 255 @ weights)
    return powers / powers.sum(1, keepdims=True)

def single(image):
    assert image.ndim == 3
    return batch(image[None])[0]
"""


@pytest.mark.parametrize("name", ["batch", "single"])
def test_the_pictures_that_show_what_it_returns_are_paid_for_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "counted.py").write_text(COUNTED)
    run, spec, bill = tmp_path / "run", f"{tmp_path / 'counted.py'}:{name}", tmp_path / "bill"
    for budget in (60, 90):
        result = (
            evofool.resume(run, max_queries=budget, gallery=False)
            if run.exists()
            else evofool.evolve(spec, generations=30, max_queries=budget, out=run, **SETTINGS)
        )
        paid = bill.read_text().split()
        assert result.interrupted
        assert len(paid) == len(set(paid)) == budget == evofool.inspect(run)["queries_paid"]


def test_a_budget_below_what_shows_what_it_returns_asks_nothing(tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(COUNTED)
    with pytest.raises(EvofoolError, match="`max_queries` must leave at least 8, 7 are left: so many pictures show"):
        evofool.evolve(f"{tmp_path / 'counted.py'}:batch", max_queries=7, out=tmp_path / "run", **SETTINGS)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["counted.py"]


def test_pictures_that_show_what_several_return_stay_within_the_budget(tmp_path: Path) -> None:
    """Eight pictures show what the first returns; the second, which needs eight as well, isn't asked."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f"{COUNTED}\nbatch.image_shape = (3, 8, 8)\n")
    names = [f"{tmp_path / name}.py:batch" for name in ("one", "two")]
    with pytest.raises(EvofoolError, match="`max_queries` must leave at least 8, 4 are left"):
        evofool.evolve(names, "direct", max_queries=12, out=tmp_path / "run")
    assert len((tmp_path / "bill").read_text().split()) == 8


def test_what_a_file_says_while_it_is_loaded_is_no_output_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loud.py").write_text(f"{FUNCTIONS}\nprint('weights are loaded')\narray.image_shape = (3, 8, 8)\n")
    registry.load(f"{tmp_path / 'loud.py'}:array")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "weights are loaded\n")


def test_what_is_no_image_is_named_by_functions_as_by_networks(file: Path) -> None:
    target = evofool.load_target(f"{file}:array", image_size=8)
    with pytest.raises(TargetError, match=r"takes uint8 torch tensors \(B, 3, 8, 8\), got ndarray of uint8"):
        target.confirm(np.zeros((2, 3, 8, 8), np.uint8))  # type: ignore[arg-type]


def test_a_function_that_fails_now_and_then_is_found_by_a_checkup(file: Path) -> None:
    (finding,) = evofool.check_target(f"{file}:throwing", image_size=8).findings
    assert finding.what == "it fails now and then"
    assert "LookupError: quota; asked again, it answered" in finding.evidence


def test_a_misspelt_architecture_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.pth").touch()
    with pytest.raises(TargetError, match=r'no network is called "torchvison:resnet18" \(did you mean "torchvision:"'):
        evofool.load_target(str(tmp_path / "mine.pth"), arch="torchvison:resnet18")


class Bright:
    """A classifier as scikit-learn has them."""

    n_features_in_, classes_ = 64, ("dark", "bright")

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([1 - rows.mean(1), rows.mean(1)], 1)


def test_an_object_that_is_there_already_is_loaded_as_its_name_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    target, images = evofool.load_target(Bright()), random_images(3, (1, 8, 8))
    assert (target.name, list(target.classes), target.image_shape) == ("Bright", ["dark", "bright"], (1, 8, 8))
    light = images.float().mean((1, 2, 3)) / 255
    torch.testing.assert_close(target.confirm(images)[:, 1], light, atol=1e-6, rtol=0)
    resized: Any = evofool.load_target(Bright(), resize=12)
    assert resized.resize == 12
    result = evofool.evolve(evofool.load_target(Bright, max_queries=60), "direct", generations=9, batch=20)
    assert result.interrupted


@pytest.mark.parametrize(
    ("thing", "options", "message"),
    [
        (Bright(), {"weights": "mine.pth"}, "an object has its weights already; leave `weights` out"),
        (Bright(), {"precision": "bfloat16"}, "precision"),
        (tiny_target(), {"image_size": 16}, "says itself how it is understood; leave `image_size` out"),
        (lambda images: images, {}, "doesn't say how large its images are; give `image_size=224`"),
    ],
)
def test_what_an_object_can_not_be_told_is_one_line(thing: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        evofool.load_target(thing, **options)


def test_what_is_no_classifier_is_named() -> None:
    with pytest.raises(TargetError, match="int is a int; expected a torch module, a function from images to scores"):
        evofool.load_target(5)
