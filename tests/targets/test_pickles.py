"""Looking into checkpoints: what real ones hold passes, what would swell in memory doesn't."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

from evofool.targets import pickles
from evofool.targets.networks import CifarResNet


def checkpoints() -> dict[str, Any]:
    state = CifarResNet(20).state_dict()
    network = models.get_model("mobilenet_v3_small", weights=None)
    optimizer = torch.optim.Adam(network.parameters())
    sum(parameter.sum() for parameter in network.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    return {
        "a state dict": state,
        "training": {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "milestones": Counter([1, 2])},
        "other values": {"state_dict": OrderedDict(state), "names": ["cat"] * 1000, "shape": torch.Size([1, 2])},
        "a large one": {f"layer.{i}.weight": torch.zeros(1) for i in range(5000)},
    }


@pytest.mark.parametrize("name", ["a state dict", "training", "other values", "a large one"])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_what_training_saves_passes(name: str, zipped: bool, tmp_path: Path) -> None:
    torch.save(checkpoints()[name], tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    assert pickles.fault(tmp_path / "a.pth") is None


def test_what_calls_for_memory_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.")
    assert "bytearray" in str(pickles.fault(tmp_path / "a.pth"))


def test_tuples_of_tuples_are_told_when_walking_them_has_no_end(tmp_path: Path) -> None:
    value: Any = ()
    for _ in range(64):
        value = (value, value)
    (tmp_path / "a.pth").write_bytes(pickle.dumps([value], protocol=2))
    assert "again and again" in str(pickles.fault(tmp_path / "a.pth"))


def test_a_packed_checkpoint_is_told(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(10_000)}, buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert "unpack to" in str(pickles.fault(tmp_path / "a.pth"))
