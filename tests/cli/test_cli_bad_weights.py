"""Weights that are damaged, unsafe, of another network or out of reach: refused, and nothing is left behind."""

from __future__ import annotations

import json
import os
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import EVOLVE, Capture, assert_refused, run_cli, save_weights

from evofool.targets import networks
from evofool.targets.doors.embedded import embedded_weights


class _Code:
    """Something that makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("writer", ["pickle", "torch", "old torch"])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_pickle_with_code_is_refused_and_does_not_run(
    writer: str, ending: str, tmp_path: Path, capsys: Capture
) -> None:
    weights, trace = tmp_path / f"weights.{ending}", tmp_path / "it ran"
    if writer == "pickle":
        weights.write_bytes(pickle.dumps({"conv1.weight": _Code(trace)}))
    else:
        torch.save({"conv1.weight": _Code(trace)}, weights, _use_new_zipfile_serialization=writer == "torch")
    assert_refused(run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run"), str(weights))
    assert os.listdir(tmp_path) == [weights.name]


def _truncated() -> bytes:
    whole = embedded_weights("digits").read_bytes()
    return whole[: len(whole) // 2]


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize(
    "content",
    [b"", b"these are no weights\n", _truncated(), b"\xff" * 64, json.dumps({"conv1": 1}).encode(), b"PK\x03\x04"],
    ids=["empty", "text", "truncated", "bytes", "json", "zip"],
)
def test_a_damaged_weights_file_is_refused(content: bytes, ending: str, tmp_path: Path, capsys: Capture) -> None:
    weights = tmp_path / f"weights.{ending}"
    weights.write_bytes(content)
    assert_refused(run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run"), str(weights))
    assert os.listdir(tmp_path) == [weights.name]


def test_weights_of_another_network_are_refused(tmp_path: Path, capsys: Capture) -> None:
    weights = save_weights(networks.LeNet(), tmp_path / "lenet.safetensors")
    outcome = run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run")
    assert_refused(outcome, "is not for digits", "lenet.safetensors")
    assert os.listdir(tmp_path) == ["lenet.safetensors"]


def test_weights_of_another_shape_are_refused(tmp_path: Path, capsys: Capture) -> None:
    network = networks.DigitsNet()
    name = [name for name, _ in network.named_parameters()][-1]
    shorter = {k: v[:-1] if k == name else v for k, v in network.state_dict().items()}
    torch.save(shorter, tmp_path / "weights.pth")
    outcome = run_cli(capsys, *EVOLVE, "--weights", tmp_path / "weights.pth", "--out", tmp_path / "run")
    assert_refused(outcome, name, "(10,)", "(9,)")
    assert os.listdir(tmp_path) == ["weights.pth"]


def test_weights_that_give_nan_are_refused_and_leave_no_run(tmp_path: Path, capsys: Capture) -> None:
    weights = save_weights(networks.DigitsNet(), tmp_path / "nan.safetensors", scale=float("nan"))
    outcome = run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run")
    assert_refused(outcome, "target digits returned NaN")
    assert os.listdir(tmp_path) == ["nan.safetensors"]


def test_torchvision_weights_that_cannot_be_had_are_refused(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    outcome = run_cli(capsys, "evolve", "--target", "torchvision:squeezenet1_1", "--out", tmp_path / "run")
    assert outcome.code == 2
    assert outcome.out == ""
    *_, last = outcome.err.splitlines()  # Torch itself says which file it wants to download.
    assert last.startswith("error: torchvision's weights for squeezenet1_1 are not in the cache")
    assert "--weights FILE" in last
    assert not (tmp_path / "run").exists()
