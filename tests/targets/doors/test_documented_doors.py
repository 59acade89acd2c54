"""Every command that docs/TARGETS.md shows for a door runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from door_files import keras_network, write_onnx_file, write_torch_files, write_transformers_folder
from inference_server import Served, serving
from PIL import Image
from runs import Capture, succeed
from torch import nn

import evofool
from evofool.targets.torch_target import TorchTarget

PAGE = (Path(__file__).parents[3] / "docs" / "TARGETS.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## The doors") : PAGE.index("## Telling it")]
COMMANDS = [line for block in re.findall(r"```\n(.*?)```", SECTION, re.DOTALL) for line in block.splitlines()]

SMALL = {"evolve": ["--generations", "1", "--batch", "10"], "attack": ["--queries", "20"]}
"""What keeps a command short, by its name."""


def digits() -> TorchTarget:
    target = evofool.load_target("digits", device="cpu", precision="float32")
    assert isinstance(target, TorchTarget)
    return target


def torchvision_weights(folder: Path, shared: Path) -> None:
    (folder / "squeezenet1_1.safetensors").symlink_to(shared / "weights" / "squeezenet1_1-imagenet.safetensors")


def timm_weights(folder: Path, _: Path) -> None:
    timm = pytest.importorskip("timm", reason="timm is an extra")
    torch.save(timm.create_model("test_resnet").state_dict(), folder / "test_resnet.pth")


def transformers_folder(folder: Path, _: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is an extra")
    write_transformers_folder(folder / "pets")


def onnx_file(folder: Path, _: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is an extra")
    pytest.importorskip("onnx", reason="writing an ONNX file needs onnx")
    write_onnx_file(digits().network, folder / "network.onnx")


def litert_file(folder: Path, _: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is an extra")
    from litert_file import write

    write(folder / "network.tflite", np.float32)


def keras_file(folder: Path, _: Path) -> None:
    pytest.importorskip("keras", reason="keras is an extra")
    keras_network(rescaling=True).save(folder / "network.keras")


def torch_files(folder: Path, _: Path) -> None:
    write_torch_files(digits().network, folder)
    for kind in ("pt2", "torchscript.pt"):
        (folder / f"digits.{kind}").rename(folder / f"network.{kind}")
    mine = folder / "mine.py"
    mine.write_text(mine.read_text().replace("def batch(", "def classify("))


def architecture_weights(folder: Path, _: Path) -> None:
    import torchvision

    torch.save({"model": torchvision.models.resnet18(num_classes=3).state_dict()}, folder / "weights.pth")
    (folder / "names.txt").write_text("cat\ndog\nfrog\n")


FILES: dict[str, Callable[[Path, Path], None]] = {
    "torchvision:": torchvision_weights,
    "timm:": timm_weights,
    "hf:": transformers_folder,
    "network.onnx": onnx_file,
    "network.tflite": litert_file,
    "network.keras": keras_file,
    "network.pt2": torch_files,
    "network.torchscript.pt": torch_files,
    "weights.pth": architecture_weights,
    "mine.py": torch_files,
}
"""Writes what a command names, by the beginning of its target."""


def target_of(command: str) -> str:
    words = shlex.split(command)
    return words[words.index("--target") + 1]


def test_every_door_has_a_command() -> None:
    doors = [line for line in SECTION.splitlines() if line.startswith("**`")]
    assert len(doors) == 10
    assert {start for start in FILES for command in COMMANDS if target_of(command).startswith(start)} == set(FILES)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_command_of_a_door_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))
    name, *words = shlex.split(command)[1:]
    words += [*SMALL[name], "--out", "job", "--quiet"]
    if target_of(command).startswith("http"):
        pytest.importorskip("urllib3", reason="urllib3 is an extra")
        with serving(Served()) as url:
            succeed(capsys, name, *(word.replace("http://localhost:8080", url) for word in words))
    else:
        start = next(start for start in FILES if target_of(command).startswith(start))
        shared = request.getfixturevalue("shared") if start == "torchvision:" else tmp_path
        FILES[start](tmp_path, shared)
        succeed(capsys, name, *words)
    assert (tmp_path / "job" / "config.json").exists()


def test_a_state_dict_of_a_network_of_one_s_own_comes_in_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    own = PAGE[PAGE.index("## Your own PyTorch network") : PAGE.index("## The embedded networks")]
    function, commands = re.findall(r"```(?:python)?\n(.*?)```", own, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("pets.py").write_text(function)
    Path("model.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(12, 3))\n"
    )
    torch.manual_seed(0)
    torch.save(nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(12, 3)).state_dict(), "pets.pth")
    pixels = np.random.default_rng(0)
    for name in ("cat", "dog", "ship"):
        (tmp_path / "PHOTOS" / name).mkdir(parents=True)
        for number in range(6):
            image = Image.fromarray(pixels.integers(0, 256, (32, 32, 3), np.uint8))
            image.save(tmp_path / "PHOTOS" / name / f"{number}.png")
    for command in commands.splitlines():
        _, name, *words = shlex.split(command)
        assert succeed(capsys, name, *words, *SMALL.get(name, [])).out
    assert evofool.open("outputs/attack-pets.py-network-001").statistics.attempts
