"""Models of timm and transformers: small ones with random weights, read by the real loading code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from door_files import write_transformers_folder
from PIL import Image
from support import random_images

from evofool.config.model import ModelOptions
from evofool.errors import TargetError
from evofool.targets import registry
from evofool.targets.torch_target import TorchTarget


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the hub out of the tests."""
    pytest.importorskip("huggingface_hub", reason="the hub belongs to the extras timm and hf")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="session")
def timm_weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A small network of timm, and its weights in a file."""
    timm = pytest.importorskip("timm", reason="timm is an extra")
    torch.manual_seed(0)
    network = timm.create_model("test_resnet").eval()
    file = tmp_path_factory.mktemp("timm") / "weights.pth"
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in network.state_dict().items()}}, file)
    return network, file


def test_a_model_of_timm_is_normalised_and_named_as_timm_says(timm_weights: tuple[Any, Path]) -> None:
    network, file = timm_weights
    config = network.pretrained_cfg
    loaded = registry.load("timm:test_resnet", weights=file, device="cpu", precision="float32")
    target, images = loaded.target, random_images(3, tuple(config["input_size"]))
    mean, std = (torch.tensor(config[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    with torch.inference_mode():
        expected = network((images / 255 - mean) / std).softmax(1)
    torch.testing.assert_close(target.confirm(images), expected, atol=1e-5, rtol=0)
    assert target.image_shape == tuple(config["input_size"])
    assert (len(target.classes), loaded.user_weights) == (1000, True)
    assert any("tench" in name for name in target.classes)
    assert loaded.card is not None
    assert loaded.card.resize == round(target.image_shape[1] / config["crop_pct"])


def test_weights_in_a_file_are_those_of_an_architecture_of_timm(timm_weights: tuple[Any, Path], tmp_path: Path) -> None:
    _, file = timm_weights
    named = registry.load("timm:test_resnet", weights=file, device="cpu", precision="float32").target
    model = ModelOptions(arch="timm:test_resnet")
    same = registry.load(str(file), device="cpu", precision="float32", model=model).target
    images = random_images(2, named.image_shape)
    torch.testing.assert_close(same.confirm(images), named.confirm(images), atol=1e-6, rtol=0)


def test_another_number_of_classes_is_read_from_the_weights(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="timm is an extra")
    network = timm.create_model("test_resnet", num_classes=7)
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    target = registry.load(str(tmp_path / "mine.pth"), model=ModelOptions(arch="timm:test_resnet")).target
    assert list(target.classes) == [str(index) for index in range(7)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:test_resnett", r'timm has no model "test_resnett" \(did you mean "test_resnet'),
        ("timm:test_resnet", r"timm's weights for test_resnet could not be had .*`weights=FILE`"),
    ],
)
def test_what_timm_has_not_is_one_line(name: str, message: str) -> None:
    pytest.importorskip("timm", reason="timm is an extra")
    with pytest.raises(TargetError, match=message):
        registry.load(name)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small classifier of transformers, its image processor and its labels."""
    pytest.importorskip("transformers", reason="transformers is an extra")
    path = tmp_path_factory.mktemp("hf") / "model"
    write_transformers_folder(path)
    return path


def test_a_model_of_transformers_gives_what_its_own_processor_and_network_give(folder: Path) -> None:
    import transformers

    loaded = registry.load(f"hf:{folder}", device="cpu", precision="float32")
    target, images = loaded.target, random_images(3, (3, 40, 48))
    pictures = [Image.fromarray(np.moveaxis(image.numpy(), 0, 2)) for image in images]
    inputs = transformers.AutoImageProcessor.from_pretrained(folder)(pictures, return_tensors="pt")
    with torch.inference_mode():
        network = transformers.AutoModelForImageClassification.from_pretrained(folder).eval()
        expected = network(**inputs).logits.softmax(1)
    assert isinstance(target, TorchTarget)
    assert (list(target.classes), target.image_shape) == (["cat", "dog", "frog"], (3, 40, 48))
    torch.testing.assert_close(target.confirm(images), expected, atol=1e-5, rtol=0)
    assert loaded.weights == folder / "model.safetensors"


def test_a_folder_without_a_classifier_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is an extra")
    with pytest.raises(TargetError, match=r"could not be read .*expected a folder or a repository of an image"):
        registry.load(f"hf:{tmp_path}")
