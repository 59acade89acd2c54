"""One network through every door gives the same scores, and the same archive for the same seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from door_files import write_onnx_file, write_torch_files
from support import random_images

import evofool
from evofool.config.model import ModelOptions
from evofool.errors import ConfigError, TargetError
from evofool.targets import registry
from evofool.targets.protocols import runs_in_torch
from evofool.targets.torch_target import TorchTarget

GREY = {"image_size": 8, "colours": 1}
"""What has to be said of models whose files don't say how large their images are."""


@pytest.fixture(scope="module")
def digits() -> TorchTarget:
    """The embedded network, in float32."""
    target = evofool.load_target("digits", device="cpu", precision="float32")
    assert isinstance(target, TorchTarget)
    return target


@pytest.fixture(scope="module")
def files(digits: TorchTarget, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the network in every kind of file that torch writes."""
    folder = tmp_path_factory.mktemp("files")
    write_torch_files(digits.network, folder)
    return folder


SPECS: dict[str, dict[str, Any]] = {
    "digits.pt2": {},
    "one.pt2": {},
    "digits.torchscript.pt": GREY,
    "digits.pth": {"arch": "digits"},
    "mine.py:module": GREY,
    "mine.py:factory": GREY,
    "mine.py:batch": GREY,
    "mine.py:single": GREY,
    "mine.py:Estimator": {},
    "mine.py:Robust": GREY,
    "mine.py:Art": {},
    "mine.py:Maite": GREY,
    "mine.py:target": {},
}


@pytest.mark.parametrize("spec", SPECS)
def test_one_network_has_the_same_scores_through_every_door(spec: str, files: Path, digits: TorchTarget) -> None:
    images = random_images(9, (1, 8, 8))
    loaded = registry.load(f"{files}/{spec}", device="auto", model=ModelOptions.of(SPECS[spec]))
    assert loaded.target.image_shape == (1, 8, 8)
    assert list(loaded.target.classes) == [str(index) for index in range(10)]
    torch.testing.assert_close(loaded.target.confirm(images), digits.confirm(images), atol=1e-4, rtol=0)


def test_an_onnx_file_has_the_same_scores(files: Path, digits: TorchTarget) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is an extra")
    pytest.importorskip("onnx", reason="writing an ONNX file needs onnx")
    write_onnx_file(digits.network, files / "digits.onnx")
    images = random_images(9, (1, 8, 8))
    target = registry.load(str(files / "digits.onnx")).target
    assert not runs_in_torch(target)
    torch.testing.assert_close(target.confirm(images), digits.confirm(images), atol=1e-4, rtol=0)


def test_class_names_are_read_from_an_onnx_file_as_paddleocr_keeps_them(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is an extra")
    onnx = pytest.importorskip("onnx", reason="writing an ONNX file needs onnx")
    kind = onnx.TensorProto.FLOAT
    image, scores = (
        onnx.helper.make_tensor_value_info(name, kind, shape)
        for name, shape in (("x", ["n", 3, 1, 1]), ("y", ["n", 3]))
    )
    flatten = onnx.helper.make_node("Flatten", ["x"], ["y"])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([flatten], "page", [image], [scores]),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.helper.set_model_props(model, {"character": "0\n90\n180"})
    onnx.save(model, str(tmp_path / "page.onnx"))
    assert list(registry.load(str(tmp_path / "page.onnx")).target.classes) == ["0", "90", "180"]


def test_weights_with_their_network_in_front_go_beside_others_of_the_same_network(
    files: Path, digits: TorchTarget, tmp_path: Path
) -> None:
    images = random_images(9, (1, 8, 8))
    both = evofool.load_target(["digits", f"digits={files}/digits.pth"], device="cpu")
    torch.testing.assert_close(both.confirm(images), digits.confirm(images), atol=1e-4, rtol=0)
    options: dict[str, Any] = {"encoding": "direct", "batch": 20, "device": "cpu", "out": tmp_path / "run"}
    first = evofool.evolve(["digits", f"digits={files}/digits.pth"], generations=2, **options)
    again = evofool.resume(first.run, generations=3)
    assert again.config.target.spec == ("digits", f"digits={files}/digits.pth")
    assert [member.name for member in again.config.target.members] == ["digits", "digits.pth"]
    with pytest.raises(ConfigError, match=r"names its network already; leave `arch` out"):
        evofool.load_target(f"digits={files}/digits.pth", arch="mnist")
    with pytest.raises(TargetError, match=r"no file at nowhere\.pth"):
        evofool.load_target("cifar10:resnet32=nowhere.pth")


@pytest.mark.parametrize("spec", ["digits.pth", "mine.py:batch"])
def test_the_same_seed_gives_the_same_archive_through_every_door(spec: str, files: Path) -> None:
    settings: dict[str, Any] = {"encoding": "direct", "generations": 5, "batch": 20, "seed": 3}
    expected = evofool.evolve("digits", precision="float32", device="cpu", **settings)
    result = evofool.evolve(f"{files}/{spec}", **SPECS[spec], **settings)
    np.testing.assert_array_equal(result.images, expected.images)
    np.testing.assert_allclose(result.confidence, expected.confidence, atol=1e-4)


@pytest.mark.parametrize("spec", ["mine.py:module", "digits.pt2", "digits.torchscript.pt", "digits.pth"])
def test_a_weights_file_that_a_door_does_not_load_is_refused(spec: str, files: Path) -> None:
    with pytest.raises(ConfigError, match="takes no weights file; leave `weights` out"):
        evofool.load_target(str(files / spec), weights=files / "other.safetensors", **SPECS[spec])
