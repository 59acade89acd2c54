"""Writes small classifiers as every kind of file that a door reads."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports keras

PYTHON = """
import numpy as np
import torch
from evofool.targets.registry import load_target

target = load_target("digits", device="cpu", precision="float32")
module = target.network

def factory():
    return target.network

def batch(images):
    assert images.dtype == np.uint8 and images.shape[1:] == (8, 8, 1)
    return target.confirm(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()

def single(image):
    assert image.shape == (8, 8, 1)
    return batch(image[None])[0].tolist()

class Estimator:
    n_features_in_ = 64
    classes_ = np.arange(10)

    def predict_proba(self, rows):
        assert rows.shape[1:] == (64,) and rows.max() <= 1
        return module(torch.from_numpy(rows).reshape(-1, 1, 8, 8)).softmax(1).detach().numpy()

class Robust:
    bounds, data_format = (0, 1), "channels_first"

    def __call__(self, images):
        return module(images)

class Art:
    nb_classes, input_shape, clip_values = 10, (1, 8, 8), (0.0, 255.0)

    def predict(self, images):
        return module(torch.from_numpy(images) / 255).detach().numpy()

class Maite:
    metadata = {"id": "digits", "index2label": {index: str(index) for index in range(10)}}

    def __call__(self, images):
        return [module(torch.from_numpy(image)[None]).softmax(1)[0].detach() for image in images]
"""


def write_torch_files(network: nn.Module, folder: Path) -> None:
    """Write the digits network as TorchScript, exported programs and weights, and a Python file that uses it."""
    network, example = network.to(memory_format=torch.contiguous_format), torch.rand(2, 1, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, example).save(str(folder / "digits.torchscript.pt"))
        program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("batch", max=4096)},))
        torch.export.save(program, folder / "digits.pt2")
        torch.export.save(torch.export.export(network, (example[:1],)), folder / "one.pt2")
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, folder / "digits.pth"
    )
    (folder / "mine.py").write_text(PYTHON)


def write_onnx_file(network: nn.Module, path: Path) -> None:
    """Write the digits network as an ONNX file with a free batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example, axes = (torch.rand(2, 1, 8, 8),), {"image": {0: "n"}}
        torch.onnx.export(network, example, str(path), dynamo=False, dynamic_axes=axes, input_names=["image"])


def write_transformers_folder(path: Path) -> None:
    """Write a small classifier of transformers with random weights, its image processor and its labels."""
    import transformers

    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], id2label={0: "cat", 1: "dog", 2: "frog"}
    )
    transformers.ResNetForImageClassification(config).save_pretrained(path)
    transformers.ViTImageProcessor(
        size={"height": 40, "width": 48}, image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.25, 0.3]
    ).save_pretrained(path)


def keras_network(*, rescaling: bool) -> Any:
    """Return a small network of Keras with random weights."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    first = [layers.Rescaling(1 / 255)] if rescaling else []
    return keras.Sequential(
        [
            keras.Input((8, 10, 3)),
            *first,
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )
