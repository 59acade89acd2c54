"""torchvision's models as targets, without a network connection."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torchvision import models

from evofool.errors import TargetError
from evofool.targets import registry as zoo
from evofool.targets.doors import torchvision as vision
from evofool.targets.doors.base import Request


def test_every_listed_model_has_a_card() -> None:
    names = vision.names()
    assert len(names) > 50
    assert names == sorted(names)
    for name in names:
        card = zoo.card(vision.PREFIX + name)
        assert card.name == vision.PREFIX + name
        assert len(card.classes) == 1000
        assert card.image_shape[0] == 3
        assert 64 <= card.image_shape[1] == card.image_shape[2] <= card.resize
        assert len(card.mean) == len(card.std) == 3
        assert "top-1" in card.accuracy


def test_the_card_is_what_torchvision_says() -> None:
    card = zoo.card("torchvision:squeezenet1_1")
    assert card.image_shape == (3, 224, 224)
    assert card.resize == 256
    assert card.mean == (0.485, 0.456, 0.406)
    assert card.std == (0.229, 0.224, 0.225)
    assert card.classes[0] == "tench"
    assert card.accuracy.startswith("58.18 %")


@pytest.mark.parametrize(
    "name", ["fasterrcnn_resnet50_fpn", "fcn_resnet50", "raft_large", "r3d_18", "quantized_mobilenet_v2"]
)
def test_models_that_classify_no_pictures_are_refused(name: str) -> None:
    """torchvision has detectors, optical flow, video and int8 networks under the same roof."""
    assert name not in vision.names()
    with pytest.raises(TargetError, match=f'torchvision has no classification model "{name}"'):
        zoo.card(vision.PREFIX + name)


def test_without_a_home_no_folder_is_made_for_weights_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Torch hub takes ``~`` for a folder's name then."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "~/.cache/torch/hub")
    with pytest.raises(TargetError, match=r"no home folder .* resnet18 .*TORCH_HOME.*`weights=FILE`"):
        vision.load("resnet18", Request())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [URLError("no route"), RuntimeError("invalid hash value")])
def test_weights_that_cannot_be_had_are_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(models, "get_model", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(TargetError, match=f"resnet18 are not in the cache.*`weights=FILE`. Cache: {tmp_path}"):
        zoo.load("torchvision:resnet18", device="cpu")


class _Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def cut(path: Path) -> None:
    torch.save({str(number): torch.rand(9) for number in range(99)}, path)
    path.write_bytes(path.read_bytes()[:9000])


DAMAGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "not a whole torch checkpoint"),
    "a page of a proxy": (lambda path: path.write_text("<html>proxy</html>"), "a web page"),
    "cut": (cut, "not a whole torch checkpoint"),
    "of another network": (lambda path: torch.save({"a": torch.zeros(2)}, path), r"Error\(s\) in loading state_dict"),
    "code": (lambda path: torch.save({"a": _Code(path.with_name("it ran"))}, path), "it holds .*mkdir"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_in_the_cache_is_named(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty one used to be taken for Ctrl-D, and torch would run code in one."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    damage, why = DAMAGED[kind]
    file = vision.cached_file("squeezenet1_1")
    file.parent.mkdir()
    damage(file)
    with pytest.raises(TargetError, match=re.escape(f"{file} is damaged (") + f".*{why}.*; delete it, and torchvision"):
        zoo.load("torchvision:squeezenet1_1", device="cpu")
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_the_cached_file_is_the_one_torch_hub_keeps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert vision.cached_file("resnet18") == tmp_path / "checkpoints" / "resnet18-f37072fd.pth"


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_networks_with_auxiliary_classifiers_answer_with_one_tensor(name: str) -> None:
    with torch.random.fork_rng(devices=[]), torch.device("meta"), torch.inference_mode():
        network = vision.network(name).eval()
        size = zoo.card(vision.PREFIX + name).image_shape
        logits = network(torch.zeros(2, *size))
    assert isinstance(logits, torch.Tensor)
    assert logits.shape == (2, 1000)
