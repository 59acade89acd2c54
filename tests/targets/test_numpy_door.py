"""A new door: a module with a door's names and one line in ``registry.DOORS`` are all that it takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_door import add_numpy_door
from PIL import Image
from plain import PlainTarget
from runs import Capture, succeed

import evofool
from evofool.errors import ConfigError, TargetError
from evofool.targets import registry


@pytest.fixture(autouse=True)
def door(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door is listed."""
    add_numpy_door(monkeypatch)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "bfloat16"}, "can't run with `precision=bfloat16`, only with float32; leave `precision` out"),
        ({"micro_batch": 3}, "can't run with `micro_batch=3`, only with 64; leave `micro_batch` out"),
        ({"memory_format": "channels_last"}, "can't run with `memory_format=channels_last`, only with contiguous"),
        ({"fold": True}, "can't run with `fold=True`, only with False"),
        ({"parallel": True}, "can't run with `parallel=True`, only with False"),
        ({"device": "mps"}, "can't run with `device=mps`, only with cpu"),
        ({"weights": "mine.safetensors"}, "takes no weights file; leave `weights` out"),
    ],
)
def test_an_option_that_it_cannot_be_run_by_is_refused(
    options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    with pytest.raises(ConfigError, match=f"^target numpy:plain {message}"):
        registry.load("numpy:plain", **options)


def test_options_that_say_what_it_does_anyway_are_taken() -> None:
    target = registry.load(
        "numpy:plain", device="cpu", precision="float32", micro_batch=64, memory_format="contiguous", fold=False
    ).target
    assert isinstance(target, PlainTarget)


def test_a_job_of_it_goes_on(tmp_path: Path) -> None:
    options: dict[str, Any] = {"batch": 10, "gallery": False}
    whole = evofool.evolve("numpy:plain", "direct", generations=4, out=tmp_path / "whole", **options)
    evofool.evolve("numpy:plain", "direct", generations=2, out=tmp_path / "run", **options)
    again = evofool.resume(tmp_path / "run", generations=4, gallery=False)
    assert again.confidence.tolist() == whole.confidence.tolist()


def test_it_is_suggested_and_listed(capsys: Capture) -> None:
    with pytest.raises(TargetError, match=r'did you mean "numpy:plain".*, numpy:NAME, torchvision:NAME, '):
        registry.card("plain")
    shown = succeed(capsys, "targets").out
    assert re.search(r"numpy:plain +a target of the tests", shown)
    assert json.loads(succeed(capsys, "targets", "numpy", "--json").out) == ["numpy:plain"]
    assert "numpy's, downloaded and cached" in succeed(capsys, "targets", "numpy:plain").out


@pytest.mark.parametrize("kind", [np.ndarray.tolist, np.asarray])
def test_files_are_scored_whatever_it_returns(
    kind: Any, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlainTarget, "confirm", lambda self, images: kind(self.scores(images).numpy()))
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    answer = json.loads(succeed(capsys, "score", tmp_path / "red.png", "--target", "numpy:plain", "--json").out)
    assert sum(guess["confidence"] for guess in answer["images"][0]["top5"]) == pytest.approx(1)
