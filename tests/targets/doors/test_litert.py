"""LiteRT files, in float32 and quantised."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import random_images

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is an extra")

from litert_file import SCALE, weights, write

from evofool.errors import TargetError
from evofool.targets import registry


def softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_a_file_in_float32_gives_the_scores_of_its_layer(tmp_path: Path) -> None:
    write(tmp_path / "network.tflite", np.float32)
    images = random_images(7, (3, 8, 8))
    target = registry.load(str(tmp_path / "network.tflite")).target
    rows = images.permute(0, 2, 3, 1).reshape(7, -1).numpy() / 255
    assert (target.image_shape, len(target.classes)) == ((3, 8, 8), 4)
    np.testing.assert_allclose(target.confirm(images).numpy(), softmax(rows @ weights().T), atol=1e-5)


def test_a_quantised_file_takes_pixels_and_its_scores_are_brought_back(tmp_path: Path) -> None:
    write(tmp_path / "network.tflite", np.int8)
    images = random_images(7, (3, 8, 8))
    target = registry.load(str(tmp_path / "network.tflite"), model=None).target
    rows = images.permute(0, 2, 3, 1).reshape(7, -1).numpy() / 255
    logits = np.clip(rows @ weights().T * SCALE, -128 * 2 * SCALE, 127 * 2 * SCALE)
    np.testing.assert_allclose(target.confirm(images).numpy(), softmax(logits), atol=SCALE)


def test_class_names_that_are_packed_behind_a_model_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "network.tflite"
    write(file, np.float32)
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr("labels.txt", "cat\ndog\nbird\nfrog\n")
    assert registry.load(str(file)).target.classes == ["cat", "dog", "bird", "frog"]


def test_a_file_of_something_else_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "network.tflite").write_bytes(b"something else, of any length")
    with pytest.raises(TargetError, match="is no file that LiteRT can run"):
        registry.load(str(tmp_path / "network.tflite"))
